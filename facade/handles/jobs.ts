/**
 * Jobs: memory operations off the main thread. Both ends are pinned until the promise settles, and by then nobody reads or writes them
 * any more. Native memory is worked at by threads of libuv's pool; bytes of JavaScript's, which V8 may move away at any moment, are worked at
 * here, in slices between which the event loop turns.
 * Room: handles (5). May use: primordials, types, errors, options, native, table, handle, grant, operand.
 */
import { addAbortListener } from 'node:events';
import * as errors from '../errors.js';
import { binding } from '../native.js';
import type { CheckedFill, TaskOptions } from '../options.js';
import { validateRange } from '../options.js';
import * as p from '../primordials.js';
import type { CopyMode, ElementSize } from '../types.js';
import { allocated, countArenaPin } from './grant.js';
import { fields } from './handle.js';
import { check, compareOperands, copyOperand, fillOperand, modeNumber, operandAddress, operandSize, stagePattern } from './operand.js';
import { RESULT, T, failure, isWorker, status, unavailableReason } from './table.js';

const { setInterval, clearInterval, setImmediate } = globalThis;

/** Up to this length, bytes, an operation is done at once: it takes 10 µs, less than to have another thread do it. */
const AT_ONCE_MAX = 131072;
/** Bytes of a slice: a few tenths of a millisecond. */
const SLICE = 1048576;
/** How often progress is told, milliseconds. */
const PROGRESS_MS = 50;

/** One end of an operation, and what errors call its offset. */
interface End {
  readonly value: unknown;
  readonly offset: number;
  readonly name: string;
}

/** An operation whose arguments were checked one by one. */
interface Operation {
  readonly action: string;
  readonly ends: readonly End[];
  readonly length: number;
  /** What the native side does with the ends, and how: see `start` in crates/offheap-node/src/jobs.rs. */
  readonly operation: number;
  readonly detail: number;
  readonly pattern?: CheckedFill;
  /** Does a part of it, here and now. A result other than 0 ends it. */
  readonly part: (at: number, length: number) => number;
  /** Whether its parts are done from the last to the first. */
  readonly isBackward: () => boolean;
}

/** An operation that has begun. */
interface Task {
  /** Why it was stopped. */
  fault: { readonly error: unknown } | undefined;
  /** Its native job, which pins what is native memory; 0 before and after. */
  job: number;
  /** Whether threads work at it; else slices do. */
  isNative: boolean;
  /** Of one that slices work at. */
  doneBytes: number;
  /** The ends that it pins. */
  readonly held: unknown[];
}

/** Those of this isolate that have not ended, by number. */
const tasks = p.makeIndex<Task>();
let lastTask = 0;

/** No part of it is begun any more; it fails when those at work have ended. */
function stop(task: Task, error: unknown): void {
  task.fault ??= { error };
  if (task.job !== 0) binding.jobStop(task.job, 0);
}

/** Opens a job for a task, and pins its ends. */
function openJob(task: Task, { ends, length, action }: Operation): void {
  binding.jobOpen();
  if (status() !== 0) throw failure('MemoryBlock', 0, action);
  task.job = T[RESULT + 1] as number;
  task.isNative = true;
  for (let index = 0; index < ends.length; index += 1) {
    const end = ends[index] as End;
    if (!hold(task.job, end, length)) task.isNative = false;
    else {
      check(action, end.value);
      if (allocated.isAllocated(end.value)) countArenaPin(end.value, 1);
      task.held[index] = end.value;
    }
  }
}

/** Asks the native side to pin an end. False for bytes that are not ours. */
function hold(job: number, { value, offset }: End, length: number): boolean {
  if (fields.isHandle(value)) {
    binding.jobHold(job, fields.slotOf(value), fields.generationOf(value), offset, length);
    return true;
  }
  if (!allocated.isAllocated(value)) return false;
  const { levels, number, life } = allocated.regionOf(value);
  const at = levels === undefined ? offset : allocated.offsetOf(value) + offset;
  binding.jobHold(job, allocated.slotOf(value), allocated.generationOf(value), at, length, number, life);
  return true;
}

/** Ends a task's job when nobody is at work in it, and drops its pins. Of a comparison −1, 0 or 1. */
function endJob(task: Task): number {
  const { job, held } = task;
  if (job === 0) return 0;
  task.job = 0;
  for (let index = 0; index < held.length; index += 1) {
    const value = held[index];
    if (allocated.isAllocated(value)) countArenaPin(value, -1);
  }
  return binding.jobEnd(job);
}

/** Does an operation; −1, 0 or 1. What is wrong with it is thrown before anything has begun. */
async function perform(operation: Operation, { signal, onProgress }: TaskOptions): Promise<number> {
  const { ends, length, part } = operation;
  const task: Task = { fault: undefined, job: 0, isNative: false, doneBytes: 0, held: p.list<unknown>(2) };
  if (signal !== undefined && p.isAborted(signal)) throw p.abortReason(signal);
  // First: this is the caller's method, and may throw, or do anything.
  const listener = signal === undefined ? undefined : addAbortListener(signal, () => stop(task, p.abortReason(signal)));
  const tell = (doneBytes: number): void => {
    try {
      onProgress?.(doneBytes, length);
    } catch (error) {
      stop(task, error);
    }
  };
  try {
    for (let index = 0; index < ends.length; index += 1) {
      const { value, offset, name } = ends[index] as End;
      validateRange(offset, length, operandSize(value, name), ends.length === 1 ? 'offset' : `${name}Offset`);
    }
    let order = 0;
    if (length > AT_ONCE_MAX) order = await workOff(operation, task, onProgress === undefined ? undefined : tell);
    else if (length > 0) order = part(0, length);
    if (task.fault === undefined) tell(length);
    if (task.fault !== undefined) throw task.fault.error;
    return order;
  } finally {
    try {
      listener?.[p.dispose]();
    } catch {
      // the caller's method: what it listened for has ended all the same
    }
  }
}

