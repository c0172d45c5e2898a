import { networkContract } from './contract.ts';
import { MemoryWorld, SimulatedWorld } from './virtual-worlds.ts';

const urgent = 'urgent messages overtake what fills the queue, and keep their order';
const between = 'a message goes between the pieces of large answers';
const bounded = 'the send queue is bounded: the oldest messages give way and are counted';
const penalties = 'penalties add up, the peer is disconnected, and none of it throws';

const worst =
  'a liar that nobody cuts off can do its worst, and an honest node is never to be punished at all';

networkContract('VirtualNetwork', () => new SimulatedWorld(), {
  [between]: 'an answer is one event there, which has no pieces',
  [penalties]: worst,
});

networkContract('MemoryNet', () => new MemoryWorld(), {
  [between]: 'an answer is one event there, which has no pieces',
  [urgent]: 'its links take everything at once, so nothing waits',
  [bounded]: 'its links take everything at once, so nothing waits',
  [penalties]: 'tests look at each penalty by itself',
});
