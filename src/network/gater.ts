import type { ConnectionGater } from '@libp2p/interface';
import { limits } from '../base/limits.ts';
import type { Link } from './link.ts';
import { guardNegotiation } from './negotiation-guard.ts';
import type { PeerId } from './port.ts';
import { secureChannelProtocol } from './secure-channel.ts';

/**
 * Ends calls that do not come to the secure channel, and turns callers away as soon as the secure channel has proven who they are: the banned, and strangers when the
 * places that are left belong to configured peers, two for each as both sides may dial.
 */
export function createGater(options: {
  links: ReadonlyMap<string, Link>;
  configured: ReadonlySet<PeerId | undefined>;
  isBanned: (peer: PeerId) => boolean;
}): ConnectionGater {
  const { links, configured, isBanned } = options;
  const isFull = (): boolean => {
    let strangers = 0;
    for (const link of links.values()) if (!configured.has(link.peer)) strangers++;
    return strangers >= limits.maxConnections - configured.size * 2;
  };
  return {
    denyInboundConnection: (line) => {
      guardNegotiation(
        line,
        (name) => name === secureChannelProtocol,
        (problem) => line.abort(problem),
      );
      return false;
    },
    denyInboundEncryptedConnection: (id) => {
      const peer = id.toString();
      return isBanned(peer) || (!configured.has(peer) && isFull());
    },
  };
}
