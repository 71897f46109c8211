// A worker that does with allocators what it is told; see _allocators-peer.mjs.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { MIB } from './_allocators.js';

export interface Answer {
  readonly result?: unknown;
  readonly code?: string;
  readonly buffer?: ArrayBuffer;
}

/** Memory that a worker allocated. */
export interface Given {
  readonly index: number;
  readonly offset: number;
  readonly address: bigint;
  readonly id: number;
}

const workers: Worker[] = [];

/** After each test, before what else is to come then: workers end. */
export function endAfterEach(): void {
  test.afterEach.always('workers end first', async () => {
    for (const worker of workers.splice(0)) await worker.terminate();
  });
}

export class Peer {
  readonly worker: Worker = new Worker(new URL('_allocators-peer.mjs', import.meta.url), { execArgv: [] });

  constructor() {
    workers.push(this.worker);
  }

  async next(): Promise<Answer> {
    const [answer] = (await once(this.worker, 'message')) as [Answer];
    return answer;
  }

  async ask(...order: unknown[]): Promise<Answer> {
    const answer = this.next();
    this.worker.postMessage(order, []);
    return await answer;
  }

  async get<Result>(...order: unknown[]): Promise<Result> {
    const { result, code } = await this.ask(...order);
    if (code !== undefined) throw new Error(code);
    return result as Result;
  }

  /** Lets it end by itself. */
  async exit(): Promise<void> {
    const ended = once(this.worker, 'exit');
    this.worker.postMessage(['exit'], []);
    await ended;
  }
}

/** A worker that has opened an allocator of 1 MiB. */
export async function start(name: string, type: string, ...more: unknown[]): Promise<Peer> {
  const peer = new Peer();
  await peer.next();
  await peer.get('open', name, type, MIB, ...more);
  return peer;
}
