import { Libp2pWorld } from '../network/libp2p-world.ts';
import { SimulatedWorld } from '../network/virtual-worlds.ts';
import { networkContract } from './network.ts';

networkContract('libp2p on 127.0.0.1', () => new Libp2pWorld());

const between = 'a message goes between the pieces of large answers';
const penalties = 'penalties add up, the peer is disconnected, and none of it throws';

const worst =
  'a liar that nobody cuts off can do its worst, and an honest node is never to be punished at all';

networkContract('VirtualNetwork', () => new SimulatedWorld(), {
  [between]: 'an answer is one event there, which has no pieces',
  [penalties]: worst,
});
