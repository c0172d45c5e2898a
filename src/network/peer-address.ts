import { multiaddr } from '@multiformats/multiaddr';
import { Problem } from '../base/problem.ts';
import type { PeerId } from './port.ts';

export interface PeerAddress {
  readonly address: string;
  /** Known when the address ends in `/p2p/<peer id>`; otherwise learnt at the first connection. */
  readonly peer: PeerId | undefined;
}

/** Throws a Problem that names the address when it is not a multiaddr. */
export function parsePeerAddress(address: string): PeerAddress {
  try {
    const components = multiaddr(address).getComponents();
    return { address, peer: components.findLast(({ name }) => name === 'p2p')?.value };
  } catch (cause) {
    throw new Problem('network/address', `${address} is not a peer address`, {
      remedy: 'Write it as /ip4/<address>/tcp/<port>/p2p/<peer id>.',
      details: { address },
      cause,
    });
  }
}
