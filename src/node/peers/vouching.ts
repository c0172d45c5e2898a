import type { ValidatorIndex } from '../../consensus/engine.ts';
import type { Protocol } from '../../consensus/protocol.ts';
import type { Member } from '../../ledger/members.ts';
import type { PeerId } from '../../network/port.ts';
import type { PeerRegistry } from './peer-registry.ts';

/**
 * Whose word is taken that it checked the signatures of transactions: on a chain whose members trust each
 * other, a member takes another member's, on that one's own connection. Whether they are members is asked
 * each time. All others check for themselves, and are checked.
 */
export function vouching({
  protocol,
  registry,
  decided,
  self,
}: {
  readonly protocol: Pick<Protocol<object>, 'capabilities'>;
  readonly registry: Pick<PeerRegistry, 'validatorOf'>;
  readonly decided: { readonly members: readonly Member[] | undefined };
  /** This node's place; undefined for one that is no member. */
  readonly self: () => ValidatorIndex | undefined;
}): (peer: PeerId) => boolean {
  if (!protocol.capabilities.membersVouch) return () => false;
  return (peer) => {
    const index = registry.validatorOf(peer);
    return index !== undefined && decided.members?.[index]?.role !== 'removed' && self() !== undefined;
  };
}
