// Which rows a quick run takes, which is to end within a minute: of each group those that tell most, besides what rows say of themselves
// (`inQuick`). With a filter it takes every row that holds the text.

/** What is left out, as "group operation". */
const LEFT_OUT = [
  /^pools what tracking costs/,
  /^allocators (?:pool|buddy) .*, replaced in random order$/,
  /^allocators ring .*, (?:LIFO|1024 alive, replaced in random order)$/,
  /^allocators (?:arena 64 B with bytes\(\)|hybrid, 'log' sizes)/,
  /^workers (?:slab .* random order|arena|buddy|object pool|MemoryPool)/,
  /^view .* (?:64 B|1 MiB), (?:200 alive|LIFO$)/,
  /^memory .* live /,
];

/** Rows that are left out by a pattern and are taken nevertheless. */
const TAKEN = [/^view Buffer \+ store (?:64 B|1 MiB), LIFO$/];

/** Whether a run takes a row. */
export function isTaken(group, { operation, inQuick = true }, { quick, filter }) {
  const name = `${group} ${operation}`;
  if (filter !== '') return name.includes(filter);
  return !quick || (inQuick && (TAKEN.some((pattern) => pattern.test(name)) || !LEFT_OUT.some((pattern) => pattern.test(name))));
}