/** Works at an operation until it is done or stopped. */
async function workOff(operation: Operation, task: Task, tell: ((doneBytes: number) => void) | undefined): Promise<number> {
  const number = (lastTask += 1);
  tasks[number] = task;
  let timer: NodeJS.Timeout | undefined;
  try {
    openJob(task, operation);
    if (tell !== undefined) timer = setInterval(() => tell(task.isNative ? binding.jobProgress(task.job) : task.doneBytes), PROGRESS_MS);
    return await (task.isNative ? inThreads(operation, task) : inSlices(operation, task));
  } finally {
    clearInterval(timer);
    delete tasks[number];
    endJob(task);
  }
}

/** How many processors there are. What tells it is a script's to break; then there is one. */
function processors(): number {
  try {
    const count = p.builtinModule('node:os').availableParallelism();
    return p.isInteger(count) && count > 0 && count < 65536 ? count : 1;
  } catch {
    return 1;
  }
}

async function inThreads({ operation, detail, pattern, length, ends, action }: Operation, task: Task): Promise<number> {
  const { job } = task;
  if (pattern !== undefined) stagePattern(pattern);
  binding.jobStart(job, operation, detail, processors());
  check(action, ends[0]?.value, ends[1]?.value);
  const threads = T[RESULT + 1] as number;
  if (task.fault !== undefined) binding.jobStop(job, 0); // a method of its signal did that
  const isolate = binding.isolateNumber();
  const works = p.list<Promise<unknown>>(threads);
  for (let index = 0; index < threads; index += 1) works[index] = binding.jobRun(isolate, job);
  for (let index = 0; index < threads; index += 1) await works[index];
  const doneBytes = binding.jobProgress(job);
  const order = endJob(task);
  if (order === 0 && doneBytes !== length && task.fault === undefined) throw errors.corrupted('A job', 0, `it ended after ${doneBytes} of ${length} bytes`);
  return order;
}

/** What a turn of the event loop brings may end a block's views, or a buffer: each part is checked anew. */
async function inSlices({ part, length, isBackward }: Operation, task: Task): Promise<number> {
  const backward = isBackward();
  while (task.doneBytes < length && task.fault === undefined) {
    const piece = p.min(SLICE, length - task.doneBytes);
    const order = part(backward ? length - task.doneBytes - piece : task.doneBytes, piece);
    if (order !== 0) return order;
    task.doneBytes += piece;
    await p.promise<void>((resolve) => void setImmediate(resolve));
  }
  return 0;
}

const never = (): boolean => false;

export async function copyInBackground(
  source: unknown,
  sourceOffset: number,
  target: unknown,
  targetOffset: number,
  length: number,
  mode: CopyMode,
  elementSize: ElementSize,
  options: TaskOptions,
): Promise<void> {
  await perform(
    {
      action: 'copied',
      ends: [
        { value: source, offset: sourceOffset, name: 'source' },
        { value: target, offset: targetOffset, name: 'target' },
      ],
      length,
      operation: 0,
      detail: modeNumber(mode, elementSize),
      part: (at, piece) => {
        copyOperand(source, sourceOffset + at, target, targetOffset + at, piece, mode, elementSize);
        return 0;
      },
      // As memmove: the bytes that are read last are written last.
      isBackward: () => operandAddress(target, 'target') + p.toBigInt(targetOffset) > operandAddress(source, 'source') + p.toBigInt(sourceOffset),
    },
    options,
  );
}

export async function fillInBackground(block: unknown, offset: number, length: number, value: CheckedFill, options: TaskOptions): Promise<void> {
  await perform(
    {
      action: 'filled',
      ends: [{ value: block, offset, name: 'block' }],
      length,
      operation: 1,
      detail: 0,
      pattern: value,
      part: (at, piece) => {
        fillOperand(block, offset + at, piece, value);
        return 0;
      },
      isBackward: never,
    },
    options,
  );
}

export async function compareInBackground(
  a: unknown,
  aOffset: number,
  b: unknown,
  bOffset: number,
  length: number,
  options: TaskOptions,
): Promise<-1 | 0 | 1> {
  const order = await perform(
    {
      action: 'compared',
      ends: [
        { value: a, offset: aOffset, name: 'a' },
        { value: b, offset: bOffset, name: 'b' },
      ],
      length,
      operation: 2,
      detail: 0,
      part: (at, piece) => compareOperands(a, aOffset + at, b, bOffset + at, piece),
      isBackward: never,
    },
    options,
  );
  return order as -1 | 0 | 1;
}

/** A thread ends, and what it pinned is freed after this. At the process's end, which takes no memory from anybody, nobody is waited for. */
function abandonAll(): void {
  const numbers = p.keys(tasks);
  for (let index = 0; index < numbers.length; index += 1) {
    const task = tasks[+(numbers[index] as string)];
    if (task === undefined) continue;
    if (isWorker) endJob(task);
    else if (task.job !== 0) binding.jobStop(task.job, 0);
  }
}
if (unavailableReason === undefined) process.on('exit', abandonAll); // before manager.ts and allocators.ts say what they do then
