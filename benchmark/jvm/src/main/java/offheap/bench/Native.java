package offheap.bench;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import sun.misc.Unsafe;

/** The ways around the collector that several benchmarks use: sun.misc.Unsafe, and C's malloc by foreign calls without a change of state. */
final class Native {
    static final Unsafe UNSAFE = unsafe();
    private static final MethodHandle MALLOC = handle("malloc", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    private static final MethodHandle FREE = handle("free", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));

    private Native() {
    }

    private static Unsafe unsafe() {
        try {
            Field field = Unsafe.class.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            return (Unsafe) field.get(null);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), descriptor, Linker.Option.critical(false));
    }

    static MemorySegment malloc(long size) {
        try {
            return ((MemorySegment) MALLOC.invokeExact(size)).reinterpret(size);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    static void free(MemorySegment segment) {
        try {
            FREE.invokeExact(segment);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** The bytes at an address, for checks. */
    static MemorySegment at(long address, long size) {
        return MemorySegment.ofAddress(address).reinterpret(size);
    }

    /** The bytes of a direct buffer, for checks. */
    static MemorySegment of(ByteBuffer buffer) {
        return MemorySegment.ofBuffer(buffer);
    }
}
