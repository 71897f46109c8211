// One process of one group: `node --expose-gc benchmark/run.mjs <group> <json>`. It reports each row to the process that started it;
// started by hand it prints them. What benny prints goes nowhere: only stderr is for people.
import { DirectMemoryManager } from 'offheap';
import { PLANS, timeRow } from './_harness.mjs';
import { measureEmptyCall } from './_yardstick.mjs';

const [groupName, json = '{}'] = process.argv.slice(2);
const { plan = PLANS.quick, operations } = JSON.parse(json);
const report = process.send ? (message) => process.send(message) : (message) => console.error(JSON.stringify(message));

/**
 * What a program has usually done before: the paths are then compiled for the general case, whichever rows were asked for. It returns
 * what a program usually keeps: with no block alive at all, a full collection drops the code that V8 compiled for blocks.
 */
function behaveLikeAProgram() {
  const kept = [DirectMemoryManager.allocateMemory(64), DirectMemoryManager.allocateMemory(64)];
  kept[1].bytes().fill(1);
  for (let i = 0; i < 300; i += 1) {
    const size = [64, 1000, 40_000][i % 3];
    const plain = DirectMemoryManager.allocateMemory(size, i % 2 === 0 ? undefined : 'page');
    const viewed = DirectMemoryManager.allocateMemory(size, undefined, { zeroed: i % 5 === 0 });
    const buffer = DirectMemoryManager.createDirectByteBuffer(viewed);
    viewed.bytes()[i & 31] = i & 255;
    for (const block of [plain, viewed]) {
      block.setInt32(0, i);
      block.setFloat64(8, block.getInt32(0) / 3);
      block.getFloat64(8);
    }
    DirectMemoryManager.copyMemory(plain, 0, viewed, 0, 16);
    DirectMemoryManager.copyMemory(buffer, 0, plain, 0, 32);
    for (const block of [plain, viewed]) DirectMemoryManager.freeMemory(block);
  }
  return kept;
}

const { rows, warmUp } = await import(`./${groupName}.mjs`);
const kept = behaveLikeAProgram();
warmUp?.();
report({ yardstick: measureEmptyCall() });
for (const row of rows) {
  if (operations !== undefined && !operations.includes(row.operation)) continue;
  report(await timeRow(row, plan));
  report({ yardstick: measureEmptyCall(15) }); // as often as ours: else a busy host would find less quiet moments for it, and targets grow
  DirectMemoryManager.trim(); // what one row leaves in our caches is no part of the next
}
for (const block of kept) block.free();
process.disconnect?.();
