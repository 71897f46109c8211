// The words the demo's files share. Types only: nothing of this runs.
import type { Checks } from './checks.mjs';
import type { Ledger } from './ledger.mjs';
import type { Printer } from './printer.mjs';

/** The real input: a large file, read the ordinary way. */
export interface Input {
  readonly path: string;
  readonly bytes: Buffer;
  /** Hexadecimal SHA-256 of `bytes`. */
  readonly sha256: string;
}

/** What the JSON report tells about a scene beyond its checks. */
export type Facts = { [name: string]: string | number | boolean | null | Facts | Facts[] };

export interface Context {
  readonly input: Input;
  readonly checks: Checks;
  readonly ledger: Ledger;
  readonly printer: Printer;
  readonly facts: Facts;
}

export interface Scene {
  readonly name: string;
  /** One line for people. */
  readonly about: string;
  run(context: Context): void | Promise<void>;
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** Of a failed check, as text. */
  readonly expected?: string;
  readonly actual?: string;
}

/** What a row shows beside its text: how many bytes, and the time it took (shown as a rate) or any other result. */
export interface RowFacts {
  readonly bytes?: number;
  readonly ms?: number;
  readonly result?: string;
  /** Shown only if the check fails. */
  readonly quiet?: boolean;
}

export interface SceneReport {
  readonly name: string;
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly ms: number;
  readonly facts: Facts;
}

/** The last line of stdout under `--json`. */
export interface Report {
  readonly ok: boolean;
  readonly scenes: readonly SceneReport[];
}
