// The documented codes, as the tables of the contract list them: not taken from the package, which is what is tested.
export const ERROR_CODES = [
  'ERR_INVALID_ARG_TYPE',
  'ERR_INVALID_ARG_VALUE',
  'ERR_OUT_OF_RANGE',
  'ERR_OFFHEAP_OUT_OF_MEMORY',
  'ERR_OFFHEAP_LIMIT',
  'ERR_OFFHEAP_USE_AFTER_FREE',
  'ERR_OFFHEAP_DOUBLE_FREE',
  'ERR_OFFHEAP_FOREIGN_BLOCK',
  'ERR_OFFHEAP_IN_USE',
  'ERR_OFFHEAP_NOT_SUPPORTED',
  'ERR_OFFHEAP_ESCAPED',
];
