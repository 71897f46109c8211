// Three isolates allocate, view and free; each in turn closes the allocator under the others and opens it again with another size. They see it by ERR_OFFHEAP_CLOSED.
// expect: exit=0 code=none
import { isMainThread, workerData } from 'node:worker_threads';
import { AdvancedMemoryAllocator, DirectMemoryManager } from '../../dist/index.js';
import { Claims, claimsOver } from './_claims.mjs';
import { nothingIsLeft } from './_grants.mjs';
import { MIB, anySize, chance, check, listen, print, same, startWorker, tell, turn } from './_workers.mjs';

const [CLOSES, ISOLATES] = [90, 3];
const codes = {};

class Tenant {
  held = [];
  views = [];

  constructor(type, shared, number) {
    this.type = type;
    this.claims = new Claims(shared, number);
    this.pick = chance(number);
    this.open();
  }

  /** Regions of two sizes, each of which is used again and again. */
  open() {
    this.claims.alone(() => {
      this.term = this.claims.term;
      const total = this.term % 4 === 0 ? MIB : 2 * MIB;
      this.allocator = AdvancedMemoryAllocator.getInstance('closed', this.type, total, 64);
      same(this.allocator.totalSize, total, 'its size');
    });
  }

  /** The next turn to close is another isolate's. */
  closeInTurn() {
    if ((this.term / 2) % ISOLATES !== this.claims.number % ISOLATES) return;
    this.claims.alone(() => this.claims.endTerm(() => this.leave()));
    this.open();
  }

  leave() {
    this.allocator.close();
    check(this.views.every(({ length }) => length === 0), 'views are dead after close()');
    this.views.length = 0;
    this.held.length = 0;
  }

  /** One step; whoever finds the allocator closed leaves it, and opens the next. */
  step(act = () => this.act()) {
    try {
      act();
    } catch (error) {
      codes[error.code] = (codes[error.code] ?? 0) + 1;
      if (error.code === 'ERR_OFFHEAP_REGION_FULL') for (const grant of this.held.splice(0)) this.free(grant);
      else if (error.code !== 'ERR_OFFHEAP_CLOSED') throw error;
      else {
        this.leave();
        this.open();
      }
    }
  }

  act() {
    const { held, views, pick, claims } = this;
    if (held.length > 0 && pick(60) < held.length) return this.free(held.splice(pick(held.length), 1)[0]);
    const grant = claims.claim(() => this.allocator.tryAllocate(anySize(pick, 4096)), this.term);
    if (grant === null) for (const each of held.splice(0)) this.free(each);
    if (grant === null || grant === undefined) return undefined;
    held.push(grant);
    if (pick(3) === 0) views.push(grant.memory.bytes());
    if (views.length > 20) views.shift();
    for (const view of views) check(view.length === 0 || view[view.length - 1] >= 0, 'a view that may be stale is read');
    return undefined;
  }

  free(grant) {
    if (this.claims.release(grant)) grant.memory.free();
  }
}

/** What is left at the end is freed: others go on, and what an ended worker holds goes back. */
async function live(tenant) {
  while (tenant.claims.term < 2 * CLOSES) {
    for (let count = 0; count < 150; count += 1) tenant.step();
    tenant.closeInTurn();
    if (isMainThread) await turn();
  }
  while (tenant.held.length > 0) tenant.step(() => tenant.free(tenant.held.pop()));
}

async function work() {
  const { type, shared, number } = workerData;
  const tenant = new Tenant(type, shared, number);
  await live(tenant);
  await tell({ taken: tenant.claims.taken, codes });
}

async function main() {
  const type = process.argv[2];
  const begin = DirectMemoryManager.getMemoryStats();
  const shared = claimsOver(2 * MIB);
  const tenant = new Tenant(type, shared, 1);
  const crew = [2, 3].map((number) => startWorker(new URL(import.meta.url), { type, shared, number }));
  await live(tenant);
  const reports = [{ taken: tenant.claims.taken, codes }, ...(await listen(crew))];
  tenant.open(); // the last one, unless it had noticed
  tenant.leave();
  check(reports.every(({ taken }) => taken > 100), `all were granted memory: ${JSON.stringify(reports)}`);
  nothingIsLeft(begin);
  print({ type, reports });
}

await (isMainThread ? main() : work());
