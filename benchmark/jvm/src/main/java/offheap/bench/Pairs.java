package offheap.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static offheap.bench.Native.UNSAFE;

import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.BenchmarkParams;

/** Allocate, write the first byte, store the handle into a table (so that the handle is really made), free. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Pairs {
    @Param({"64", "1024", "65536", "1048576"})
    public int size;

    private final Object[] handles = new Object[64];
    private final long[] addresses = new long[64];
    private int turn;
    private final ByteBufAllocator pooled = PooledByteBufAllocator.DEFAULT;
    private final ByteBufAllocator adaptive = new AdaptiveByteBufAllocator(true, true);

    private void keep(Object handle) {
        handles[turn++ & 63] = handle;
    }

    private void keep(long address) {
        addresses[turn++ & 63] = address;
    }

    /**
     * What the one that is to be timed gives is its own, as large as it should be, and zeroed where that is said. Only that one: the
     * compiler would learn from others.
     */
    @Setup
    public void check(BenchmarkParams params) {
        switch (Check.nameOf(params)) {
            case "ffmConfined" -> checkArena(Arena.ofConfined());
            case "ffmShared" -> checkArena(Arena.ofShared());
            case "ffmMalloc" -> checkMalloc();
            case "unsafe", "unsafeZeroed" -> checkUnsafe();
            case "nettyPooled", "nettyPooledZeroed" -> checkNetty(pooled);
            case "nettyAdaptive", "nettyAdaptiveZeroed" -> checkNetty(adaptive);
            default -> throw Check.unknown(params);
        }
    }

    private void checkArena(Arena arena) {
        try (arena) {
            MemorySegment one = arena.allocate(size);
            Memories.expectZeroed(one);
            Memories.expectApart(one, arena.allocate(size), size);
        }
    }

    private void checkMalloc() {
        MemorySegment one = Native.malloc(size);
        MemorySegment other = Native.malloc(size);
        Memories.expectApart(one, other, size);
        Native.free(one);
        Native.free(other);
    }

    private void checkUnsafe() {
        long one = UNSAFE.allocateMemory(size);
        long other = UNSAFE.allocateMemory(size);
        Memories.expectApart(Native.at(one, size), Native.at(other, size), size);
        UNSAFE.setMemory(one, size, (byte) 0);
        Memories.expectZeroed(Native.at(one, size));
        UNSAFE.freeMemory(one);
        UNSAFE.freeMemory(other);
    }

    private void checkNetty(ByteBufAllocator allocator) {
        ByteBuf one = allocator.directBuffer(size, size);
        ByteBuf other = allocator.directBuffer(size, size);
        MemorySegment bytes = Native.of(one.nioBuffer(0, size));
        Memories.expectApart(bytes, Native.of(other.nioBuffer(0, size)), size);
        one.setZero(0, size);
        Memories.expectZeroed(bytes);
        Check.that(one.release() && other.release(), "a buffer has another holder");
    }

    // === Zeroed ===

    @Benchmark
    public void ffmConfined() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(size);
            segment.set(JAVA_BYTE, 0, (byte) 1);
            keep(segment);
        }
    }

    @Benchmark
    public void ffmShared() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment segment = arena.allocate(size);
            segment.set(JAVA_BYTE, 0, (byte) 1);
            keep(segment);
        }
    }

    @Benchmark
    public void unsafeZeroed() {
        long address = UNSAFE.allocateMemory(size);
        UNSAFE.setMemory(address, size, (byte) 0);
        UNSAFE.putByte(address, (byte) 1);
        keep(address);
        UNSAFE.freeMemory(address);
    }

    @Benchmark
    public void nettyPooledZeroed() {
        ByteBuf buffer = pooled.directBuffer(size, size);
        buffer.setZero(0, size);
        buffer.setByte(0, 1);
        keep(buffer);
        buffer.release();
    }

    @Benchmark
    public void nettyAdaptiveZeroed() {
        ByteBuf buffer = adaptive.directBuffer(size, size);
        buffer.setZero(0, size);
        buffer.setByte(0, 1);
        keep(buffer);
        buffer.release();
    }

    // === Uninitialised ===

    @Benchmark
    public void ffmMalloc() {
        MemorySegment segment = Native.malloc(size);
        segment.set(JAVA_BYTE, 0, (byte) 1);
        keep(segment);
        Native.free(segment);
    }

    @Benchmark
    public void unsafe() {
        long address = UNSAFE.allocateMemory(size);
        UNSAFE.putByte(address, (byte) 1);
        keep(address);
        UNSAFE.freeMemory(address);
    }

    @Benchmark
    public void nettyPooled() {
        ByteBuf buffer = pooled.directBuffer(size, size);
        buffer.setByte(0, 1);
        keep(buffer);
        buffer.release();
    }

    @Benchmark
    public void nettyAdaptive() {
        ByteBuf buffer = adaptive.directBuffer(size, size);
        buffer.setByte(0, 1);
        keep(buffer);
        buffer.release();
    }
}
