/**
 * Waits: promises that end when a word is notified, from any thread. Who waits stands in one queue of the process, on the native side; a
 * thread that ends the wait of another sends it a message without contents, upon which it asks for whom the wait is over.
 * Room: handles (5). May use: primordials, types, errors, options, native, table, operand.
 */
import { createRequire } from 'node:module';
import type * as WorkerThreads from 'node:worker_threads';
import * as errors from '../errors.js';
import { binding } from '../native.js';
import { validateTimeout } from '../options.js';
import * as p from '../primordials.js';
import type { NativeMemory } from '../types.js';
import { useWord } from './operand.js';
import { ARGUMENT, RESULT, T, stageWord } from './table.js';

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

/** How long a wait can outlast its end when whoever ended it was terminated before it could say so. */
const LOOK_MS = 100;
let looking: NodeJS.Timeout | undefined;

/** Every isolate that waits, or wakes others, has one of these; they hear each other. */
const CHANNEL = 'offheap.waits';

interface Channel {
  tell(): void;
  /** Whether it keeps the event loop alive. */
  hold(holds: boolean): void;
}
let channel: Channel | undefined;

/** Loaded when first needed: the module takes 2 ms. */
function openChannel(): Channel {
  const { BroadcastChannel } = createRequire(import.meta.url)('node:worker_threads') as typeof WorkerThreads;
  const { postMessage, ref, unref } = BroadcastChannel.prototype;
  const port = new BroadcastChannel(CHANNEL);
  port.addEventListener('message', settleOver);
  p.reflectApply(unref, port, []);
  return {
    tell: () => void p.reflectApply(postMessage, port, [0]),
    hold: (holds) => void p.reflectApply(holds ? ref : unref, port, []),
  };
}

/** Ends every wait of this isolate that is over. */
function settleOver(): void {
  for (let ticket = binding.waitOver(); ticket !== 0; ticket = binding.waitOver()) end(ticket, 'ok');
}

function end(ticket: number, outcome: Outcome): void {
  const { resolve, pin, timer } = waiting[ticket] as Waiting;
  delete waiting[ticket];
  clearTimeout(timer);
  count -= 1;
  if (count === 0) {
    channel?.hold(false);
    clearInterval(looking);
  }
  pin[Symbol.dispose]();
  resolve(outcome);
}

function expire(ticket: number): void {
  if (binding.giveUpWait(ticket) === 1) end(ticket, 'timed-out');
  else settleOver();
}

/** Queues one who waits. Throws, and nobody waits, when something is wrong with it. */
export function waitForWord({ memory, offset, expected, timeoutMs, pin, resolve }: Wait): void {
  if (typeof expected !== 'number' && typeof expected !== 'bigint') throw errors.invalidArgType('expected', ['number', 'bigint'], expected);
  validateTimeout(timeoutMs);
  channel ??= openChannel(); // before the wait: a message that nobody hears is lost
  const held = pin();
  let ticket = 0;
  try {
    ticket = ticketOf(memory, offset, expected);
  } finally {
    if (ticket === 0) held[Symbol.dispose]();
  }
  if (ticket === 0) {
    resolve('not-equal');
    return;
  }
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs, ticket);
  waiting[ticket] = { resolve, pin: held, timer };
  count += 1;
  if (count === 1) {
    channel.hold(true);
    looking = setInterval(settleOver, LOOK_MS);
    looking.unref();
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
    binding.notify(base, generation, start, 4, p.min(most, Number.MAX_SAFE_INTEGER));
  });
  const here = T[RESULT + 1] as number;
  const elsewhere = T[RESULT + 2] as number;
  if (here > 0) settleOver();
  if (elsewhere > 0) (channel ??= openChannel()).tell();
  return here + elsewhere;
}
