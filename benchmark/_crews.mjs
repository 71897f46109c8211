// One process of a row of the group `workers`: `node benchmark/_crews.mjs <json>`. A crew, ours or a peer's, is two workers. All are checked,
// then they work by turns: the first alone, the second alone, both. This thread only waits for messages. Prints one line of JSON.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { checksPassed, expectSame, maximum, median } from './_checks.mjs';

/** Milliseconds that workers work at a time: less than the system leaves a thread its CPU when other programs want it too, so some windows are whole. */
const WINDOW_MS = 1;

const { crews: jobs, step, plan } = JSON.parse(process.argv[2]);
const memberUrl = new URL('_crew-member.mjs', import.meta.url);

/** A worker that does one task at a time. */
function startMember(job, number, gate) {
  const worker = new Worker(memberUrl, { workerData: { job, number, gate } });
  const ended = new Promise((_, reject) => {
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`a worker ended with code ${code}`)));
  });
  ended.catch(() => undefined); // who asks it next is told
  const ask = async (task, about) => {
    worker.postMessage({ task, ...about }, []);
    const [{ value, checks, error }] = await Promise.race([once(worker, 'message'), ended]);
    if (error !== undefined) throw new Error(error);
    return { value, checks };
  };
  return { number, ask, end: () => worker.terminate() };
}

/**
 * Two workers, and what they have: of named allocators one each and one together, of all else one case for both ways to work. A third
 * allocator, the spare, is used in the warm-up alone: the code for the only allocator of a thread can be twice as fast as that for one of two,
 * and nobody has a second one before both have one together.
 */
class Crew {
  note;
  #rates = { first: [], second: [], both: [] };
  #checks = 0;
  #arrivals = 0;
  #gate = new Int32Array(new SharedArrayBuffer(4));
  #members;
  #together;
  #alone;
  #spare;

  constructor({ byName = false, ...job }) {
    this.#members = [0, 1].map((number) => startMember({ ...job, step }, number, this.#gate));
    this.#together = { seat: 'together', name: 'of both workers', members: this.#members };
    const own = (seat) => (byName ? this.#members.map((member) => ({ seat, name: `${seat}, of worker ${member.number}`, members: [member] })) : []);
    this.#alone = own('alone');
    this.#spare = own('spare');
  }

  /** Asks members at the same time. */
  async #ask({ seat, name, members }, task, about = {}) {
    const answers = await Promise.all(members.map((member, index) => member.ask(task, { seat, name, isFirst: index === 0, ...about })));
    this.#checks += answers.reduce((sum, { checks }) => sum + checks, 0);
    return answers.map(({ value }) => value);
  }

  /** What the statistics say must be what the workers did: all of them, or the one whose pool it is. */
  async #expectFigures(party) {
    const all = await this.#ask(party, 'figures');
    const before = checksPassed();
    for (const { own, said } of all) {
      if (said === undefined) continue; // a peer
      const counted = said.ofOneWorker ? [own] : all.map((one) => one.own);
      const sum = (key) => counted.reduce((total, one) => total + one[key], 0);
      expectSame(said.live, sum('live'), 'what is live');
      expectSame(said.bytes, sum('live') * own.size, 'the bytes of it');
      if (said.granted !== undefined) expectSame(said.granted, sum('granted'), 'what was granted so far');
    }
    this.#checks += checksPassed() - before;
  }

  /** Who has a byte of another finds the other's stamp. */
  async #expectStamps(party) {
    await this.#ask(party, 'begin');
    await this.#ask(party, 'stamp');
    await this.#ask(party, 'read');
    await this.#expectFigures(party);
  }

  async #open(party) {
    await this.#ask(party, 'open');
    await this.#expectStamps(party);
  }

  /** The counts are exact after the last window, all stamps hold again, and nothing is live once all was given back. */
  async #close(party) {
    await this.#expectFigures(party);
    await this.#expectStamps(party);
    await this.#ask(party, 'give');
    await this.#ask(party, 'begin');
    await this.#expectFigures(party);
    await this.#ask(party, 'dispose');
  }

  /** One window: what the members of a party did in it, in pairs per nanosecond. */
  async #work(party) {
    await this.#ask(party, 'begin');
    this.#arrivals += party.members.length;
    const rates = await this.#ask(party, 'work', { ms: WINDOW_MS, arrivals: this.#arrivals });
    return rates.reduce((sum, rate) => sum + rate, 0);
  }

  /** What the workers have alone, or else what they have. */
  async openAlone() {
    for (const party of this.#alone.length > 0 ? [...this.#alone, ...this.#spare] : [this.#together]) await this.#open(party);
  }

  async openTogether() {
    if (this.#alone.length > 0) await this.#open(this.#together);
  }

  async workAlone(isWarm) {
    const turns = this.#alone.length > 0 ? this.#alone : this.#members.map((member) => ({ ...this.#together, members: [member] }));
    const rates = [await this.#work(turns[0]), await this.#work(turns[1])];
    if (isWarm) {
      this.#rates.first.push(rates[0]);
      this.#rates.second.push(rates[1]);
    } else {
      for (const spare of this.#spare) await this.#work(spare);
    }
  }

  async workByTurns(isWarm) {
    await this.workAlone(isWarm);
    const both = await this.#work(this.#together);
    if (isWarm) this.#rates.both.push(both);
  }

  async close() {
    for (const party of [...this.#alone, ...this.#spare, this.#together]) await this.#close(party);
  }

  /** The best window for each side. Who works alone is the mean of the two: a worker's luck with the compiler is on both sides. */
  result() {
    if (this.note !== undefined) return { note: this.note };
    const oneBy = (pick) => (pick(this.#rates.first) + pick(this.#rates.second)) / 2;
    return { one: oneBy(maximum), two: maximum(this.#rates.both), median: median(this.#rates.both) / oneBy(median), checks: this.#checks };
  }

  /** Does something with the crew, unless it failed before; what fails is its note, and its workers end. */
  async attempt(action) {
    if (this.note !== undefined) return;
    try {
      await action();
    } catch ({ message }) {
      this.note = message;
      await this.end();
    }
  }

  end() {
    return Promise.all(this.#members.map((member) => member.end()));
  }
}

const crews = Object.entries(jobs).map(([name, job]) => [name, new Crew(job)]);
const eachInTurn = async (action) => {
  for (const [, crew] of crews) await crew.attempt(() => action(crew));
};

/** Windows until all is compiled and what is lent is lent, then those that count. */
async function rounds(count, work) {
  const warm = performance.now() + plan.workerWarmMs;
  do await eachInTurn((crew) => work(crew, false));
  while (performance.now() < warm);
  for (let index = 0; index < count; index += 1) await eachInTurn((crew) => work(crew, true));
}

// Alone first, while nobody has anything together: who shared once may have slower code for the rest of its life.
await eachInTurn((crew) => crew.openAlone());
await rounds(plan.workerRounds / 2, (crew, isWarm) => crew.workAlone(isWarm));
await eachInTurn((crew) => crew.openTogether());
await rounds(plan.workerRounds, (crew, isWarm) => crew.workByTurns(isWarm));
await eachInTurn((crew) => crew.close());
console.log(JSON.stringify(Object.fromEntries(crews.map(([name, crew]) => [name, crew.result()]))));
await Promise.all(crews.map(([, crew]) => crew.end()));
