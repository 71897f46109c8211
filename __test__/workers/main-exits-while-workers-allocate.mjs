// Main calls process.exit(9) at a random moment, while workers load the package, allocate, view, lease and are granted memory: the exit code is main's own.
// expect: exit=9 code=none
import { checkBystanders } from '../misuse/_expect.mjs';
import { openAll } from './_lives.mjs';
import { check, print, startWorker } from './_workers.mjs';

const scenes = ['blocks', 'views', 'leases', 'grants'];
const own = openAll().map((allocator) => allocator.allocate(100).fill(9));
const crew = scenes.slice(Number(process.argv[2]) % 2, 3).map((scene, number) => startWorker(new URL('_lives.mjs', import.meta.url), { scene, number }));
if (process.argv[2] !== '0') await Promise.all(crew.map(({ told }) => told));
process.on('exit', () => {
  checkBystanders();
  check(own.every((memory) => memory.getUint8(99) === 9), "main's own grants at exit");
  print({ workers: crew.length });
});
setTimeout(() => process.exit(9), Math.random() * 40);
