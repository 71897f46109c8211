// Random programs against plain models (fast-check prints seed and path of a failure; `fc.assert(…, { seed, path })` repeats it):
// - after every step of a random sequence of allocate, free, reallocate, fill, copy, write, view, pin, trim and free-all, every live block
//   has the bytes, the size and the place of its model, every dead one refuses, and the statistics are those of the model
// - copies in every mode, compares, mismatches and sets of random ranges, overlapping or not, are the naive ones
// - typed accessors are those of a DataView at random places
import * as fc from 'fast-check';
import test from 'ava';
import { AlignmentMode, DirectMemoryManager as Manager, MemoryBlock } from '../index.js';
import type { Alignment, CopyMode, ElementSize } from '../index.js';
import { freeEverything } from './_settled.js';

test.afterEach.always('nothing stays', async (t) => {
  t.is(await freeEverything(), 0);
});

/** A block, and what it must hold; bytes nobody wrote are unknown until they are read the first time. */
interface Model {
  block: MemoryBlock;
  bytes: Buffer;
  views: ArrayBufferView[];
  pins: Disposable[];
}

/** A step that is about the model that `pick` chooses. */
type PickingStep =
  | { readonly do: 'free' | 'view' | 'pin' | 'unpin' | 'dispose'; readonly pick: number }
  | { readonly do: 'reallocate'; readonly pick: number; readonly size: number }
  | { readonly do: 'fill' | 'write'; readonly pick: number; readonly from: number; readonly part: number; readonly value: number }
  | { readonly do: 'copy'; readonly pick: number; readonly from: number; readonly part: number; readonly other: number; readonly to: number };
type Step =
  | PickingStep
  | { readonly do: 'allocate'; readonly size: number; readonly alignment: Alignment; readonly zeroed: boolean }
  | { readonly do: 'trim' }
  | { readonly do: 'freeAll' };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const pick = fc.nat();
const sizes = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 3, arbitrary: fc.constantFrom(16, 64, 4096, 32_768, 32_769, 40_960) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 200_000 }) },
);
const alignments = fc.oneof(fc.constantFrom(...Object.values(AlignmentMode)), fc.nat({ max: 16 }).map((log2) => 2 ** log2));
const value = fc.integer({ min: -128, max: 255 });
const allocation = fc.record({ do: fc.constant('allocate' as const), size: sizes, alignment: alignments, zeroed: fc.boolean() });
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: allocation },
    { weight: 9, arbitrary: fc.record({ do: fc.constantFrom('free' as const, 'view' as const, 'pin' as const, 'unpin' as const, 'dispose' as const), pick }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('reallocate' as const), pick, size: sizes }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('fill' as const, 'write' as const), pick, from: share, part: share, value }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('copy' as const), pick, from: share, part: share, other: pick, to: share }) },
    { weight: 1, arbitrary: fc.constantFrom<Step>({ do: 'trim' }, { do: 'freeAll' }) },
  ),
  { minLength: 1, maxLength: 60, size: 'max' },
);

function expect(condition: boolean, about: string): asserts condition {
  if (!condition) throw new Error(about);
}

