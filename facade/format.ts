/**
 * Format: numbers, sizes, addresses, ages and whole snapshots as text for people. Describing a value never runs user code: no
 * `valueOf`, no `toString`, no getter, no Proxy trap.
 * Room: format (1). May use: primordials, types.
 */
import { inspect } from 'node:util';
import * as p from './primordials.js';
import type { Alignment } from './types.js';

// === Values of any kind ===

const TEXT_MAX = 28; // Node's own cut
const BIGINT_SHOWN_MAX = 10n ** 28n;

/** At most 28 characters, none of them a control character. */
function short(text: string): string {
  let shown = '';
  for (let index = 0; index < text.length && index <= TEXT_MAX; index += 1) {
    const unit = p.charCodeAt(text, index);
    shown += unit < 32 || unit === 127 ? '?' : p.stringSlice(text, index, index + 1);
  }
  return text.length > TEXT_MAX ? `${p.stringSlice(shown, 0, TEXT_MAX - 3)}...` : shown;
}

/** An integer in groups of three digits. */
export function groupedText(value: number, separator: string = ','): string {
  const digits = `${value}`;
  let text = '';
  let end = digits.length;
  for (; end > 3; end -= 3) text = separator + p.stringSlice(digits, end - 3, end) + text;
  return p.stringSlice(digits, 0, end) + text;
}

function numberText(value: number): string {
  if (value === 0) return 1 / value < 0 ? '-0' : '0';
  const size = value < 0 ? -value : value;
  if (!p.isInteger(value) || size <= 2 ** 32 || size >= 1e21) return `${value}`;
  return (value < 0 ? '-' : '') + groupedText(size, '_'); // as Node writes large numbers
}

/** The value of the own data property `key`; a getter is not run. Not for Proxies. */
function ownData(target: object, key: string): unknown {
  const descriptor = p.getOwnPropertyDescriptor(target, key);
  return descriptor !== undefined && p.hasOwn(descriptor, 'value') ? descriptor.value : undefined;
}

function nameOf(callable: unknown): string {
  const name = typeof callable === 'function' && !p.isProxy(callable) ? ownData(callable, 'name') : '';
  return typeof name === 'string' ? short(name) : '';
}

function objectText(value: object): string {
  let holder: object | null = value;
  for (let depth = 0; holder !== null && depth < 64; depth += 1) {
    if (p.isProxy(holder)) return depth === 0 ? 'a Proxy' : 'an object';
    if (p.hasOwn(holder, 'constructor')) {
      const name = nameOf(ownData(holder, 'constructor'));
      return name === '' ? 'an object' : `an instance of ${name}`;
    }
    holder = p.getPrototypeOf(holder);
  }
  return 'an object without a prototype';
}

/** A primitive as it is written in code, anything else by its kind. */
export function valueText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `'${short(value)}'`;
    case 'number':
      return numberText(value);
    case 'bigint':
      return value > BIGINT_SHOWN_MAX || value < -BIGINT_SHOWN_MAX ? 'beyond 10^28' : `${value}n`;
    case 'symbol':
      return short(p.symbolToString(value));
    case 'function':
      return p.isProxy(value) ? 'a Proxy' : `function ${nameOf(value)}`;
    case 'object':
      return value === null ? 'null' : objectText(value);
    default:
      return `${value}`; // undefined, true, false
  }
}

/** As {@link valueText}, with the type before a primitive. */
export function typeText(value: unknown): string {
  const text = valueText(value);
  const plain = value === undefined || typeof value === 'object' || typeof value === 'function';
  return plain ? text : `type ${typeof value} (${text})`;
}

// === Quantities ===

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `'512 B'`, `'2 MiB'`, `'1.43 GiB'`: at most two decimals. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1023.995 && unit < UNITS.length - 1; unit += 1) value /= 1024;
  return `${unit === 0 ? value : p.round(value * 100) / 100} ${UNITS[unit]}`;
}

