// Who owns which 64 bytes of a region, for isolates of which one resets or closes it at any moment. A stamp in the memory cannot tell: who
// writes one just after a reset writes into the next owner's memory. So owners are noted outside, each with its *term*: how many resets or
// closes had begun or ended when it was granted. Terms are even; while one is being ended the number is odd.
import { fail } from './_workers.mjs';

const LINE = 64;
const [TERM, OVER, LOCK, TAKEN] = [0, 1, 2, 3]; // from TAKEN on: how many each isolate was granted, by its number

export function claimsOver(bytes) {
  return { words: new SharedArrayBuffer(4 * (bytes / LINE)), state: new SharedArrayBuffer(4 * (TAKEN + 16)) };
}

export class Claims {
  late = 0;

  constructor({ words, state }, number) {
    this.words = new Int32Array(words);
    this.state = new Int32Array(state);
    this.number = number;
  }

  get term() {
    return Atomics.load(this.state, TERM);
  }

  get taken() {
    return this.takenBy(this.number);
  }

  takenBy(number) {
    return Atomics.load(this.state, TAKEN + number);
  }

  get isOver() {
    return Atomics.load(this.state, OVER) === 1;
  }

  finish() {
    Atomics.store(this.state, OVER, 1);
  }

  /** Runs what ends every grant. */
  endTerm(act) {
    Atomics.add(this.state, TERM, 1);
    act();
    Atomics.add(this.state, TERM, 1);
  }

  /** Runs `act` while no other isolate runs such a function. */
  alone(act) {
    while (Atomics.compareExchange(this.state, LOCK, 0, 1) !== 0) Atomics.wait(this.state, LOCK, 1, 1);
    try {
      return act();
    } finally {
      Atomics.store(this.state, LOCK, 0);
      Atomics.notify(this.state, LOCK);
    }
  }

  /** A grant, noted as ours; undefined when its term is over or not known for certain: then nobody may touch its bytes. */
  claim(allocate, expected = this.term) {
    const term = this.term;
    const memory = allocate();
    if (memory === null) return null;
    const bytes = memory.allocatedSize; // asked while the term lasts: afterwards there is none
    if (term !== expected || term % 2 === 1 || this.term !== term) {
      this.late += 1;
      return undefined;
    }
    const grant = { memory, bytes, term };
    if (!this.#note(grant, 0, this.number)) return undefined;
    Atomics.add(this.state, TAKEN + this.number, 1);
    return grant;
  }

  /** To be called before its free. */
  release(grant) {
    return this.#note(grant, this.number, 0);
  }

  /** Each of its lines goes from one owner to the other (0: nobody); false when a later term has begun to use them. */
  #note({ memory, bytes, term }, from, to) {
    const first = memory.offset / LINE;
    const last = (memory.offset + bytes - 1) / LINE;
    for (let line = first; line <= last; line += 1) {
      for (;;) {
        const word = Atomics.load(this.words, line);
        if (word >> 4 > term) return false;
        const owner = word >> 4 === term ? word & 15 : 0;
        if (owner !== from) fail(`given twice: line ${line} in term ${term} is ${owner}'s, not ${from}'s, as ${this.number} takes or frees it`);
        if (Atomics.compareExchange(this.words, line, word, (term << 4) | to) === word) break;
      }
    }
    return true;
  }
}