function codeOf(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

/** The library and its model side by side. */
class Run {
  readonly #live = new Map<number, Model>();
  readonly #start = Manager.getMemoryStats();
  readonly #ids = new Set<number>();
  #allocated = 0;
  #freed = 0;
  #peak = this.#start.peakAllocated;

  #choose(number: number): Model | undefined {
    const models = [...this.#live.values()];
    return models[number % models.length];
  }

  #add(block: MemoryBlock, bytes: Buffer): void {
    expect(!this.#ids.has(block.id), 'an id came twice');
    this.#ids.add(block.id);
    this.#live.set(block.id, { block, bytes, views: [], pins: [] });
    this.#allocated += block.size;
    this.#peak = Math.max(this.#peak, this.#allocated - this.#freed);
  }

  #remove({ block, views }: Model): void {
    this.#live.delete(block.id);
    this.#freed += block.size;
    for (const view of views) expect(view.buffer.byteLength === 0, 'a view outlived its block');
    for (const act of [() => block.getUint8(0), () => block.bytes(), () => Manager.zeroMemory(block)]) expect(codeOf(act) === 'ERR_OFFHEAP_USE_AFTER_FREE', 'used after free');
    expect(codeOf(() => block.free()) === 'ERR_OFFHEAP_DOUBLE_FREE', 'freed twice');
  }

  /** Ends a block, or must be refused because of pins. */
  #end(model: Model, act: () => void): boolean {
    const code = codeOf(act);
    expect(code === (model.pins.length > 0 ? 'ERR_OFFHEAP_IN_USE' : undefined), `${model.pins.length} pins: ${String(code)}`);
    if (code === undefined) this.#remove(model);
    return code === undefined;
  }

  take(step: Step): void {
    if (step.do === 'allocate') {
      const block = Manager.allocateMemory(step.size, step.alignment, { zeroed: step.zeroed });
      if (!step.zeroed) block.fill(this.#ids.size);
      if (typeof step.alignment === 'number') expect(block.address % BigInt(step.alignment) === 0n, 'misaligned');
      this.#add(block, Buffer.alloc(step.size, step.zeroed ? 0 : this.#ids.size));
    } else if (step.do === 'trim') Manager.trim();
    else if (step.do === 'freeAll') {
      const unpinned = [...this.#live.values()].filter(({ pins }) => pins.length === 0);
      expect(Manager.freeAllMemory() === unpinned.length, 'freeAllMemory counts');
      for (const model of unpinned) this.#remove(model);
    } else this.#act(step, this.#choose(step.pick));
    this.#check();
  }

  #act(step: PickingStep, model: Model | undefined): void {
    if (model === undefined) return;
    const { block, bytes, views, pins } = model;
    switch (step.do) {
      case 'free':
        return void this.#end(model, () => block.free());
      case 'dispose':
        return void this.#end(model, () => block[Symbol.dispose]());
      case 'view':
        return void views.push(block.bytes(), block.view(DataView), Manager.createDirectByteBuffer(block), new Uint8Array(block.toArrayBuffer()));
      case 'pin':
        return void pins.push(block.pin());
      case 'unpin':
        return pins.pop()?.[Symbol.dispose]();
      case 'reallocate':
        return this.#reallocate(model, step.size);
      default: {
        const from = Math.floor(step.from * bytes.length);
        const length = Math.floor(step.part * (bytes.length - from));
        if (step.do === 'copy') return this.#copy(model, from, length, this.#choose(step.other) ?? model, step.to);
        if (step.do === 'fill') Manager.setMemory(block, from, length, step.value);
        else if (views[0] instanceof Uint8Array) views[0].fill(step.value, from, from + length);
        else block.fill(step.value, from, length);
        bytes.fill(step.value & 0xff, from, from + length);
      }
    }
  }

  #reallocate(model: Model, size: number): void {
    let next: MemoryBlock | undefined;
    if (!this.#end(model, () => (next = Manager.reallocateMemory(model.block, size)))) return;
    const kept = Math.min(size, model.bytes.length);
    if (size > kept) next?.fill(0x77, kept);
    this.#add(next as MemoryBlock, Buffer.concat([model.bytes.subarray(0, kept), Buffer.alloc(size - kept, 0x77)]));
  }

  #copy(source: Model, from: number, length: number, target: Model, where: number): void {
    const to = Math.floor(where * target.bytes.length);
    const count = Math.min(length, target.bytes.length - to);
    Manager.copyMemory(source.block, from, target.block, to, count);
    target.bytes.set(Buffer.from(source.bytes.subarray(from, from + count)), to);
  }

  #check(): void {
    const live = [...this.#live.values()];
    for (const { block, bytes, views, pins } of live) {
      expect(block.isValid() && block.size === bytes.length, 'a live block is valid');
      expect(block.equals(bytes) && block.copyOut().equals(bytes), `contents of ${String(block)}`);
      for (const view of views) expect(Buffer.from(view.buffer as ArrayBuffer, 0, bytes.length).equals(bytes), 'contents of a view');
      expect(block.getUint8(bytes.length - 1) === bytes.at(-1), 'the last byte');
      if (pins.length > 0) expect(codeOf(() => block.free()) === 'ERR_OFFHEAP_IN_USE', 'a pin holds');
    }
    const stats = Manager.getMemoryStats();
    const current = live.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const shown = [stats.currentAllocated, stats.activeBlocks, stats.totalAllocated - stats.totalFreed, stats.peakAllocated];
    const expected = [current, live.length, current, this.#peak];
    expect(shown.join() === expected.join(), `stats ${shown.join()} are not ${expected.join()}`);
    const rows = Manager.getAllocatedBlocks().map(({ id, size, pinned }) => `${id} ${size} ${pinned}`);
    expect(rows.toSorted().join() === live.map(({ block, pins }) => `${block.id} ${block.size} ${pins.length > 0}`).toSorted().join(), 'rows');
  }

  end(): void {
    for (const { pins } of this.#live.values()) for (const pin of pins) pin[Symbol.dispose]();
    expect(Manager.freeAllMemory() === this.#live.size, 'all free at the end');
  }
}

test.serial('random programs of blocks are those of a plain map of bytes', (t) => {
  const program = fc.property(steps, (list) => {
    const run = new Run();
    try {
      for (const step of list) run.take(step);
      run.end();
    } finally {
      Manager.freeAllMemory();
    }
  });
  t.notThrows(() => fc.assert(program, { numRuns: 150, includeErrorInReport: true }));
});

const ways: fc.Arbitrary<readonly [CopyMode, ElementSize]> = fc.oneof(
  fc.constantFrom<readonly [CopyMode, ElementSize]>(['normal', 8], ['non-temporal', 8]),
  fc.constantFrom<ElementSize>(2, 4, 8, 16).map((width) => ['swap-endian', width] as const),
);

test.serial('random copies, also onto themselves, are copies through a temporary', (t) => {
  const property = fc.property(ways, fc.uint8Array({ minLength: 64, maxLength: 2000 }), share, share, share, fc.boolean(), ([mode, width], start, from, to, part, same) => {
    const block = MemoryBlock.from(start);
    const other = same ? block : Manager.allocateMemory(start.length, 'word', { zeroed: true });
    const model = Buffer.from(same ? start : Buffer.alloc(start.length));
    try {
      const [sourceOffset, targetOffset] = [Math.floor(from * start.length), Math.floor(to * start.length)];
      const room = start.length - Math.max(sourceOffset, targetOffset);
      const length = Math.floor(Math.floor(part * room) / width) * width;
      const moved = Buffer.from(start.subarray(sourceOffset, sourceOffset + length));
      if (mode === 'swap-endian') for (let at = 0; at < length; at += width) moved.subarray(at, at + width).reverse();
      model.set(moved, targetOffset);
      Manager.copyMemory(block, sourceOffset, other, targetOffset, length, mode, width);
      expect(other.copyOut().equals(model), 'the copy');
      if (!same) expect(block.copyOut().equals(Buffer.from(start)), 'the source is as it was');
    } finally {
      block.free();
      if (!same) other.free();
    }
  });
  t.notThrows(() => fc.assert(property, { numRuns: 2000, includeErrorInReport: true }));
});

test.serial('random compares and mismatches are those of a loop over bytes', (t) => {
  const property = fc.property(fc.uint8Array({ minLength: 1, maxLength: 600 }), fc.array(fc.tuple(pick, fc.nat({ max: 255 })), { maxLength: 3 }), share, share, fc.boolean(), (start, changes, skip, part, plain) => {
    const changed = Uint8Array.from(start);
    for (const [at, byte] of changes) changed[at % changed.length] = byte;
    const offset = Math.floor(skip * start.length);
    const length = Math.floor(part * (start.length - offset + 0.999));
    const [a, b] = [MemoryBlock.from(start), MemoryBlock.from(changed)];
    let index = -1;
    for (let at = 0; at < length && index < 0; at += 1) if (start[offset + at] !== changed[offset + at]) index = at;
    const sign = index < 0 ? 0 : (start[offset + index] as number) < (changed[offset + index] as number) ? -1 : 1;
    try {
      const other = plain ? changed : b;
      expect(Manager.mismatch(a, offset, other, offset, length) === index, 'mismatch');
      expect(Manager.compareMemory(a, offset, other, offset, length) === sign, 'compare');
      expect(Manager.compareMemory(other, offset, a, offset, length) === (sign === 0 ? 0 : -sign), 'compare the other way round');
      expect(a.equals(b) === Buffer.from(start).equals(changed), 'equals');
    } finally {
      a.free();
      b.free();
    }
  });
  t.notThrows(() => fc.assert(property, { numRuns: 2000, includeErrorInReport: true }));
});

const KINDS = ['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64', 'BigInt64', 'BigUint64'];
type Methods = { readonly [name: string]: (...args: readonly unknown[]) => unknown };

test.serial('random typed writes are those of a DataView, and outside both refuse', (t) => {
  const write = fc.record({ kind: fc.constantFrom(...KINDS), offset: fc.integer({ min: -2, max: 42 }), number: fc.double(), big: fc.bigInt(), little: fc.boolean() });
  const property = fc.property(fc.array(write, { maxLength: 40 }), fc.boolean(), (writes, viewed) => {
    const block = Manager.allocateMemory(40, 'word', { zeroed: true });
    const judge = new DataView(new ArrayBuffer(40));
    try {
      if (viewed) block.bytes();
      for (const { kind, offset, number, big, little } of writes) {
        const written = kind.startsWith('Big') ? big : number;
        const outcome = codeOf(() => (block as unknown as Methods)[`set${kind}`]?.(offset, written, little));
        const inside = offset >= 0 && offset <= 40 - Number(/\d+/.exec(kind)?.[0]) / 8;
        expect(outcome === (inside ? undefined : 'ERR_OUT_OF_RANGE'), `set${kind}(${offset}): ${String(outcome)}`);
        if (inside) (judge as unknown as Methods)[`set${kind}`]?.(offset, written, little);
        expect(block.copyOut().equals(Buffer.from(judge.buffer)), 'bytes');
      }
    } finally {
      block.free();
    }
  });
  t.notThrows(() => fc.assert(property, { numRuns: 500, includeErrorInReport: true }));
});
