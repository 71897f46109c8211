// Rust source as the rules need it: code without comments, strings and attributes, at unchanged positions.
// A scanner of a few tokens, not a parser: the compiler has already accepted the file.

const blank = (text) => text.replace(/[^\n]/g, ' ');

/** The end of the literal or comment that starts at `from`, or `from` itself when none starts there. */
function skip(text, from) {
  if (text.startsWith('//', from)) return indexOr(text, '\n', from);
  if (text.startsWith('/*', from)) return endOfBlockComment(text, from);
  const before = from > 0 ? text[from - 1] : ' ';
  const raw = /\w/.test(before) ? null : /^(?:b|c)?r(#*)"/.exec(text.slice(from, from + 40));
  if (raw) return indexOr(text, `"${raw[1]}`, from + raw[0].length, raw[1].length + 1);
  if (text[from] === '"') return endOfString(text, from + 1);
  if (text[from] === "'") return endOfChar(text, from);
  return from;
}

function indexOr(text, token, from, extra = 0) {
  const at = text.indexOf(token, from);
  return at === -1 ? text.length : at + extra;
}

function endOfBlockComment(text, from) {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith('/*', at)) { depth += 1; at += 1; }
    else if (text.startsWith('*/', at)) { depth -= 1; at += 1; if (depth === 0) return at + 1; }
  }
  return text.length;
}

function endOfString(text, from) {
  let at = from;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** `'x'` and `'\n'` are characters, `'a` is a lifetime. */
function endOfChar(text, from) {
  const char = /^'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'])'/us.exec(text.slice(from, from + 14));
  return char ? from + char[0].length : from + 1;
}

function withoutLiterals(text) {
  let code = '';
  for (let at = 0; at < text.length;) {
    const end = skip(text, at);
    if (end > at) { code += text[at] === "'" && end === at + 1 ? "'" : blank(text.slice(at, end)); at = end; }
    else { code += text[at]; at += 1; }
  }
  return code;
}

/** The position of the bracket that closes the one at `from`. */
export function closing(code, from) {
  const [open, close] = { '{': '{}', '[': '[]', '(': '()' }[code[from]];
  let depth = 0;
  for (let at = from; at < code.length; at += 1) {
    if (code[at] === open) depth += 1;
    if (code[at] === close && (depth -= 1) === 0) return at;
  }
  return code.length;
}

/**
 * @returns code: the text with everything but code blanked; attributes: spans with their source text;
 * modules: spans of inline `mod x { … }`, marked when they exist for tests only.
 */
export function readRust(text) {
  let code = withoutLiterals(text);
  const attributes = [];
  for (const { index } of code.matchAll(/#!?\[/g)) {
    if (attributes.some(({ end }) => index < end)) continue;
    const end = closing(code, code.indexOf('[', index)) + 1;
    attributes.push({ start: index, end, text: text.slice(index, end) });
  }
  for (const { start, end } of attributes) code = code.slice(0, start) + blank(code.slice(start, end)) + code.slice(end);
  const modules = [...code.matchAll(/\bmod\s+(\w+)\s*\{/g)].map((match) => ({
    name: match[1],
    start: match.index,
    end: closing(code, match.index + match[0].length - 1),
    forTests: attributes.some(({ end, text: attribute }) =>
      /cfg\((?:all\()?test\b/.test(attribute) && end <= match.index && /^\s*(pub(\([^)]*\))?\s*)?$/.test(code.slice(end, match.index))),
  }));
  return { text, code, attributes, modules };
}

export const lineAt = (text, position) => text.slice(0, position).split('\n').length;
