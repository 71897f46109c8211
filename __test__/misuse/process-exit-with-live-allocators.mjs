// process.exit() while allocators of every type hold memory that is plain, viewed, pinned, leased, marked and sent away.
// expect: exit=0 code=none
import { markAsUntransferable } from 'node:worker_threads';
import { MIB, TYPES, finish, open } from './_allocators.mjs';

finish();
for (const type of TYPES) {
  const list = Array.from({ length: 4 }, () => open(type).allocate(64).fill(7));
  list[0].bytes();
  list[1].pin();
  void list[2].lease(() => new Promise(() => {}));
  const { buffer } = open(type, MIB).allocate(8).bytes();
  if (type === 'slab') markAsUntransferable(buffer);
  else if (type !== 'arena') structuredClone(buffer, { transfer: [buffer] });
}
process.exit(0);
