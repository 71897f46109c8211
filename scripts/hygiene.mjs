// What must not be committed: unfinished marks, switched-off tests, paths of one machine, hosts of a private registry.
// Words are put together from halves so that this file does not report itself.
import { readFileSync, statSync } from 'node:fs';
import { Stop, finish, inRoot, isEntry, main, run } from './lib.mjs';

const word = (...halves) => halves.join('');
const marks = [
  [new RegExp(`\\b(?:${word('TO', 'DO')}|${word('FIX', 'ME')}|${word('X', 'XX')})\\b`), 'finish it, or write an issue'],
  [new RegExp(`\\b(?:${word('to', 'do')}|${word('unimple', 'mented')})!\\(`), 'write the code or remove the function'],
  [new RegExp(`\\b(?:test|it|describe)(?:\\.\\w+)*\\.${word('on', 'ly')}\\(|${word('\\.on', 'ly')}\\(['"\`]`), 'let every test of the file run'],
  [new RegExp(`\\btest(?:\\.\\w+)*\\.(?:${word('sk', 'ip')}|${word('to', 'do')})\\b`), 'make the test run or delete it'],
  [new RegExp(`#\\[${word('ign', 'ore')}`), 'make the test run or delete it'],
  [/^(?:<{7} |>{7} )/, 'end the merge'],
];
const machinePath = new RegExp(`(^|[^a-zA-Z.~])/(?:${word('wo', 'rk')}|${word('ro', 'ot')}|${word('far', 'm')}|tmp/bash_${word('jo', 'bs')})/`);
const foreignRegistry = /https?:\/\/(?!registry\.npmjs\.org|index\.crates\.io)[^/\s"'`]*(?:registry|artifactory|nexus|verdaccio|mirror|proxy)[^/\s"'`]*/i;
const lockFile = /(?:^|\/)(?:package-lock\.json|Cargo\.lock)$/;

/** Breaches in one text, each with place and remedy. */
export function marksIn(name, text) {
  const breaches = [];
  text.split('\n').forEach((line, index) => {
    const place = `${name}:${index + 1}`;
    if (!lockFile.test(name)) {
      for (const [pattern, remedy] of marks) if (pattern.test(line)) breaches.push(`${place}: \`${pattern.exec(line)[0]}\`: ${remedy}`);
      if (machinePath.test(line)) breaches.push(`${place}: a path of one machine (${machinePath.exec(line)[0].trim()}): make it relative`);
    }
    if (foreignRegistry.test(line)) breaches.push(`${place}: a private registry (${foreignRegistry.exec(line)[0]}): name packages, not hosts`);
  });
  return breaches;
}

/** Everything git tracks or would add. */
export async function hygieneBreaches() {
  const { code, stdout, stderr } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { output: 'capture' });
  if (code !== 0) throw new Stop(`git cannot list the files, and only it knows what is committed: ${stderr.trim()}`);
  const breaches = [];
  for (const name of stdout.split('\0').filter(Boolean)) {
    const path = inRoot(name);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) continue; // deleted, not yet committed
    const text = readFileSync(path, 'utf8');
    if (!text.includes('\0')) breaches.push(...marksIn(name, text));
  }
  return breaches;
}

/** The alarm is tested: each of these lines must be reported, and none of the harmless ones. */
export function hygieneSelfTest() {
  const bad = [`// ${word('TO', 'DO')} later`, `${word('to', 'do')}!()`, `test.${word('on', 'ly')}('x', t => {})`, `test.serial.${word('sk', 'ip')}('x')`,
    `#[${word('ign', 'ore')} = "slow"]`, `"/${word('wo', 'rk')}/main"`, `"/${word('ro', 'ot')}/.cargo"`, `"https://npm-${'registry'}.corp.example/x"`,
    `${'<<<<'}<<< HEAD`, `${'>>>>'}>>> theirs`];
  const good = ['const todos = []', 'mkdtemp("offheap-XXXXXX")', '../work/x', 'https://registry.npmjs.org/offheap', 'if (x.only) return'];
  return [...bad.filter((line) => marksIn('planted', line).length === 0).map((line) => `not reported: ${line}`),
    ...good.filter((line) => marksIn('planted', line).length > 0).map((line) => `wrongly reported: ${line}`)];
}

if (isEntry(import.meta.url)) await main(async () => {
  const breaches = [...(await hygieneBreaches()), ...hygieneSelfTest()];
  for (const breach of breaches) console.log(`FAILED ${breach}`);
  return finish({ passed: breaches.length === 0 ? 1 : 0, failed: breaches.length });
});
