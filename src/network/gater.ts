import type { ConnectionGater } from '@libp2p/interface';
import type { Door } from './door.ts';
import { guardNegotiation } from './negotiation-guard.ts';
import type { PeerId } from './port.ts';
import { secureChannelProtocol } from './secure-channel.ts';

/**
 * Where libp2p asks whether a connection may go on: when it is opened, and when the secure
 * channel has proven who called.
 */
export function createGater(options: {
  readonly door: Door;
  readonly isBanned: (peer: PeerId) => boolean;
}): ConnectionGater {
  const { door, isBanned } = options;
  return {
    denyInboundConnection: (line) => {
      const end = (cause: Error): void => line.abort(cause);
      if (!door.admit(line, line.remoteAddr.toString(), end)) return true;
      line.addEventListener('close', () => door.leave(line));
      guardNegotiation(line, (name) => name === secureChannelProtocol, end);
      return false;
    },
    denyInboundEncryptedConnection: (id) => isBanned(id.toString()),
  };
}
