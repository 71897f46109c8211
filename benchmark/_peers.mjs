// The peers that may be absent. A peer that does not load is a cell that says so, never a reason to stop.

/** A function that not every C library has. */
function optional(library, declaration) {
  try {
    return library.func(declaration);
  } catch {
    return undefined;
  }
}

/** C's allocator through koffi, or why not. */
async function loadLibc() {
  try {
    const { default: koffi } = await import('koffi');
    const library = process.platform === 'win32' ? koffi.load('msvcrt.dll') : koffi.load(null);
    const malloc = library.func('void *malloc(size_t size)');
    const calloc = library.func('void *calloc(size_t count, size_t size)');
    const free = library.func('void free(void *pointer)');
    const view = (pointer, size) => new Uint8Array(koffi.view(pointer, size));
    const pointer = malloc(64);
    view(pointer, 64)[63] = 1;
    free(pointer);
    const memset = library.func('void *memset(void *pointer, int byte, size_t size)');
    const alignedAlloc = optional(library, 'void *aligned_alloc(size_t alignment, size_t size)');
    const mallocTrim = optional(library, 'int malloc_trim(size_t pad)');
    return { version: koffi.version, malloc, calloc, free, view, address: koffi.address, memset, alignedAlloc, mallocTrim };
  } catch (error) {
    return { missing: `koffi did not load: ${error.message.split('\n')[0]}` };
  }
}

const loaded = await loadLibc();

/** C's `malloc`, `free`, and `view(pointer, size)`; throws where koffi is missing. */
export function libc() {
  if (loaded.missing !== undefined) throw new Error(loaded.missing);
  return loaded;
}

/** Pairs of `malloc` and `free`, one at a time. */
export function mallocPairs(size) {
  const { malloc, free } = libc();
  return (n) => {
    for (let i = 0; i < n; i += 1) free(malloc(size));
    return n;
  };
}

/** Pairs that replace one of `pointers` at a time, in the places that `order[i & mask]` names. */
export function mallocReplacing(pointers, size, order, mask) {
  const { malloc, free } = libc();
  return (n) => {
    for (let i = 0; i < n; i += 1) {
      const at = order[i & mask];
      free(pointers[at]);
      pointers[at] = malloc(size);
    }
    return n;
  };
}

export const koffiVersion = loaded.version ?? loaded.missing;

/** An allocator over one ArrayBuffer, written in JavaScript, or why not. */
async function loadThing() {
  try {
    const { MemPool } = await import('@thi.ng/malloc');
    return { MemPool };
  } catch (error) {
    return { missing: `@thi.ng/malloc did not load: ${error.message.split('\n')[0]}` };
  }
}

const thing = await loadThing();

/** A pool of so many bytes; throws where the package is missing. */
export function memPool(size) {
  if (thing.missing !== undefined) throw new Error(thing.missing);
  return new thing.MemPool({ size });
}

/** Typed arrays that are kept instead of dropped, or why not. */
async function loadTyped() {
  try {
    return (await import('typedarray-pool')).default;
  } catch (error) {
    return { missing: `typedarray-pool did not load: ${error.message.split('\n')[0]}` };
  }
}

const typed = await loadTyped();

/** The package's functions; throws where it is missing. */
export function typedArrayPool() {
  if (typed.missing !== undefined) throw new Error(typed.missing);
  return typed;
}
