// How many blocks the rows about what stays resident have, which of them survive, and what may stay: for the process that measures and for
// the one that judges.
export const MIB = 1024 * 1024;

const COUNT = 400_000;
const SURVIVORS = COUNT / 64;

/** Of so many blocks each 64th survives: the first ones, which lie together, or every 64th. */
export const FREED = {
  count: COUNT,
  size: 1000,
  survivors: SURVIVORS,
  survives: { together: (index) => index < SURVIVORS, scattered: (index) => index % 64 === 0 },
};

export const LIVE = { count: 1_000_000, size: 64 };

export const liveBytes = FREED.survivors * FREED.size;

/** Of the bytes that live, or of the pages that they stand on, 1.3 times as much, and 16 MiB for what there is about all that were freed. */
export const mayStayMiB = (bytes) => (1.3 * bytes) / MIB + 16;

/** How many pages of `page` bytes memory of `size` bytes each stands on. */
export function pagesOf(addresses, size, page) {
  const pages = new Set();
  for (const start of addresses) for (let at = Math.floor(start / page); at * page < start + size; at += 1) pages.add(at);
  return pages.size;
}
