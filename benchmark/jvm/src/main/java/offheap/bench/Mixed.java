package offheap.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static offheap.bench.Native.UNSAFE;

import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * 200 memories are alive; one of them, in random order, is freed, one of another size allocated in its place, and its first byte written.
 * Orders and sizes are those of benchmark/_scenarios.mjs, number by number. What is alive at the end of a fork is left to its end.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Mixed {
    private static final int ALIVE = 200;
    private static final int LENGTH = 16_384;
    private static final int[][] WEB = {
        {15, 12}, {64, 1}, {256, 25}, {635, 12}, {1024, 34}, {2048, 3}, {4574, 1}, {8447, 1}, {16_639, 11}};

    @Param({"web", "log"})
    public String pattern;

    private final int[] slots = new int[LENGTH];
    private final int[] sizes = new int[LENGTH];
    private int random = 0x9E3779B9;
    private int turn;

    private final Arena[] arenas = new Arena[ALIVE];
    private final MemorySegment[] segments = new MemorySegment[ALIVE];
    private final long[] addresses = new long[ALIVE];
    private final ByteBuf[] buffers = new ByteBuf[ALIVE];
    private final ByteBufAllocator pooled = PooledByteBufAllocator.DEFAULT;
    private final ByteBufAllocator adaptive = new AdaptiveByteBufAllocator(true, true);

    private long next() {
        random ^= random << 13;
        random ^= random >>> 17;
        random ^= random << 5;
        return Integer.toUnsignedLong(random);
    }

    private static int webSize(long number) {
        long weights = 0;
        for (int[] row : WEB) {
            weights += row[1];
            if (weights > number % 100) {
                return row[0];
            }
        }
        throw new IllegalStateException("the weights sum to 100");
    }

    /** Fills what the one that is to be timed works on, does a round of it, and looks whether all is well. Only of that one, as in {@link Pairs}. */
    @Setup
    public void prepare(BenchmarkParams params) {
        boolean web = pattern.equals("web");
        for (int i = 0; i < LENGTH; i++) {
            slots[i] = (int) (next() % ALIVE);
            if (web) {
                sizes[i] = webSize(next());
            } else {
                int base = 16 << (next() % 12);
                sizes[i] = base + (int) (next() % base);
            }
        }
        Check.that(slots[0] == 73 && sizes[0] == (web ? 1024 : 1850), "the first number");
        Check.that(Arrays.stream(sizes).asLongStream().sum() == (web ? 40_483_308L : 133_018_421L), "the sum of all sizes");
        switch (Check.nameOf(params)) {
            case "ffmConfined" -> prepareArenas();
            case "ffmMalloc" -> prepareSegments();
            case "unsafe" -> prepareAddresses();
            case "nettyPooled", "nettyPooledZeroed" -> prepareBuffers(pooled);
            case "nettyAdaptive", "nettyAdaptiveZeroed" -> prepareBuffers(adaptive);
            default -> throw Check.unknown(params);
        }
    }

    /** Fills all places, and then replaces them for a round. Returns what size each has. */
    private int[] round(IntConsumer fill, Runnable replace) {
        int[] now = Arrays.copyOf(sizes, ALIVE);
        for (int i = 0; i < ALIVE; i++) {
            fill.accept(i);
        }
        for (int i = 0; i < LENGTH; i++) {
            replace.run();
            now[slots[i]] = sizes[i];
        }
        return now;
    }

    private void prepareArenas() {
        round(at -> {
            arenas[at] = Arena.ofConfined();
            arenas[at].allocate(sizes[at]);
        }, this::ffmConfined);
        Check.that(Arrays.stream(arenas).allMatch(arena -> arena.scope().isAlive()), "an arena is closed");
    }

    private void prepareSegments() {
        int[] now = round(at -> segments[at] = Native.malloc(sizes[at]), this::ffmMalloc);
        expectStamped(at -> segments[at], now);
    }

    private void prepareAddresses() {
        int[] now = round(at -> addresses[at] = UNSAFE.allocateMemory(sizes[at]), this::unsafe);
        expectStamped(at -> Native.at(addresses[at], now[at]), now);
    }

    private void prepareBuffers(ByteBufAllocator allocator) {
        int[] now = round(at -> buffers[at] = allocator.directBuffer(sizes[at], sizes[at]), () -> netty(allocator, false));
        expectStamped(at -> Native.of(buffers[at].nioBuffer(0, now[at])), now);
    }

    /** Each of 200 has the size that it should, and keeps what is written all over it. */
    private static void expectStamped(IntFunction<MemorySegment> memory, int[] now) {
        for (int i = 0; i < ALIVE; i++) {
            Check.that(memory.apply(i).byteSize() == now[i], "the size of a memory");
            memory.apply(i).fill((byte) i);
        }
        for (int i = 0; i < ALIVE; i++) {
            Check.that(Memories.holds(memory.apply(i), (byte) i), "two memories share a byte");
        }
    }

    private int index() {
        return turn++ & LENGTH - 1;
    }

    @Benchmark
    public void ffmConfined() {
        int at = index();
        int slot = slots[at];
        arenas[slot].close();
        Arena arena = Arena.ofConfined();
        arena.allocate(sizes[at]).set(JAVA_BYTE, 0, (byte) 1);
        arenas[slot] = arena;
    }

    @Benchmark
    public void ffmMalloc() {
        int at = index();
        int slot = slots[at];
        Native.free(segments[slot]);
        MemorySegment segment = Native.malloc(sizes[at]);
        segment.set(JAVA_BYTE, 0, (byte) 1);
        segments[slot] = segment;
    }

    @Benchmark
    public void unsafe() {
        int at = index();
        int slot = slots[at];
        UNSAFE.freeMemory(addresses[slot]);
        long address = UNSAFE.allocateMemory(sizes[at]);
        UNSAFE.putByte(address, (byte) 1);
        addresses[slot] = address;
    }

    @Benchmark
    public void nettyPooled() {
        netty(pooled, false);
    }

    @Benchmark
    public void nettyAdaptive() {
        netty(adaptive, false);
    }

    @Benchmark
    public void nettyPooledZeroed() {
        netty(pooled, true);
    }

    @Benchmark
    public void nettyAdaptiveZeroed() {
        netty(adaptive, true);
    }

    private void netty(ByteBufAllocator allocator, boolean zeroed) {
        int at = index();
        int slot = slots[at];
        int size = sizes[at];
        buffers[slot].release();
        ByteBuf buffer = allocator.directBuffer(size, size);
        if (zeroed) {
            buffer.setZero(0, size);
        }
        buffer.setByte(0, 1);
        buffers[slot] = buffer;
    }
}
