// MemoryBlock.from with options whose getter takes the source away: transferred, or shrunk. Refused, and no block is left behind.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "length" is out of range. It must be >= 0 && <= 0. Received 64
import { MemoryBlock, finish, refuses } from './_expect.mjs';

function vanishing() {
  const buffer = new ArrayBuffer(64);
  const resizable = new ArrayBuffer(64, { maxByteLength: 128 });
  const away = () => structuredClone(buffer, { transfer: [buffer] });
  const shrink = () => resizable.resize(16);
  const gone = [buffer, new Uint8Array(buffer), new DataView(buffer, 8), Buffer.from(buffer), new Int32Array(buffer)].map((source) => [source, away]);
  return [...gone, ...[resizable, new Uint8Array(resizable), new Uint8Array(resizable, 32), new DataView(resizable)].map((source) => [source, shrink])];
}
for (const kind of vanishing().keys()) {
  for (const key of ['zeroed', 'label']) {
    const [source, change] = vanishing()[kind];
    const options = Object.defineProperty({}, key, { get: () => void change() });
    refuses('ERR_OUT_OF_RANGE', () => MemoryBlock.from(source, 'word', options));
  }
}
finish();
