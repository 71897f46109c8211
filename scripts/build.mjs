// `npm run build`: addon, then dist/. Arguments go to `napi build`:
// `npm run build -- --target aarch64-unknown-linux-musl -x`.
import { buildAddon, buildDist } from './builders.mjs';
import { ensurePackages } from './ensure.mjs';
import { cargoEnvironment, main } from './lib.mjs';

await main(async (extra) => {
  cargoEnvironment(); // a missing toolchain is said before the wait for npm
  await ensurePackages();
  await buildAddon(extra);
  await buildDist();
});
