// Before load, Object.prototype gets options and environment variables: without options they are not asked, and the environment is its own.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "options.zeroed" property must be of type boolean. Received type string ('yes')
Object.assign(Object.prototype, { zeroed: 'yes', label: 8, OFFHEAP_LIMIT: '1', OFFHEAP_TABLE: 'x', alignment: 3 });
const { DirectMemoryManager: dmm, MemoryBlock, finish, pinBystanders, refuses, same } = await import('./_expect.mjs');
const { walk } = await import('./_tour.mjs');

const unpin = pinBystanders();
same(walk() ?? walk(), undefined, 'the tour');
unpin();
const live = [dmm.allocateMemory(64), dmm.allocateMemory(64, 'page'), dmm.allocateMemory(64, 'page', undefined), MemoryBlock.from(new Uint8Array(8))];
for (const block of live) same(block.label, undefined, 'label');
refuses('ERR_INVALID_ARG_TYPE', () => dmm.allocateMemory(64, 'word', {}), () => dmm.allocateMemory(64, 'word', { zeroed: false })); // with options it is what they inherit
finish({ live });
