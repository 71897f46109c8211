// Entries of DirectMemoryManager and MemoryBlock, and of what AllocatedMemory has in common with a block.
import { inspect } from 'node:util';
import { AdvancedMemoryAllocator, AllocatedMemory, DirectMemoryManager as dmm, MemoryBlock, OffHeapError } from '../../../dist/index.js';
import { check, same } from '../_refuses.mjs';
import { entriesOf } from './calls.mjs';

const KINDS = ['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64', 'BigInt64', 'BigUint64'];
const ATOMICS = ['Store', 'Add', 'And', 'Or', 'Xor', 'Exchange'];

/** What every piece of memory can do. `keepView(view, handle)`; `died` of a handle that was freed. */
export function memoryMethods(a, truth, keepView) {
  const keep = (view, args, self) => keepView(view, self);
  const table = {
    isValid: {},
    getAgeMs: {},
    id: {},
    size: {},
    address: {},
    label: {},
    toString: {},
    fill: { args: [a.byte, a.offset, a.length] },
    copyTo: { args: [a.target, a.offset, a.offset, a.length] },
    equals: { args: [a.operand] },
    bytes: { args: [a.offset, a.length], after: keep },
    view: { args: [a.constructor, a.offset, a.length], after: keep },
    copyOut: { args: [a.offset, a.length] },
    text: { args: [a.offset, a.length, a.encoding] },
    pin: { args: [], after: (pin, _, self) => truth.entryOf(self).pins.push(pin) },
    lease: { args: [a.use], throwsTheirs: true },
    free: { after: (_, __, self) => truth.died(self) },
    atomicLoad: { args: [a.atomicType, a.word] },
    atomicCompareExchange: { args: [a.atomicType, a.word, a.number, a.number] },
    waitAsync: { args: [a.word, a.number, a.brief(a.few)], after: (result) => check(['not-equal', 'timed-out'].includes(result), 'a wait') },
    notify: { args: [a.word, a.oneOf(undefined, 0, 1, Infinity)], after: (result) => same(result, 0, 'nobody waits while somebody is notified') },
    [Symbol.dispose]: { after: (_, __, self) => truth.entryOf(self).isLive && truth.died(self) },
    [inspect.custom]: { args: [a.few, () => ({}), () => inspect] },
  };
  for (const name of ATOMICS) table[`atomic${name}`] = { args: [a.atomicType, a.word, a.number] };
  for (const kind of KINDS) {
    table[`get${kind}`] = { args: [a.offset, a.littleEndian] };
    table[`set${kind}`] = { args: [a.offset, kind.startsWith('Big') ? a.bigint : a.value, a.littleEndian] };
  }
  return table;
}

export function blockEntries(a, truth, keepView) {
  const { adopt, tokens } = truth;
  const table = {
    ...memoryMethods(a, truth, keepView),
    new: { isStatic: true, refuses: true, args: [a.size, a.size, a.size], call: (_, args) => new MemoryBlock(...args) },
    from: { isStatic: true, args: [a.target, a.alignment, a.options], after: (block) => adopt(block) },
    attach: {
      isStatic: true,
      args: [a.token],
      after: (block, [token]) => {
        const each = tokens.find((known) => known.token === token);
        check(each?.isOffered, 'a token is attached once');
        each.isOffered = false;
        adopt(block);
        truth.entryOf(block).isShared = true;
      },
    },
    share: {
      after: (token, _, self) => {
        truth.entryOf(self).isShared = true;
        tokens.push({ token, size: self.size, isOffered: true });
      },
    },
    toArrayBuffer: { after: (buffer, _, self) => keepView(buffer, self) },
    actualSize: {},
    alignment: {},
    allocatedTimestamp: {},
    freed: {},
    freedTimestamp: {},
  };
  return entriesOf(MemoryBlock, table, a.block);
}

export function managerEntries(a, truth, keepView) {
  const { adopt, died } = truth;
  const ended = (_, [first]) => died(first);
  const table = {
    new: { refuses: true, call: (_, args) => new dmm(...args), args: [a.size] },
    isAvailable: {},
    allocateMemory: { args: [a.size, a.alignment, a.options], after: (block) => adopt(block) },
    reallocateMemory: { args: [a.plainBlock, a.size], after: (result, [old]) => (died(old), adopt(result)) },
    freeMemory: { args: [a.plainBlock], after: ended },
    freeAllMemory: { rare: true, after: truth.sweptAll },
    setMemory: { args: [a.block, a.offset, a.count, a.byte] },
    zeroMemory: { args: [a.anyMemory] },
    copyMemory: { args: [a.operand, a.offset, a.target, a.offset, a.count, a.mode, a.elementSize] },
    compareMemory: { args: [a.operand, a.offset, a.operand, a.offset, a.count], after: (result) => check([-1, 0, 1].includes(result), 'a comparison') },
    mismatch: { args: [a.operand, a.offset, a.operand, a.offset, a.count] },
    copyMemoryAsync: { args: [a.operand, a.offset, a.target, a.offset, a.many, a.mode, a.elementSize, a.taskOptions] },
    fillAsync: { args: [a.anyMemory, a.offset, a.many, a.byte, a.taskOptions] },
    compareAsync: {
      args: [a.operand, a.offset, a.operand, a.offset, a.many, a.taskOptions],
      after: (result) => check([-1, 0, 1].includes(result), 'a comparison'),
    },
    createDirectByteBuffer: { args: [a.block, a.offset, a.length], after: (view, [block]) => keepView(view, block) },
    getDirectBufferAddress: { args: [a.operand] },
    getMemoryStats: {},
    getAllocatedBlocks: { rare: true },
    findPotentialLeaks: { args: [a.count], rare: true },
    setLimit: { args: [a.or(() => null)], after: () => dmm.setLimit(null) },
    trim: { rare: true },
  };
  for (const entry of Object.values(table)) entry.isStatic = true;
  return entriesOf(dmm, table, () => undefined);
}

/** Our own errors may be made by anybody; what a constructor of errors says to nonsense is the engine's. */
export function errorEntries(a) {
  const table = {
    new: { isStatic: true, isEngines: true, args: [a.label, a.label, a.options], call: (_, args) => new OffHeapError(...args) },
    [Symbol.hasInstance]: { isStatic: true, isEngines: true, args: [a.operand], call: (_, [value]) => value instanceof OffHeapError },
  };
  return entriesOf(OffHeapError, table, () => undefined);
}

export function allocatedEntries(a, truth, keepView) {
  const table = {
    ...memoryMethods(a, truth, keepView),
    new: { isStatic: true, refuses: true, args: [a.size, a.size, a.size], call: (_, args) => new AllocatedMemory(...args) },
    requestedSize: {},
    allocatedSize: {},
    offset: {},
    allocator: { after: (result) => check(result instanceof AdvancedMemoryAllocator, 'memory tells its allocator') },
  };
  return entriesOf(AllocatedMemory, table, a.memory);
}
