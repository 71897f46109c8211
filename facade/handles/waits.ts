/**
 * Waits: promises that end when a word is notified, from any thread. Who waits stands in one queue of the process, on the native side; a
 * thread that ends the wait of another sends it a message without contents, upon which it asks for whom the wait is over.
 * Room: handles (5). May use: primordials, types, errors, options, native, table, operand, stack.
 */
import * as errors from '../errors.js';
import { binding } from '../native.js';
import { validateTimeout } from '../options.js';
import * as p from '../primordials.js';
import type { NativeMemory } from '../types.js';
import { useWord } from './operand.js';
import { hasStack, requireStack } from './stack.js';
import { ARGUMENT, RESULT, T, isWorker, stageWord, unavailableReason } from './table.js';

const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;

type Outcome = 'ok' | 'not-equal' | 'timed-out';

/** A wait as it was asked for. */
interface Wait {
  readonly memory: NativeMemory;
  readonly offset: number;
  readonly expected: number | bigint;
  readonly timeoutMs: number | undefined;
  readonly pin: () => Disposable;
  readonly resolve: (outcome: Outcome) => void;
}

interface Waiting {
  readonly resolve: (outcome: Outcome) => void;
  readonly pin: Disposable;
  readonly timer: NodeJS.Timeout | undefined;
}

/** Those of this isolate who wait, by ticket. */
const waiting = p.makeIndex<Waiting>();
let count = 0;

/** How long a wait can outlast its end when whoever ended it could not say so: it was terminated, or its channel is out of order. */
const LOOK_MS = 100;
/** Keeps the event loop alive while somebody waits. */
let looking: NodeJS.Timeout | undefined;

/** Every isolate that waits, or wakes others, has one of these; they hear each other. */
const CHANNEL = 'offheap.waits';
let tellOthers: (() => void) | undefined;

/** Loaded when first needed: the module takes 2 ms. A script that broke Node's channels by then makes waits slow, not wrong. */
function openChannel(): () => void {
  try {
    const { BroadcastChannel } = p.builtinModule('node:worker_threads');
    const { postMessage, unref } = BroadcastChannel.prototype;
    const port = new BroadcastChannel(CHANNEL);
    p.reflectApply(unref, port, []); // first: what fails to listen must not keep the process either
    port.addEventListener('message', settleOver);
    return () => void p.reflectApply(postMessage, port, [0]);
  } catch {
    return () => undefined;
  }
}

/** Those who are woken in other threads have their tickets already. */
function tell(): void {
  try {
    (tellOthers ??= openChannel())();
  } catch {
    // they look for themselves
  }
}

/** Ends every wait of this isolate that is over. Where the stack would end in the middle, the next look does. */
function settleOver(): void {
  if (!hasStack()) return;
  for (let ticket = binding.waitOver(); ticket !== 0; ticket = binding.waitOver()) end(ticket, 'ok');
}

function end(ticket: number, outcome: Outcome): void {
  const ended = leave(ticket);
  if (ended === undefined) return; // its call threw after it was queued
  ended.pin[p.dispose]();
  ended.resolve(outcome);
}

function enter(ticket: number, resolve: (outcome: Outcome) => void, pin: Disposable, timeoutMs: number | undefined): void {
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs, ticket);
  waiting[ticket] = { resolve, pin, timer };
  count += 1;
  looking ??= setInterval(settleOver, LOOK_MS);
}

function leave(ticket: number): Waiting | undefined {
  const left = waiting[ticket];
  if (left === undefined) return undefined;
  delete waiting[ticket];
  clearTimeout(left.timer);
  count -= 1;
  if (count === 0) {
    clearInterval(looking);
    looking = undefined;
  }
  return left;
}

function expire(ticket: number): void {
  if (binding.giveUpWait(ticket) === 1) end(ticket, 'timed-out');
  else settleOver();
}

/** Queues one who waits. Throws, and nobody waits, when something is wrong with it. */
export function waitForWord({ memory, offset, expected, timeoutMs, pin, resolve }: Wait): void {
  if (typeof expected !== 'number' && typeof expected !== 'bigint') throw errors.invalidArgType('expected', ['number', 'bigint'], expected);
  validateTimeout(timeoutMs);
  tellOthers ??= openChannel(); // before the wait: a message that nobody hears is lost
  requireStack(); // from the pin on, until it is dropped or somebody waits
  const held = pin();
  let ticket = 0;
  let isWaiting = false;
  try {
    ticket = ticketOf(memory, offset, expected);
    if (ticket === 0) resolve('not-equal');
    else {
      enter(ticket, resolve, held, timeoutMs);
      isWaiting = true;
    }
  } finally {
    if (!isWaiting) {
      if (ticket !== 0) binding.giveUpWait(ticket);
      leave(ticket);
      held[p.dispose]();
    }
  }
  if (timeoutMs === 0) expire(ticket);
}

/** A place in the queue; 0 when the word is another. */
function ticketOf(memory: NativeMemory, offset: number, expected: number | bigint): number {
  const width = typeof expected === 'bigint' ? 8 : 4;
  return useWord(memory, offset, width, 'waited for', (base, generation, start) => {
    stageWord(ARGUMENT + 2, expected);
    return binding.wait(base, generation, start, width);
  });
}

/** Wakes those who came first. */
export function notifyWaiters(memory: NativeMemory, offset: number, most: number = Infinity): number {
  if (typeof most !== 'number') throw errors.invalidArgType('count', 'number', most);
  if (most !== Infinity && (!p.isInteger(most) || most < 0)) throw errors.outOfRange('count', 'an integer >= 0, or Infinity', most);
  useWord(memory, offset, 4, 'notified', (base, generation, start) => {
    binding.notify(base, generation, start, 4, p.min(most, p.MAX_SAFE_INTEGER));
  });
  const here = T[RESULT + 1] as number;
  const elsewhere = T[RESULT + 2] as number;
  if (here > 0) settleOver();
  if (elsewhere > 0) tell();
  return here + elsewhere;
}

/** A worker ends, and frees what is not pinned: its waits must not keep anything from that. */
function abandonAll(): void {
  const tickets = p.keys(waiting);
  for (let index = 0; index < tickets.length; index += 1) leave(+(tickets[index] as string))?.pin[p.dispose]();
}
if (isWorker && unavailableReason === undefined) process.on('exit', abandonAll); // before manager.ts and allocators.ts say what they do then
