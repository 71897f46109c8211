package offheap.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.BenchmarkParams;

/** Acquire 1 KiB, write its first byte, store the handle, release. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Pools {
    private static final int SIZE = 1024;

    private final Object[] handles = new Object[64];
    private int turn;
    private final ArrayDeque<MemorySegment> deque = new ArrayDeque<>();
    private final ByteBufAllocator pooled = PooledByteBufAllocator.DEFAULT;
    private final ByteBufAllocator adaptive = new AdaptiveByteBufAllocator(true, true);

    @Setup
    public void prepare(BenchmarkParams params) {
        switch (Check.nameOf(params)) {
            case "segments" -> fillDeque();
            case "nettyPooled" -> check(pooled);
            case "nettyAdaptive" -> check(adaptive);
            default -> throw Check.unknown(params);
        }
    }

    private void fillDeque() {
        for (int i = 0; i < 50; i++) {
            deque.push(Arena.global().allocate(SIZE));
        }
        MemorySegment one = deque.pop();
        Memories.expectApart(one, deque.peek(), SIZE);
        deque.push(one);
    }

    private static void check(ByteBufAllocator allocator) {
        ByteBuf one = allocator.directBuffer(SIZE, SIZE);
        ByteBuf other = allocator.directBuffer(SIZE, SIZE);
        Memories.expectApart(Native.of(one.nioBuffer(0, SIZE)), Native.of(other.nioBuffer(0, SIZE)), SIZE);
        Check.that(one.release() && other.release(), "a buffer has another holder");
    }

    @Benchmark
    public void segments() {
        MemorySegment segment = deque.pop();
        segment.set(JAVA_BYTE, 0, (byte) 1);
        handles[turn++ & 63] = segment;
        deque.push(segment);
    }

    @Benchmark
    public void nettyPooled() {
        netty(pooled);
    }

    @Benchmark
    public void nettyAdaptive() {
        netty(adaptive);
    }

    private void netty(ByteBufAllocator allocator) {
        ByteBuf buffer = allocator.directBuffer(SIZE, SIZE);
        buffer.setByte(0, 1);
        handles[turn++ & 63] = buffer;
        buffer.release();
    }
}
