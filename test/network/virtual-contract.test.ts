import { networkContract } from './contract.ts';
import { SimulatedWorld } from './virtual-worlds.ts';

const between = 'a message goes between the pieces of large answers';
const penalties = 'penalties add up, the peer is disconnected, and none of it throws';

const worst =
  'a liar that nobody cuts off can do its worst, and an honest node is never to be punished at all';

networkContract('VirtualNetwork', () => new SimulatedWorld(), {
  [between]: 'an answer is one event there, which has no pieces',
  [penalties]: worst,
});
