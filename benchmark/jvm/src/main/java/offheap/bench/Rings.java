package offheap.bench;

import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.MessageHandler;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.ManyToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.BenchmarkParams;

/** Messages of 256 bytes through rings of 1 MiB, written and read by one thread, one at a time. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Rings {
    private static final int SIZE = 256;
    private static final int TOTAL = (1 << 20) + RingBufferDescriptor.TRAILER_LENGTH;

    private final RingBuffer oneToOne = new OneToOneRingBuffer(new UnsafeBuffer(ByteBuffer.allocateDirect(TOTAL)));
    private final RingBuffer manyToOne = new ManyToOneRingBuffer(new UnsafeBuffer(ByteBuffer.allocateDirect(TOTAL)));
    private final MutableDirectBuffer message = new UnsafeBuffer(ByteBuffer.allocateDirect(SIZE));
    private final MessageHandler handler = this::read;
    private long sum;
    private long number;

    private void read(int type, DirectBuffer buffer, int index, int length) {
        sum += buffer.getLong(index) + length;
    }

    /** The one ring that is to be timed, as in {@link Pairs}. */
    @Setup
    public void check(BenchmarkParams params) {
        RingBuffer ring = params.getBenchmark().contains("oneToOne") ? oneToOne : manyToOne;
        for (int i = 0; i < 10_000; i++) {
            sum = 0;
            number = i;
            Check.that(write(ring) == i + 1 + SIZE, "what was written is not what is read");
            sum = 0;
            Check.that(claim(ring) == i + 2 + SIZE, "what was written in place is not what is read");
        }
    }

    private long write(RingBuffer ring) {
        message.putLong(0, ++number);
        ring.write(1, message, 0, SIZE);
        return readOne(ring);
    }

    /** At the end of the ring the first look finds the padding alone. */
    private long readOne(RingBuffer ring) {
        while (ring.read(handler) == 0) {
            Thread.onSpinWait();
        }
        return sum;
    }

    /** In place: 8 bytes of it are written. */
    private long claim(RingBuffer ring) {
        int index = ring.tryClaim(1, SIZE);
        ring.buffer().putLong(index, ++number);
        ring.commit(index);
        return readOne(ring);
    }

    @Benchmark
    public long oneToOneWrite() {
        return write(oneToOne);
    }

    @Benchmark
    public long oneToOneClaim() {
        return claim(oneToOne);
    }

    @Benchmark
    public long manyToOneWrite() {
        return write(manyToOne);
    }

    @Benchmark
    public long manyToOneClaim() {
        return claim(manyToOne);
    }
}
