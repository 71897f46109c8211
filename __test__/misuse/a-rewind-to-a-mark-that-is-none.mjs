// rewind() to a stale mark, one of another arena, a forged one; mark() and rewind() of what is no arena. Nothing is rewound.
// expect: exit=0 code=ERR_INVALID_ARG_VALUE,ERR_INVALID_ARG_TYPE,ERR_OFFHEAP_NOT_SUPPORTED,ERR_OFFHEAP_IN_USE
// message: The argument 'mark' must be of this arena, and taken since its last reset. Received an instance of Mark
import { AdvancedMemoryAllocator, MIB, TYPES, finish, open, refuses, same } from './_allocators.mjs';
import { NO_BYTES } from './_values.mjs';

const [arena, other] = [open('arena'), AdvancedMemoryAllocator.getInstance('other', 'arena', MIB)];
const stale = arena.mark();
arena.reset();
const memory = arena.allocate(64).fill(7);
const [outer, inner] = [arena.mark(), (arena.allocate(8), arena.mark())];
arena.allocate(8);
arena.rewind(outer);
refuses('ERR_INVALID_ARG_VALUE', () => arena.rewind(stale), () => arena.rewind(inner), () => arena.rewind(other.mark()), () => other.rewind(outer));
for (const mark of [...NO_BYTES, Object.create(outer), { ...outer }, new Proxy(outer, {}), structuredClone(outer), Object.create(Object.getPrototypeOf(outer))]) {
  refuses('ERR_INVALID_ARG_TYPE', () => arena.rewind(mark));
}
for (const type of TYPES) if (type !== 'arena') refuses('ERR_OFFHEAP_NOT_SUPPORTED', () => open(type).mark(), () => open(type).rewind(outer));
const pin = memory.pin();
refuses('ERR_OFFHEAP_IN_USE', () => arena.rewind(outer), () => arena.reset());
pin[Symbol.dispose]();
same(memory.getUint8(63), 7, 'nothing was rewound');
finish({ live: [[other, []], ...TYPES.map((type) => [open(type), type === 'arena' ? [memory] : []])] });
