package offheap.bench;

import org.openjdk.jmh.infra.BenchmarkParams;

/** What stops a benchmark before it is timed. */
final class Check {
    private Check() {
    }

    static void that(boolean condition, String what) {
        if (!condition) {
            throw new IllegalStateException("wrong result: " + what);
        }
    }

    /** Which of a class's methods is to be timed. */
    static String nameOf(BenchmarkParams params) {
        return params.getBenchmark().replaceFirst(".*\\.", "");
    }

    static IllegalStateException unknown(BenchmarkParams params) {
        return new IllegalStateException("nobody knows what " + params.getBenchmark() + " should do");
    }
}
