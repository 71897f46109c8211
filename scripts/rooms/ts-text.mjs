// TypeScript source as the rules need it: code without comments, and its string literals with their positions.

/** @returns {{ code: string, strings: { start: number, value: string }[] }} comments and strings are blank in `code` */
export function readTypeScript(text) {
  const strings = [];
  let code = '';
  const pass = (length, keep) => {
    const part = text.slice(code.length, code.length + length);
    code += keep ? part : part.replace(/[^\n]/g, ' ');
  };
  while (code.length < text.length) {
    const at = code.length;
    const rest = text.slice(at);
    const comment = /^(?:\/\/[^\n]*|\/\*[\s\S]*?\*\/)/.exec(rest);
    const literal = /^(?:'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`)/.exec(rest);
    const pattern = startsPattern(code) ? /^\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//.exec(rest) : null;
    if (comment) pass(comment[0].length, false);
    else if (literal) {
      strings.push({ start: at, value: literal[0].slice(1, -1) });
      pass(literal[0].length, false);
    } else if (pattern) pass(pattern[0].length, false);
    else pass(/^\w+|^[\s\S]/.exec(rest)[0].length, true);
  }
  return { code, strings };
}

/** After an operator or a keyword a slash begins a regular expression, after a value it divides. */
const startsPattern = (code) => /(?:^|[-+*%=<>!&|^~?:,;({[]|\b(?:return|typeof|case|in|of))\s*$/.test(code.slice(-20));

/** Module specifiers of a file: static, re-exported, dynamic and required ones. */
export function importsOf({ code, strings }) {
  return strings.filter(({ start }) => /\b(?:from|import)\s*$|\b(?:import|require)\s*\(\s*$/.test(code.slice(Math.max(0, start - 60), start)));
}
