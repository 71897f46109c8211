package offheap.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static offheap.bench.Native.UNSAFE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Numbers of 32 bits of a memory of 64 KiB, read and written in random order. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Access {
    private static final int COUNT = 4096;
    private static final int SIZE = 65_536;
    private static final ValueLayout.OfInt OTHER =
        JAVA_INT.withOrder(ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);

    private final int[] offsets = new int[COUNT];
    private final MemorySegment segment = Arena.global().allocate(SIZE, 64);
    private final ByteBuffer buffer = segment.asByteBuffer().order(ByteOrder.nativeOrder());
    private final long address = segment.address();

    @Setup
    public void prepare() {
        int random = 0x9E3779B9;
        int sum = 0;
        int swapped = 0;
        for (int i = 0; i < SIZE / 4; i++) {
            segment.set(JAVA_INT, 4L * i, i * 0x01030507);
        }
        for (int i = 0; i < COUNT; i++) {
            random ^= random << 13;
            random ^= random >>> 17;
            random ^= random << 5;
            offsets[i] = random >>> 18 << 2;
            sum += (offsets[i] >> 2) * 0x01030507;
            swapped += Integer.reverseBytes((offsets[i] >> 2) * 0x01030507);
        }
        Check.that(getFfm() == sum && getUnsafe() == sum && getNio() == sum && getFfmOther() == swapped, "a sum of numbers");
        checkWrites();
        for (int i = 0; i < SIZE / 4; i++) {
            segment.set(JAVA_INT, 4L * i, i * 0x01030507);
        }
    }

    private void checkWrites() {
        for (Runnable write : new Runnable[] {this::setFfm, this::setUnsafe, this::setNio}) {
            segment.fill((byte) 0xff);
            write.run();
            for (int offset : offsets) {
                Check.that(segment.get(JAVA_INT, offset) >= 0, "a number that was not written");
            }
            Check.that(segment.get(JAVA_INT, offsets[COUNT - 1]) == COUNT - 1, "the last number");
        }
    }

    @Benchmark
    @OperationsPerInvocation(COUNT)
    public int getFfm() {
        int sum = 0;
        for (int offset : offsets) {
            sum += segment.get(JAVA_INT, offset);
        }
        return sum;
    }

    @Benchmark
    @OperationsPerInvocation(COUNT)
    public int getFfmOther() {
        int sum = 0;
        for (int offset : offsets) {
            sum += segment.get(OTHER, offset);
        }
        return sum;
    }

    @Benchmark
    @OperationsPerInvocation(COUNT)
    public int getUnsafe() {
        int sum = 0;
        for (int offset : offsets) {
            sum += UNSAFE.getInt(address + offset);
        }
        return sum;
    }

    @Benchmark
    @OperationsPerInvocation(COUNT)
    public int getNio() {
        int sum = 0;
        for (int offset : offsets) {
            sum += buffer.getInt(offset);
        }
        return sum;
    }

    @Benchmark
    @OperationsPerInvocation(COUNT)
    public void setFfm() {
        for (int i = 0; i < COUNT; i++) {
            segment.set(JAVA_INT, offsets[i], i);
        }
    }

    @Benchmark
    @OperationsPerInvocation(COUNT)
    public void setUnsafe() {
        for (int i = 0; i < COUNT; i++) {
            UNSAFE.putInt(address + offsets[i], i);
        }
    }

    @Benchmark
    @OperationsPerInvocation(COUNT)
    public void setNio() {
        for (int i = 0; i < COUNT; i++) {
            buffer.putInt(offsets[i], i);
        }
    }
}