/** `'512 bytes'`, `'2,097,152 bytes (2 MiB)'`. */
export function bytesText(bytes: number): string {
  const count = `${groupedText(bytes)} ${bytes === 1 ? 'byte' : 'bytes'}`;
  return bytes < 1024 ? count : `${count} (${formatBytes(bytes)})`;
}

/** `0x7f…`: lower-case hexadecimal, no padding. */
export function formatAddress(address: bigint): string {
  return `0x${p.bigintToString(address, 16)}`;
}

/** `'12ms'`, `'3.4s'`, `'5min'`, `'2.5h'`, `'1.2d'`: at most one decimal. */
export function formatAge(ageMs: number): string {
  if (ageMs < 1000) return `${p.round(ageMs)}ms`;
  const [size, unit] =
    ageMs < 60_000 ? [1000, 's'] : ageMs < 3_600_000 ? [60_000, 'min'] : ageMs < 86_400_000 ? [3_600_000, 'h'] : [86_400_000, 'd'];
  return `${p.round((ageMs / size) * 10) / 10}${unit}`;
}

/** What `toString()` of a handle shows; undefined where a dead handle no longer knows. */
export interface BlockText {
  readonly id: number;
  readonly address: bigint;
  readonly size: number;
  readonly alignment: Alignment | undefined;
  readonly ageMs: number | undefined;
  readonly freed: boolean;
}

/** `MemoryBlock[id=7, addr=0x7f00, size=64, alignment=word, age=3ms, freed=false]`; `?` for what is not known. */
export function formatBlock(className: string, block: BlockText): string {
  const { id, address, size, alignment = '?', ageMs = '?', freed } = block;
  return `${className}[id=${id}, addr=${formatAddress(address)}, size=${size}, alignment=${alignment}, age=${ageMs}ms, freed=${freed}]`;
}

/** What a text about an allocator tells. */
export interface AllocatorText {
  readonly name: string;
  readonly type: string;
  readonly totalSize: number;
  readonly open: boolean;
}

/** `AdvancedMemoryAllocator['frames', slab, 16 MiB]`. */
export function formatAllocator({ name, type, totalSize, open }: AllocatorText): string {
  return `AdvancedMemoryAllocator[${valueText(name)}, ${type}, ${formatBytes(totalSize)}${open ? '' : ', closed'}]`;
}

/** What a text about a pool tells. */
export interface PoolText {
  readonly label: string | undefined;
  readonly blockSize: number;
  readonly maxSize: number;
  readonly limit: number | undefined;
  readonly isClosed: boolean;
}

/** `MemoryPool['frames', 1 KiB blocks, 50 idle at most, limit 200]`. */
export function formatPool({ label, blockSize, maxSize, limit, isClosed }: PoolText): string {
  const name = label === undefined || label === '' ? '' : `${valueText(label)}, `;
  const most = limit === undefined ? '' : `, limit ${groupedText(limit)}`;
  return `MemoryPool[${name}${formatBytes(blockSize)} blocks, ${groupedText(maxSize)} idle at most${most}${isClosed ? ', closed' : ''}]`;
}

/** What a text about a range inside a region tells. */
export interface AllocatedText {
  readonly id: number;
  readonly address: bigint;
  readonly size: number;
  readonly offset: number;
  readonly allocator: string;
  readonly valid: boolean;
}

/** `AllocatedMemory[id=7, addr=0x7f00, size=64, offset=128, allocator='frames', valid=true]`. */
export function formatAllocated({ id, address, size, offset, allocator, valid }: AllocatedText): string {
  return `AllocatedMemory[id=${id}, addr=${formatAddress(address)}, size=${size}, offset=${offset}, allocator=${valueText(allocator)}, valid=${valid}]`;
}

// === Snapshots ===

const BYTE_FIELDS: string =
  ' totalAllocated totalFreed currentAllocated peakAllocated averageBlockSize minBlockSize maxBlockSize committed quarantined escaped' +
  ' totalSize allocatedSize requestedSize freeSize largestFree blockSize size actualSize ';

