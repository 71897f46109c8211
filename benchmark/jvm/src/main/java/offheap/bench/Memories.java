package offheap.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/** What is so of memory that was just allocated, whoever gave it. */
final class Memories {
    private Memories() {
    }

    /** Two memories that live at the same time: each has its size, and keeps what is written to it. */
    static void expectApart(MemorySegment one, MemorySegment other, long size) {
        Check.that(one.byteSize() == size && other.byteSize() == size, "the size of a memory");
        one.fill((byte) 1);
        other.fill((byte) 2);
        Check.that(holds(one, (byte) 1) && holds(other, (byte) 2), "two memories share a byte");
    }

    static void expectZeroed(MemorySegment memory) {
        Check.that(holds(memory, (byte) 0), "a byte is not zero");
    }

    static boolean holds(MemorySegment memory, byte value) {
        for (long at = 0; at < memory.byteSize(); at++) {
            if (memory.get(JAVA_BYTE, at) != value) {
                return false;
            }
        }
        return true;
    }
}
