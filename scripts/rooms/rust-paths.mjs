// Which module paths a Rust file names, made absolute: `use` trees and inline `crate::`, `self::`, `super::` paths.

/** Splits at commas that stand outside braces. */
function splitTop(text) {
  const parts = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}') depth -= 1;
    if ((text[at] === ',' && depth === 0) || at === text.length) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  return parts.filter(Boolean);
}

/** Every path of a use tree: `a::{b, c::d}` gives a::b and a::c::d. A glob ends with `*`. */
function expand(tree, prefix = []) {
  const brace = tree.indexOf('{');
  const head = (brace === -1 ? tree : tree.slice(0, brace)).replace(/\s+as\s+\w+\s*$/, '');
  const segments = [...prefix, ...head.split('::').map((part) => part.trim()).filter(Boolean)];
  if (brace === -1) return [segments];
  return splitTop(tree.slice(brace + 1, tree.lastIndexOf('}'))).flatMap((part) => expand(part, segments));
}

/** Makes a path absolute from the module it stands in; null when it names another crate. */
function absolute(segments, here) {
  if (!['crate', 'self', 'super'].includes(segments[0])) return null;
  let path = segments[0] === 'crate' ? [] : [...here];
  for (const segment of segments) {
    if (segment === 'super') path = path.slice(0, -1);
    else if (segment !== 'crate' && segment !== 'self') path.push(segment);
  }
  return path;
}

/**
 * @param {{ code: string, modules: { name: string, start: number, end: number }[] }} source
 * @param {string[]} module the file's own module path, such as ['raw', 'os', 'linux']
 * @returns {{ path: string[], position: number, isMacro: boolean }[]} absolute paths inside this crate
 */
export function pathsNamed({ code, modules }, module) {
  const found = [];
  const hereAt = (position) => [...module, ...modules.filter(({ start, end }) => start < position && position < end).map(({ name }) => name)];
  const record = (segments, position, isMacro = false) => {
    const path = absolute(segments, hereAt(position));
    if (path) found.push({ path, position, isMacro });
  };
  const inline = code.replace(/\buse\s+([^;]*);/g, (statement, tree, position) => {
    for (const segments of expand(tree.replace(/^\s*::/, ''))) record(segments, position);
    return statement.replace(/[^\n]/g, ' ');
  });
  for (const match of inline.matchAll(/(?<![\w:])(?:crate|self|super)(?:\s*::\s*(?:\w+|\*))+(\s*!(?!=))?/g)) {
    record(match[0].replace(/!$/, '').split('::').map((part) => part.trim()), match.index, match[1] !== undefined);
  }
  for (const match of code.matchAll(/\boffheap_core\s*::|\bextern\s+crate\s+self\b/g)) {
    found.push({ path: [], position: match.index, isMacro: false }); // the crate under its outside name
  }
  return found;
}
