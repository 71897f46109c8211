// 70,000 different labels: those that came too late read '(other)', and nothing else changes.
// expect: exit=0 code=none
import { DirectMemoryManager as dmm, finish, same } from './_expect.mjs';

for (let index = 0; index < 70_000; index += 1) dmm.allocateMemory(64, 'word', { label: `label ${index}` }).free();
const live = [dmm.allocateMemory(64, 'word', { label: 'label 7' }), dmm.allocateMemory(64, 'word', { label: 'too late' })];
same(live[0].label, 'label 7', 'an early label');
same(live[1].label, '(other)', 'a late label');
finish({ live });
