// File length: what does not fit is two things.
import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { filesUnder } from '../lib.mjs';
import { LINES_PER_FILE_MAX, SOURCE_ROOTS } from './table.mjs';

export function checkLength(root) {
  return filesUnder(...SOURCE_ROOTS.map((name) => join(root, name)))
    .filter((path) => /\.(rs|[cm]?ts|mjs|cjs|js)$/.test(path) && !/[\\/](target|node_modules)[\\/]/.test(path))
    .map((path) => ({ name: relative(root, path).split(sep).join('/'), lines: readFileSync(path, 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > LINES_PER_FILE_MAX)
    .map(({ name, lines }) => `${name}: ${lines} lines, the limit is ${LINES_PER_FILE_MAX}; split it by reason to change`);
}
