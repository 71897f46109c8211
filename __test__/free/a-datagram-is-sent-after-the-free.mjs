// dgram.send of views, whose blocks are freed before the socket has sent them: no datagram has a byte of a new owner.
// expect: exit=0 code=none
import { createSocket } from 'node:dgram';
import { DirectMemoryManager as dmm, SIZES, check, finish } from './_free.mjs';
import { SECRET, called, freeAndCrowd, ownersAreIntact } from './_late.mjs';

const [sending, receiving] = [createSocket('udp4'), createSocket('udp4')];
await new Promise((resolve) => { receiving.bind(0, '127.0.0.1', resolve); });
const { port } = receiving.address();
await new Promise((resolve) => { sending.bind(0, '127.0.0.1', resolve); }); // else it binds later, and throws over a buffer that has gone
const received = [];
receiving.on('message', (bytes) => received.push(bytes));
for (const size of SIZES.filter((each) => each <= 5000)) {
  const block = dmm.allocateMemory(size).fill(7);
  const bytes = block.bytes();
  const sent = [called((done) => { sending.send(bytes, port, '127.0.0.1', done); }), called((done) => { sending.send([bytes, bytes.subarray(8)], port, '127.0.0.1', done); })];
  const owners = freeAndCrowd(block);
  await Promise.all(sent);
  await called((done) => { sending.send(Buffer.from('last'), port, '127.0.0.1', done); });
  ownersAreIntact(owners);
}
while (received.filter((bytes) => bytes.toString() === 'last').length < 3) await new Promise((resolve) => { receiving.once('message', resolve); });
check(received.every((bytes) => !bytes.includes(SECRET)), 'a byte of a new owner was sent');
sending.close();
receiving.close();
finish();
