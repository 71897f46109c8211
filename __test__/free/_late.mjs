// I/O on a view whose block is freed while it is under way: where its bytes come from, and where they must not land.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectMemoryManager as dmm, check, crowd, disperse, refuses, statistics } from './_free.mjs';

/** What new owners write. It must never be sent; what arrives late must never replace it. */
export const SECRET = 0xa5;
/** New owners after a free: fewer than the quarantine holds back. */
const OWNERS = { small: 100, large: 20 };
const ownersOf = (size) => (size > 131_072 ? OWNERS.large : OWNERS.small);

/** A directory of this program, gone when it ends. */
const folder = mkdtempSync(join(tmpdir(), 'offheap-free-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
export const pathOf = (name) => join(folder, name);

/** A pipe with a name, open at both ends: a read of it waits, a write beyond what it holds waits. */
export function openFifo() {
  const path = pathOf('fifo');
  execFileSync('mkfifo', [path]);
  const descriptor = openSync(path, 'r+');
  const [reader, writer] = [constants.O_RDONLY, constants.O_WRONLY].map((mode) => openSync(path, mode | constants.O_NONBLOCK));
  const release = () => endWaiting(reader, writer);
  process.on('exit', release);
  return {
    descriptor,
    path,
    /** What is in it now; waits for nothing. */
    takeAll() {
      const parts = [];
      for (;;) {
        const part = Buffer.alloc(65_536);
        try {
          parts.push(part.subarray(0, readSync(reader, part)));
        } catch {
          return Buffer.concat(parts); // it is empty
        }
      }
    },
    close() {
      process.off('exit', release);
      for (const each of [descriptor, reader, writer]) closeSync(each);
    },
  };
}

/** A program that fails must end, and Node waits for its threads: a byte for one that reads, room for one that writes. */
function endWaiting(reader, writer) {
  for (let round = 0; round < 100; round += 1) {
    for (const act of [() => writeSync(writer, Buffer.alloc(1)), () => readSync(reader, Buffer.alloc(round < 20 ? 0 : 65_536))]) {
      try {
        act();
      } catch {} // nothing to read, or no room
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  }
}

/** Frees a viewed block, and gives its class to new owners at once. None of them has its memory. */
export function freeAndCrowd(block) {
  const { size, address } = block;
  block.free();
  check(statistics().quarantined >= size, 'its memory is held back');
  const owners = crowd(size, { byte: SECRET, count: ownersOf(size) });
  check(owners.every((owner) => owner.address !== address), 'no new owner has its memory');
  return owners;
}

/** Ends the scene: the new owners have every byte. */
export function ownersAreIntact(owners) {
  check(owners.length >= OWNERS.large, 'new owners');
  disperse(owners, SECRET);
}

/** Under a lease the free is refused in every form. */
export function refusesAnEnd(block) {
  refuses('ERR_OFFHEAP_IN_USE', () => block.free(), () => dmm.freeMemory(block), () => dmm.reallocateMemory(block, 16), () => block[Symbol.dispose]());
}

/** Both ends of a connection. The receiving end reads nothing until it is told to. */
export async function openConnection() {
  const server = createServer({ pauseOnConnect: true });
  await new Promise((resolve) => { server.listen(pathOf('socket'), resolve); });
  const accepted = new Promise((resolve) => { server.once('connection', resolve); });
  const sending = connect(pathOf('socket'));
  const receiving = await accepted;
  return {
    sending,
    receiving,
    async receiveAll() {
      const parts = [];
      for await (const part of receiving) parts.push(part);
      await new Promise((resolve) => { server.close(resolve); });
      return Buffer.concat(parts);
    },
  };
}

/** A promise for what a function with a callback gives; errors are given, not thrown. */
export const called = (start) => new Promise((resolve) => { start((error, ...results) => resolve({ error, results })); });