type Fields = { readonly [field: string]: unknown };

function isBytes(field: string): boolean {
  return p.includes(BYTE_FIELDS, ` ${field} `);
}

function percentText(value: number): string {
  return `${p.round(value * 10) / 10}%`;
}

function fieldText(name: string, value: unknown): string {
  if (typeof value === 'bigint') return formatAddress(value);
  if (p.isArray(value)) return `${(value as readonly unknown[]).length}`;
  if (typeof value === 'object' && value !== null) return `[${fieldsText(value as Fields, name)}]`;
  if (typeof value !== 'number') return valueText(value);
  if (isBytes(name)) return formatBytes(value);
  if (p.endsWith(name, 'Percent')) return percentText(value);
  return name === 'ageMs' ? formatAge(value) : `${value}`;
}

/** `a=1, b=2`; fields that are undefined are left out. Fields of a nested object take the unit of the field that holds it. */
function fieldsText(fields: Fields, holder?: string): string {
  let text = '';
  const names = p.keys(fields);
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] as string;
    const value = fields[name];
    if (value !== undefined) text += `${text === '' ? '' : ', '}${name}=${fieldText(holder ?? name, value)}`;
  }
  return text;
}

type Inspect = typeof inspect;
type InspectOptions = Parameters<Inspect>[1] & { stylize(text: string, style: string): string };

/** Stands for a number in the output of `util.inspect`. */
class Shown {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  [inspect.custom](_depth: number, options: InspectOptions): string {
    return options.stylize(this.#text, 'number');
  }
}

/** A copy for `util.inspect`: exact numbers, byte counts with their unit behind, addresses in hexadecimal. */
function shownFields(fields: Fields): object {
  const shown: { [field: string]: unknown } = {};
  const names = p.keys(fields);
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] as string;
    const value = fields[name];
    if (typeof value === 'bigint') shown[name] = new Shown(formatAddress(value));
    else if (typeof value !== 'number' || !isBytes(name) || value < 1024) shown[name] = value;
    else shown[name] = new Shown(`${value} (${formatBytes(value)})`);
  }
  return shown;
}

/** JSON has no bigint: addresses become hexadecimal text. */
function jsonFields(fields: Fields): object {
  const json: { [field: string]: unknown } = {};
  const names = p.keys(fields);
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] as string;
    const value = fields[name];
    json[name] = typeof value === 'bigint' ? formatAddress(value) : value;
  }
  return json;
}

/** `depth`: the levels that may still be shown below this object; null: all. */
function inspected(className: string, fields: Fields, depth: number | null, options: InspectOptions, again: Inspect): string {
  if (depth !== null && depth < 0) return options.stylize(`[${className}]`, 'special');
  return `${className} ${again(shownFields(fields), { ...options, depth })}`;
}

function makePrototype(className: string): object {
  const methods = {
    toString(this: Fields): string {
      return `${className}[${fieldsText(this)}]`;
    },
    toJSON(this: Fields): object {
      return jsonFields(this);
    },
    [inspect.custom](this: Fields, depth: number | null, options: InspectOptions, again: Inspect): string {
      return inspected(className, this, depth, options, again);
    },
  };
  p.define(methods, 'toString', methods.toString);
  p.define(methods, 'toJSON', methods.toJSON);
  p.define(methods, inspect.custom, methods[inspect.custom]);
  return p.freeze(methods);
}

const prototypes: { [className: string]: object | undefined } = { __proto__: null as never };

/** A fresh frozen snapshot of `fields` that is readable in text, `util.inspect` and JSON. Objects directly inside are frozen too. */
export function makeStats<Stats extends object>(className: string, fields: Stats): Readonly<Stats> {
  const prototype = (prototypes[className] ??= makePrototype(className));
  const stats = { __proto__: prototype, ...fields };
  const names = p.keys(stats);
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] as string;
    const value: unknown = (stats as Fields)[name];
    if (typeof value === 'object') p.freeze(value);
  }
  return p.freeze(stats);
}
