// Reads ava's TAP output: counts, and every failure in full. What was skipped or left for later is a failure.

/** @returns {{ passed: number, failures: string[], complete: boolean, byFile: Map<string, number> }} */
export function readTap(text) {
  const failures = [];
  const byFile = new Map();
  let passed = 0;
  let complete = false;
  let open = null; // the failure whose details are being read
  for (const line of text.split('\n')) {
    const result = /^(not ok|ok) \d+ - (.*?)(?: # ([A-Z]{4})\b.*)?$/.exec(line); // a directive has four capitals
    if (result) {
      const [, verdict, title, directive] = result;
      open = null;
      if (verdict === 'ok' && !directive) {
        passed += 1;
        const file = title.includes(' › ') ? title.split(' › ')[0] : '(one file)';
        byFile.set(file, (byFile.get(file) ?? 0) + 1);
      } else {
        open = failures.push(`FAILED ${title}${directive ? `: marked ${directive.toLowerCase()}; make it run or delete it` : ''}`) - 1;
      }
    } else if (/^1\.\.\d+$/.test(line)) {
      open = null;
      complete = true;
    } else if (open !== null && !/^ {2}(---|\.\.\.)$/.test(line)) {
      failures[open] += `\n${line}`;
    }
  }
  return { passed, failures, complete, byFile };
}
