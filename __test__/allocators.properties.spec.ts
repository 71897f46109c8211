// Random programs on each type of allocator against a plain map (fast-check prints seed and path of a failure; `fc.assert(…, { seed, path })`
// repeats it). After every step of allocate, free, fill, write through views, copy, pin, trim, reset, mark and rewind:
// - live memory has its bytes, lies in the region, and shares no byte with other live memory; dead memory refuses
// - the figures of the allocator and its rows are those of the map; its structure is in order
// - at the end all that is freed is free again
import * as fc from 'fast-check';
import test from 'ava';
import { AdvancedMemoryAllocator, DirectMemoryManager as Manager } from '../index.js';
import type { AllocatedMemory, AllocatorType, ArenaMark, OffHeapError } from '../index.js';
import { binding } from '../facade/native.js';
import { KIB, TYPES, closeAfterEach, openIds } from './_allocators.js';

closeAfterEach();

interface Model {
  readonly memory: AllocatedMemory;
  readonly bytes: Buffer;
  readonly views: Uint8Array[];
  readonly pins: Disposable[];
}

interface Step {
  readonly do: 'allocate' | 'free' | 'fill' | 'write' | 'copy' | 'view' | 'pin' | 'unpin' | 'trim' | 'reset' | 'mark' | 'rewind';
  readonly size: number;
  readonly pick: number;
  readonly other: number;
  readonly from: number;
  readonly value: number;
}

const kinds = fc.oneof(
  { weight: 12, arbitrary: fc.constant('allocate' as const) },
  { weight: 7, arbitrary: fc.constant('free' as const) },
  { weight: 8, arbitrary: fc.constantFrom('fill' as const, 'write' as const, 'copy' as const, 'view' as const) },
  { weight: 4, arbitrary: fc.constantFrom('pin' as const, 'unpin' as const, 'mark' as const, 'rewind' as const) },
  { weight: 1, arbitrary: fc.constantFrom('trim' as const, 'reset' as const) },
);
const sizes = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 400 }) },
  { weight: 3, arbitrary: fc.constantFrom(16, 64, 4096, 16 * KIB, 20_000) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 100_000 }) },
);
const step: fc.Arbitrary<Step> = fc.record({
  do: kinds, size: sizes, pick: fc.nat(), other: fc.nat(), from: fc.double({ min: 0, max: 1, noNaN: true }), value: fc.nat({ max: 255 }),
});
const programs = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }),
  total: fc.constantFrom(64 * KIB, 100_000, 256 * KIB + 64, 1024 * KIB, 4096 * KIB),
  alignment: fc.constantFrom(1, 8, 64, 4096),
  overwrites: fc.boolean(),
});

function expect(condition: boolean, about: string): asserts condition {
  if (!condition) throw new Error(about);
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return (error as OffHeapError).code;
  }
  return undefined;
}

class Machine {
  readonly allocator: AdvancedMemoryAllocator;
  readonly #overwrites: boolean;
  readonly #most: number;
  #live: Model[] = [];
  readonly #dead: AllocatedMemory[] = [];
  readonly #marks: { readonly mark: ArenaMark; readonly live: readonly Model[] }[] = [];

  constructor(type: AllocatorType, total: number, alignment: number, overwrites: boolean) {
    this.#overwrites = overwrites && type === 'ring';
    const overflow = this.#overwrites ? 'overwrite-oldest' : 'error';
    this.allocator = AdvancedMemoryAllocator.getInstance(`random ${type}`, type, total, alignment, { overflow });
    this.#most = this.allocator.getStats().largestFree;
  }

