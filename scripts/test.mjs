// `npm test`: everything that decides whether the library works, on the Node that runs this.
// `--only rust,portable,rooms,specs,native,types` picks suites (CI runs the specs where no Rust is installed).
import { ensure } from './ensure.mjs';
import { Stop, finish, heading, inRoot, main } from './lib.mjs';
import { PARTS, avaSuite, portableSuite, rustSuite, scriptSuite } from './suites.mjs';

const suites = {
  rust: ['Rust core', () => rustSuite()],
  portable: ['Rust core on portable memory', () => portableSuite()],
  rooms: ['Rooms, and planted breaches of them', () => scriptSuite('Rooms', inRoot('scripts', 'rooms.mjs'), '--self-test')],
  specs: ['Specs', () => avaSuite()],
  native: ['Specs of who hands memory out, every allocation by a native call', () => avaSuite({ frontend: 'off', part: PARTS.handing })],
  types: ['Types', () => scriptSuite('Types', inRoot('scripts', 'types.mjs'))],
};

function chosen(args) {
  if (args.length === 0) return Object.keys(suites);
  const names = args[0] === '--only' && args.length === 2 ? args[1].split(',') : [];
  if (names.length === 0 || names.some((name) => !Object.hasOwn(suites, name))) {
    throw new Stop(`Usage: npm test [-- --only ${Object.keys(suites).join(',')}]`);
  }
  return names;
}

await main(async (args) => {
  const names = chosen(args);
  await ensure();
  const total = { passed: 0, failed: 0 };
  for (const name of names) {
    const [title, suite] = suites[name];
    heading(title);
    const { passed, failed } = await suite();
    total.passed += passed;
    total.failed += failed;
  }
  return finish(total);
});
