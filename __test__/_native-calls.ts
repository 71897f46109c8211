// Counts the calls that a program makes to the addon. Import it before the library: from then on `process.dlopen`, through which Node and the library load
// every addon, hands out functions that count and call through.

/** How often each function of the addon was called. */
export const counts = new Map<string, number>();

type AnyFunction = (...args: readonly unknown[]) => unknown;
type Loaded = { exports: { [name: string]: unknown } };

function counting(name: string, real: AnyFunction): AnyFunction {
  counts.set(name, 0);
  return (...args) => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    return real(...args);
  };
}

const { dlopen } = process;

process.dlopen = (module: object, ...rest: [filename: string, flags?: number]): void => {
  Reflect.apply(dlopen, process, [module, ...rest]);
  const loaded = module as Loaded;
  const entries = Object.entries(loaded.exports);
  loaded.exports = Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'function' ? counting(name, value as AnyFunction) : value]),
  );
};

/** How often `act` calls each function of the addon that it does call. */
export function callsOf(act: () => void): { readonly [name: string]: number } {
  const before = new Map(counts);
  act();
  const made = [...counts].map(([name, count]): [string, number] => [name, count - (before.get(name) ?? 0)]);
  return Object.fromEntries(made.filter(([, count]) => count > 0));
}

/** All calls together. */
export const sumOf = (calls: { readonly [name: string]: number }): number => Object.values(calls).reduce((sum, count) => sum + count, 0);
