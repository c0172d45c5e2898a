import { networkContract } from './contract.ts';
import { Libp2pWorld } from './libp2p-world.ts';

networkContract('libp2p on 127.0.0.1', () => new Libp2pWorld());
