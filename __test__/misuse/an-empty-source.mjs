// A block cannot be made of no bytes.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { MemoryBlock, finish, refuses } from './_expect.mjs';

for (const bytes of [new Uint8Array(0), new ArrayBuffer(0), Buffer.alloc(0), new DataView(new ArrayBuffer(4), 4), new Float64Array(0)]) {
  refuses('ERR_OUT_OF_RANGE', () => MemoryBlock.from(bytes));
}
finish();
