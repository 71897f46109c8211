// `npm run proof`: every rung, one after the other, and one table. `-- --quick` takes the short form of those that have one.
import { heading, inRoot } from '../lib.mjs';
import { scriptSuite } from '../suites.mjs';
import { climbArm64 } from './arm64.mjs';
import { climbAsan } from './asan.mjs';
import { climbFaults } from './faults.mjs';
import { climbFuzz } from './fuzz.mjs';
import { climbLsan } from './lsan.mjs';
import { rungMain, timed } from './rung.mjs';
import { climbSoak } from './soak.mjs';
import { climbTsan } from './tsan.mjs';

async function climbLoom() {
  heading('Models');
  return [await timed('models', () => scriptSuite('Models', inRoot('scripts', 'loom.mjs')))];
}

/** Of the planted bugs the short form tries five, each day others. */
async function climbPlanted(quick) {
  heading('Planted bugs');
  const some = quick ? ['--some', '5'] : [];
  return [await timed(quick ? 'five bugs of today' : 'bugs', () => scriptSuite('Planted bugs', inRoot('scripts', 'planted.mjs'), ...some))];
}

await rungMain('proof', ({ quick }) => [
  { name: 'loom', run: climbLoom },
  { name: 'tsan', run: () => climbTsan() },
  { name: 'lsan', run: () => climbLsan({ quick }) },
  { name: 'fuzz', run: () => climbFuzz({ quick }) },
  { name: 'asan', run: () => climbAsan({ quick }) },
  { name: 'arm64', run: () => climbArm64({ quick }) },
  { name: 'faults', run: () => climbFaults({ quick }) },
  { name: 'soak', run: () => climbSoak({ quick }) },
  { name: 'bugs', run: () => climbPlanted(quick) },
], { hasQuick: true });