  get #isPinned(): boolean {
    return this.#live.some(({ pins }) => pins.length > 0);
  }

  #kill(models: readonly Model[]): void {
    this.#live = this.#live.filter((model) => !models.includes(model));
    this.#dead.push(...models.map(({ memory }) => memory));
  }

  /** Ends several at once, unless one of them, or of an arena any, is pinned. */
  #end(models: readonly Model[], act: () => void, holdsOff: boolean): boolean {
    const code = codeOf(act);
    expect(code === (holdsOff ? 'ERR_OFFHEAP_IN_USE' : undefined), `${String(code)}, pinned: ${holdsOff}`);
    if (!holdsOff) this.#kill(models);
    return !holdsOff;
  }

  #allocate({ size, value }: Step): void {
    let memory: AllocatedMemory | null = null;
    const code = codeOf(() => (memory = this.allocator.tryAllocate(size)));
    const largest = this.allocator.getStats().largestFree;
    if (code === 'ERR_OUT_OF_RANGE') return expect(size > this.#most, `${size} of ${this.#most}`);
    if (this.#overwrites) this.#kill(this.#live.filter((model) => !model.memory.isValid()));
    if (code === 'ERR_OFFHEAP_IN_USE') return expect(this.#overwrites && this.#isPinned, 'a pinned oldest');
    expect(code === undefined, `allocate: ${String(code)}`);
    const granted = memory as AllocatedMemory | null;
    const hasClasses = ['pool', 'slab', 'hybrid'].includes(this.allocator.type); // room of one is none of another
    if (granted === null) return expect(size > largest || hasClasses, `${size} is refused, ${largest} are free`);
    expect(Number(granted.address % BigInt(this.allocator.alignment)) === 0, 'aligned');
    this.#live.push({ memory: granted.fill(value), bytes: Buffer.alloc(size, value), views: [], pins: [] });
  }

  take(one: Step): void {
    const model = this.#live[one.pick % Math.max(1, this.#live.length)];
    if (one.do === 'allocate') this.#allocate(one);
    else if (one.do === 'trim') this.allocator.trim();
    else if (one.do === 'reset') {
      const views = this.#live.flatMap((each) => each.views);
      if (this.#end(this.#live, () => this.allocator.reset(), this.#isPinned)) {
        expect(views.every((view) => view.length === 0), 'views die at a reset');
        this.#marks.length = 0;
      }
    } else if (one.do === 'mark' || one.do === 'rewind') this.#wind(one);
    else if (model !== undefined) this.#act(one, model);
    this.#check();
  }

  #wind(one: Step): void {
    if (this.allocator.type !== 'arena') return expect(codeOf(() => this.allocator.mark()) === 'ERR_OFFHEAP_NOT_SUPPORTED', 'mark');
    if (one.do === 'mark') return void this.#marks.push({ mark: this.allocator.mark(), live: [...this.#live] });
    const index = one.pick % Math.max(1, this.#marks.length);
    const to = this.#marks[index];
    if (to === undefined) return;
    const ended = this.#live.filter((model) => !to.live.includes(model));
    if (this.#end(ended, () => this.allocator.rewind(to.mark), this.#isPinned)) this.#marks.length = index + 1;
  }

  #act(one: Step, model: Model): void {
    const { memory, bytes, views, pins } = model;
    const from = Math.floor(one.from * bytes.length);
    switch (one.do) {
      case 'free':
        return void this.#end([model], () => (one.value % 2 === 0 ? memory.free() : this.allocator.free(memory)), pins.length > 0);
      case 'view':
        return void views.push(memory.bytes(), Manager.createDirectByteBuffer(memory));
      case 'pin':
        return void pins.push(memory.pin());
      case 'unpin':
        return pins.pop()?.[Symbol.dispose]();
      case 'copy': {
        const target = this.#live[one.other % this.#live.length] as Model;
        const length = Math.min(bytes.length - from, target.bytes.length);
        Manager.copyMemory(memory, from, target.memory, target.bytes.length - length, length);
        target.bytes.set(Buffer.from(bytes.subarray(from, from + length)), target.bytes.length - length);
        return;
      }
      case 'write':
        (views[0] ?? memory.bytes()).fill(one.value, from);
        break;
      default:
        memory.fill(one.value, from);
    }
    bytes.fill(one.value, from);
  }

  #check(): void {
    const ranges = this.#live.map(({ memory }) => [memory.offset, memory.offset + memory.allocatedSize] as const).sort(([a], [b]) => a - b);
    expect((ranges.at(-1)?.[1] ?? 0) <= this.allocator.totalSize, 'inside the region');
    for (let index = 1; index < ranges.length; index += 1) expect((ranges[index]?.[0] ?? 0) >= (ranges[index - 1]?.[1] ?? 0), 'no overlap');
    for (const { memory, bytes, views } of this.#live) {
      expect(memory.isValid() && memory.equals(bytes), `contents of ${memory}`);
      expect(memory.getUint8(bytes.length - 1) === bytes.at(-1) && views.every((view) => bytes.equals(view)), 'however they are read');
    }
    for (const memory of this.#dead.slice(-5)) expect(!memory.isValid() && codeOf(() => memory.getUint8(0)) === 'ERR_OFFHEAP_USE_AFTER_FREE', 'dead');
    const { requestedSize, allocatedBlocks, allocatedSize, freeSize, largestFree } = this.allocator.getStats();
    const sum = this.#live.reduce((bytes, { memory }) => bytes + memory.size, 0);
    expect(requestedSize === sum && allocatedBlocks === this.#live.length, `figures: ${requestedSize}, ${allocatedBlocks}; ${sum}, ${this.#live.length}`);
    expect(allocatedSize + freeSize === this.allocator.totalSize && largestFree <= freeSize && allocatedSize >= sum, 'free and held');
    const rows = Manager.getAllocatedBlocks().filter(({ owner }) => owner === this.allocator.name);
    expect(rows.reduce((bytes, { size }) => bytes + size, 0) === sum, 'rows');
    for (const { number, life } of openIds()) expect((binding.allocatorCheck(number, life) ?? undefined) === undefined, 'structure');
  }

  /** Whatever became of the program. */
  close(): void {
    for (const { pins } of this.#live) for (const pin of pins) pin[Symbol.dispose]();
    this.allocator.close();
  }

  finish(): void {
    for (const model of this.#live) {
      for (const pin of model.pins.splice(0)) pin[Symbol.dispose]();
      this.#end([model], () => model.memory.free(), false);
      this.#check();
    }
    if (this.allocator.type === 'arena') this.allocator.reset();
    const { allocatedSize, allocatedBlocks, requestedSize, largestFree } = this.allocator.getStats();
    expect(allocatedSize === 0 && allocatedBlocks === 0 && requestedSize === 0, 'everything is free');
    expect(largestFree === this.#most && this.allocator.allocate(largestFree).size === largestFree, 'and can be had');
  }
}

for (const type of TYPES) {
  test.serial(`${type}: random programs do what a plain map says`, (t) => {
    const property = fc.property(programs, ({ steps, total, alignment, overwrites }) => {
      const machine = new Machine(type, total, alignment, overwrites);
      try {
        for (const one of steps) machine.take(one);
        machine.finish();
      } finally {
        machine.close();
      }
    });
    t.notThrows(() => fc.assert(property, { numRuns: 100, includeErrorInReport: true }));
  });
}
