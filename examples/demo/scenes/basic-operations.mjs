// @ts-check
import { DirectMemoryManager } from 'offheap';
import { addressText } from '../printer.mjs';

const MIB = 1 << 20;
const LABEL = 'demo: first block';

/** @type {import('../types.js').Scene} */
export const basicOperations = {
  name: 'basic operations',
  about: 'allocate, write, read back, free',
  run({ ledger, checks, facts, printer }) {
    const block = ledger.allocate(MIB, 'word', { label: LABEL });
    const { id, address } = block;
    facts.actualSize = block.actualSize;
    checks.that('allocateMemory: a live block of the size that was asked', block.isValid() && block.size === MIB && block.actualSize >= MIB, {
      bytes: block.size,
      result: addressText(address),
    });
    checks.equal('it is in the statistics, with its label', DirectMemoryManager.getAllocatedBlocks().find((row) => row.id === id)?.label, LABEL);

    DirectMemoryManager.setMemory(block, 0, MIB, 0xa5);
    const plain = Buffer.alloc(MIB, 0xa5);
    checks.that('setMemory 0xA5: every byte, read through a view', plain.equals(block.bytes()), { bytes: MIB });
    block.fill(-1, 100, 50);
    plain.fill(255, 100, 150);
    checks.that('fill a part with -1: its bytes are 255, others as before', plain.equals(block.bytes()), { bytes: 50 });
    DirectMemoryManager.zeroMemory(block);
    checks.that('zeroMemory: every byte is 0', plain.fill(0).equals(block.bytes()), { bytes: MIB });

    for (const littleEndian of [true, false]) numbers(block, checks, littleEndian);
    const greeting = Buffer.from('Grüße von außerhalb des Heaps ☂');
    greeting.copy(block.bytes());
    checks.equal('text() decodes UTF-8', block.text(0, greeting.length), greeting.toString(), { bytes: greeting.length });

    const zeroed = ledger.allocate(MIB, 'cache-line', { zeroed: true });
    checks.that('{ zeroed: true } gives zeros', plain.equals(zeroed.bytes()), { bytes: MIB });
    const copy = ledger.from(greeting);
    checks.that('MemoryBlock.from copies bytes off the heap', copy.equals(greeting) && greeting.equals(copy.copyOut()), { bytes: copy.size });

    printer.note(String(block));
    for (const each of [block, zeroed, copy]) ledger.free(each);
    checks.equal('freeMemory: none of the three is valid any more', [block, zeroed, copy].map((each) => each.isValid()), [false, false, false]);
    checks.equal('a freed handle still tells who it was', [block.id, block.address, block.size, block.freed], [id, address, MIB, true]);
  },
};

/**
 * What each typed setter wrote, read through a DataView and by the getter.
 * @param {import('offheap').MemoryBlock} block
 * @param {import('../checks.mjs').Checks} checks
 * @param {boolean} littleEndian
 */
function numbers(block, checks, littleEndian) {
  const data = block.view(DataView, 0, 64);
  block.setInt8(1, -2);
  block.setUint8(2, 254);
  block.setInt16(4, -12_345, littleEndian);
  block.setUint16(6, 54_321, littleEndian);
  block.setInt32(8, -1_234_567_890, littleEndian);
  block.setUint32(12, 3_456_789_012, littleEndian);
  block.setFloat32(16, 1.5, littleEndian);
  block.setFloat64(24, Math.PI, littleEndian);
  block.setBigInt64(32, -(2n ** 61n), littleEndian);
  block.setBigUint64(41, 2n ** 63n + 1n, littleEndian); // accessors need no alignment
  const read = (/** @type {DataView | import('offheap').MemoryBlock} */ from) => [
    from.getInt8(1),
    from.getUint8(2),
    from.getInt16(4, littleEndian),
    from.getUint16(6, littleEndian),
    from.getInt32(8, littleEndian),
    from.getUint32(12, littleEndian),
    from.getFloat32(16, littleEndian),
    from.getFloat64(24, littleEndian),
    from.getBigInt64(32, littleEndian),
    from.getBigUint64(41, littleEndian),
  ];
  const written = [-2, 254, -12_345, 54_321, -1_234_567_890, 3_456_789_012, 1.5, Math.PI, -(2n ** 61n), 2n ** 63n + 1n];
  const order = littleEndian ? 'little' : 'big';
  checks.equal(`10 typed accessors, ${order}-endian: as DataView reads them`, [read(data), read(block)], [written, written]);
}
