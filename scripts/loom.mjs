// `npm run test:loom`: the models of crates/offheap-loom, each run in every order that its threads can take.
// `-- NAME` runs those whose names contain it.
import { Stop, finish, heading, loomFlags, main, runCargo } from './lib.mjs';
import { modelArgs, modelSuite } from './suites.mjs';

/** Several times what they take on two cores: a model that has no end is stopped. Building has no part in it. */
const LIMIT_MS = 10 * 60_000;

await main(async (args) => {
  if (args.length > 1 || args[0]?.startsWith('-')) throw new Stop('Usage: npm run test:loom [-- part-of-a-name]');
  heading('Models: build');
  const { code } = await runCargo([...modelArgs, '--no-run'], { env: loomFlags() });
  if (code !== 0) throw new Stop('The models could not be built: the compiler says above why.');
  heading('Models');
  return finish(await modelSuite({ part: args[0], limitMs: LIMIT_MS }));
});
