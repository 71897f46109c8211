package offheap.bench;

import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The threads that JMH measures in: of the kind that Netty's event loops are, for to others it gives no cache. */
public final class EventLoopThreads extends ThreadPoolExecutor {
    /** As JMH makes executors that are named to it. */
    public EventLoopThreads(int threads, String prefix) {
        super(threads, threads, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), new DefaultThreadFactory(prefix));
    }
}
