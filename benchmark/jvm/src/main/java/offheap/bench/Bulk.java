package offheap.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static offheap.bench.Native.UNSAFE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.agrona.concurrent.UnsafeBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.BenchmarkParams;

/** Operations on two memories of the same size, whose pages were all written before. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Bulk {
    @Param({"4096", "65536", "1048576", "67108864"})
    public int size;

    private static final byte FILL = (byte) 0xa5;
    private static final ByteOrder OTHER =
        ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    private static final ValueLayout.OfShort OTHER_SHORT = JAVA_SHORT_UNALIGNED.withOrder(OTHER);
    private static final ValueLayout.OfInt OTHER_INT = JAVA_INT_UNALIGNED.withOrder(OTHER);
    private static final ValueLayout.OfLong OTHER_LONG = JAVA_LONG_UNALIGNED.withOrder(OTHER);

    private MemorySegment a;
    private MemorySegment b;
    private long addressOfA;
    private long addressOfB;
    private ByteBuffer nioA;
    private ByteBuffer nioB;
    private UnsafeBuffer agronaA;
    private UnsafeBuffer agronaB;

    /** Checks the operation that is to be timed, by plain loops. */
    @Setup
    public void prepare(BenchmarkParams params) {
        a = Arena.global().allocate(size, 4096);
        b = Arena.global().allocate(size, 4096);
        addressOfA = a.address();
        addressOfB = b.address();
        nioA = a.asByteBuffer();
        nioB = b.asByteBuffer();
        agronaA = new UnsafeBuffer(nioA);
        agronaB = new UnsafeBuffer(nioB);
        switch (Check.nameOf(params)) {
            case "copyFfm" -> expectCopied(this::copyFfm, 1, b);
            case "copyUnsafe" -> expectCopied(this::copyUnsafe, 1, b);
            case "copyAgrona" -> expectCopied(this::copyAgrona, 1, b);
            case "fillFfm" -> expectFilled(this::fillFfm);
            case "fillUnsafe" -> expectFilled(this::fillUnsafe);
            case "fillAgrona" -> expectFilled(this::fillAgrona);
            case "compareFfm" -> expectOrder(this::compareFfm);
            case "compareNio" -> expectOrder(this::compareNio);
            case "compareAgrona" -> expectOrder(this::compareAgrona);
            case "mismatchFfm" -> expectMismatch(this::mismatchFfm);
            case "mismatchNio" -> expectMismatch(this::mismatchNio);
            case "swap2Ffm" -> expectCopied(this::swap2Ffm, 2, b);
            case "swap4Ffm" -> expectCopied(this::swap4Ffm, 4, b);
            case "swap8Ffm" -> expectCopied(this::swap8Ffm, 8, b);
            case "swapHere2Ffm" -> expectCopied(this::swapHere2Ffm, 2, a);
            case "swapHere4Ffm" -> expectCopied(this::swapHere4Ffm, 4, a);
            case "swapHere8Ffm" -> expectCopied(this::swapHere8Ffm, 8, a);
            default -> throw Check.unknown(params);
        }
    }

    private static byte contents(long at) {
        return (byte) (at * 7 + (at >>> 8));
    }

    private void write(MemorySegment memory) {
        for (long at = 0; at < size; at++) {
            memory.set(JAVA_BYTE, at, contents(at));
        }
    }

    private void expectCopied(Runnable copy, int width, MemorySegment target) {
        write(a);
        if (target != a) {
            target.fill((byte) 0);
        }
        copy.run();
        for (long at = 0; at < size; at++) {
            long from = at - at % width + (width - 1 - at % width);
            Check.that(target.get(JAVA_BYTE, at) == contents(width == 1 ? at : from), "byte " + at + " after a copy");
        }
    }

    private void expectFilled(Runnable fill) {
        write(a);
        fill.run();
        Check.that(Memories.holds(a, FILL), "a byte after a fill");
    }

    /** Afterwards the two differ in their last bytes alone, so that all is looked at. NIO compares signed bytes, the others unsigned ones. */
    private void makeDiffer() {
        a.set(JAVA_BYTE, size - 1, (byte) 1);
        b.set(JAVA_BYTE, size - 1, (byte) 3);
    }

    private void expectOrder(IntSupplier compare) {
        write(a);
        write(b);
        Check.that(compare.getAsInt() == 0, "the order of equal bytes");
        makeDiffer();
        Check.that(compare.getAsInt() < 0, "the order of the last bytes");
    }

    private void expectMismatch(LongSupplier mismatch) {
        write(a);
        write(b);
        Check.that(mismatch.getAsLong() == -1, "equal bytes have no first that differs");
        makeDiffer();
        Check.that(mismatch.getAsLong() == size - 1, "the index of the last byte");
    }

    // === Copy, fill ===

    @Benchmark
    public void copyFfm() {
        MemorySegment.copy(a, 0, b, 0, size);
    }

    @Benchmark
    public void copyUnsafe() {
        UNSAFE.copyMemory(addressOfA, addressOfB, size);
    }

    @Benchmark
    public void copyAgrona() {
        agronaB.putBytes(0, agronaA, 0, size);
    }

    @Benchmark
    public void fillFfm() {
        a.fill(FILL);
    }

    @Benchmark
    public void fillUnsafe() {
        UNSAFE.setMemory(addressOfA, size, FILL);
    }

    @Benchmark
    public void fillAgrona() {
        agronaA.setMemory(0, size, FILL);
    }

    // === Compare, mismatch ===

    @Benchmark
    public int compareFfm() {
        long at = a.mismatch(b);
        return at < 0 ? 0 : Byte.compareUnsigned(a.get(JAVA_BYTE, at), b.get(JAVA_BYTE, at));
    }

    @Benchmark
    public int compareNio() {
        return nioA.compareTo(nioB);
    }

    @Benchmark
    public int compareAgrona() {
        return agronaA.compareTo(agronaB);
    }

    @Benchmark
    public long mismatchFfm() {
        return a.mismatch(b);
    }

    @Benchmark
    public long mismatchNio() {
        return nioA.mismatch(nioB);
    }

    // === Byte order ===

    @Benchmark
    public void swap2Ffm() {
        MemorySegment.copy(a, JAVA_SHORT_UNALIGNED, 0, b, OTHER_SHORT, 0, size / 2);
    }

    @Benchmark
    public void swap4Ffm() {
        MemorySegment.copy(a, JAVA_INT_UNALIGNED, 0, b, OTHER_INT, 0, size / 4);
    }

    @Benchmark
    public void swap8Ffm() {
        MemorySegment.copy(a, JAVA_LONG_UNALIGNED, 0, b, OTHER_LONG, 0, size / 8);
    }

    @Benchmark
    public void swapHere2Ffm() {
        MemorySegment.copy(a, JAVA_SHORT_UNALIGNED, 0, a, OTHER_SHORT, 0, size / 2);
    }

    @Benchmark
    public void swapHere4Ffm() {
        MemorySegment.copy(a, JAVA_INT_UNALIGNED, 0, a, OTHER_INT, 0, size / 4);
    }

    @Benchmark
    public void swapHere8Ffm() {
        MemorySegment.copy(a, JAVA_LONG_UNALIGNED, 0, a, OTHER_LONG, 0, size / 8);
    }
}
