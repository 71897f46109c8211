package offheap.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** A thousand pieces of 64 bytes whose handles are kept, and then all end at once. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Arenas {
    private static final int PIECES = 1000;
    private static final int SIZE = 64;

    private final MemorySegment[] kept = new MemorySegment[PIECES];
    private final MemorySegment slab = Arena.global().allocate(PIECES * SIZE, 64);

    @Setup
    public void check() {
        ffmSlicing();
        for (int i = 0; i < PIECES; i++) {
            Check.that(kept[i].byteSize() == SIZE && kept[i].address() == slab.address() + (long) i * SIZE, "where piece " + i + " lies");
        }
        ffmAllocateEach();
        for (MemorySegment piece : kept) {
            Check.that(!piece.scope().isAlive() && piece.byteSize() == SIZE, "a piece outlives its arena");
        }
    }

    @Benchmark
    @OperationsPerInvocation(PIECES)
    public void ffmSlicing() {
        SegmentAllocator allocator = SegmentAllocator.slicingAllocator(slab);
        for (int i = 0; i < PIECES; i++) {
            kept[i] = allocator.allocate(SIZE);
        }
    }

    /** A fresh slab each time, zeroed as the JDK zeroes it. */
    @Benchmark
    @OperationsPerInvocation(PIECES)
    public void ffmSlicingFreshSlab() {
        try (Arena arena = Arena.ofConfined()) {
            SegmentAllocator allocator = SegmentAllocator.slicingAllocator(arena.allocate(PIECES * SIZE, 64));
            for (int i = 0; i < PIECES; i++) {
                kept[i] = allocator.allocate(SIZE);
            }
        }
    }

    @Benchmark
    @OperationsPerInvocation(PIECES)
    public void ffmAllocateEach() {
        try (Arena arena = Arena.ofConfined()) {
            for (int i = 0; i < PIECES; i++) {
                MemorySegment piece = arena.allocate(SIZE);
                piece.set(JAVA_BYTE, 0, (byte) 1);
                kept[i] = piece;
            }
        }
    }
}
