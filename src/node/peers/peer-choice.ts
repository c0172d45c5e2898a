import { limits } from '../../base/limits.ts';
import type { ValidatorIndex } from '../../consensus/engine.ts';
import type { Network, PeerId } from '../../network/port.ts';
import type { PeerRegistry } from './peer-registry.ts';

/** Whom to ask for something that these validators should have. */
export type PeerChoice = (holders: readonly ValidatorIndex[]) => readonly PeerId[];

/**
 * Those that act for the holders first, then the other validators, then anybody; each of them in turns, so
 * that no one has all the work, and no few who keep silent are all that is ever asked.
 */
export function peerChoice(options: {
  readonly network: Pick<Network, 'peers'>;
  readonly registry: Pick<PeerRegistry, 'peerOf' | 'validatorOf'>;
}): PeerChoice {
  const { network, registry } = options;
  let turn = 0;
  return (holders) => {
    const connected = network.peers();
    const rotated = (group: readonly PeerId[]): PeerId[] => {
      const start = group.length === 0 ? 0 : turn % group.length;
      return [...group.slice(start), ...group.slice(0, start)];
    };
    const isValidator = (peer: PeerId): boolean => registry.validatorOf(peer) !== undefined;
    const choice = new Set([
      ...rotated(holders.flatMap((validator) => registry.peerOf(validator) ?? [])),
      ...rotated(connected.filter(isValidator)),
      ...rotated(connected.filter((peer) => !isValidator(peer))),
    ]);
    turn += 1;
    return [...choice].slice(0, limits.fetchPeers);
  };
}
