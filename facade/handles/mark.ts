/**
 * Mark: a position of an arena, to which it can be rewound.
 * Room: handles (5). May use: types, region.
 */
import type { ArenaMark } from '../types.js';
import type { Region } from './region.js';

/** A remembered position of one arena. */
export class Mark implements ArenaMark {
  readonly #region: Region;
  readonly #level: number;
  readonly #serial: number;
  static isMark: (value: unknown) => value is Mark;
  static fieldsOf: (mark: Mark) => { readonly region: Region; readonly level: number; readonly serial: number };

  static {
    this.isMark = (value): value is Mark => typeof value === 'object' && value !== null && #level in value;
    this.fieldsOf = (mark) => ({ region: mark.#region, level: mark.#level, serial: mark.#serial });
  }

  constructor(region: Region, level: number, serial: number) {
    this.#region = region;
    this.#level = level;
    this.#serial = serial;
  }

  get [Symbol.toStringTag](): string {
    return 'ArenaMark';
  }
}

export const isMark: typeof Mark.isMark = Mark.isMark;
export const fieldsOf: typeof Mark.fieldsOf = Mark.fieldsOf;
