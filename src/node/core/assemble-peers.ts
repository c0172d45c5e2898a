import type { ValidatorIndex } from '../../consensus/engine.ts';
import type { Height } from '../../ledger/block.ts';
import { oldestProtocolVersion } from '../../ledger/protocol-version.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import { PeerRegistry } from '../peers/peer-registry.ts';
import { Intake } from '../peers/intake.ts';
import { Messenger } from '../peers/messenger.ts';
import { peerChoice } from '../peers/peer-choice.ts';
import { Relay } from '../peers/relay.ts';
import { Standings } from '../peers/standing.ts';
import { Verification } from '../peers/verification.ts';
import { vouching } from '../peers/vouching.ts';
import type { LastingOptions } from './options.ts';
import type { Loop } from './loop.ts';
import type { Ground } from './assemble-ground.ts';

/** Who wants to hear of what came. */
interface Heard {
  readonly onArriving: (transactions: readonly Transaction[]) => void;
  /** A message claims an epoch that has not begun here. */
  readonly onLaterEpoch: (height: Height) => void;
}

/** Who is connected, what comes from them, and what goes to them. */
export function assemblePeers<M extends object>(
  options: LastingOptions<M>,
  { ports: { network, clock, verifier }, engine, workChanged, listeners }: Loop<M>,
  parts: Ground<M> & Heard,
) {
  const { genesis, protocol, identity, store, log } = options;
  const { chainId } = genesis;
  const { chain, mempool, decided, versionWatch, onArriving } = parts;
  const registry = new PeerRegistry({
    chainId,
    engine: protocol.engine,
    protocolVersions: { oldest: oldestProtocolVersion, newest: versionWatch.known },
    api: options.api,
    keys: decided.roster.keys,
    identity,
    ...(options.observers === undefined ? {} : { observers: options.observers }),
    checkSignature: options.checkSignature,
    log,
  });
  /** This node's place among the validators; undefined for an observer. */
  const validatorIndex = (): ValidatorIndex | undefined => {
    const index = registry.validators.indexOf(identity.publicKey);
    return index < 0 || decided.members?.[index]?.role === 'removed' ? undefined : index;
  };
  /** Tells who watches what a message says of blocks; only they pay for it. */
  const tellParts = (message: M, from = validatorIndex()): void => {
    if (listeners.parts.isEmpty || from === undefined) return;
    const said = protocol.partsIn(message);
    if (said.length > 0) listeners.parts.tell(from, said);
  };
  const standings = new Standings({ memberKeyOf: registry.memberKeyOf.bind(registry), network });
  const verification = new Verification<M>({
    protocol,
    verifier,
    clock,
    wants: (message, direct) => engine().wants(message, direct),
    roster: decided.rosterNow,
    onLater: parts.onLaterEpoch,
    validatorOf: registry.validatorOf.bind(registry),
    standingOf: standings.of.bind(standings),
    vouches: vouching({ protocol, registry, decided, self: validatorIndex }),
    mempool,
    onHeard: (message) => tellParts(message, protocol.senderOf(message)),
    penalise: network.penalise.bind(network),
    cut: (peer, forMs) => network.penalise(peer, 'it is not listened to', forMs),
  });
  const relay = new Relay({
    chainId,
    sign: identity.sign,
    roster: decided.rosterNow,
    // Far away from the salts of the previous process.
    salt: options.seed * 2 ** 20,
  });
  const messenger = new Messenger<M>({ protocol, network, registry, clock, relay, self: validatorIndex });
  const intake = new Intake({
    chainId,
    mempool,
    verification,
    network,
    clock,
    othersHear: (peer) =>
      registry.validatorOf(peer) !== undefined && registry.isLinkedToAll && !messenger.someLackLinks,
    nextNonce: (sender) => chain.final.state.account(sender).nonce,
    isFinal: (hash) => store.locate(hash) !== undefined,
    onArriving,
    onAdded: workChanged,
    salt: options.seed >>> 0,
  });
  const peersFor = peerChoice({ network, registry });
  return {
    registry,
    validatorIndex,
    tellParts,
    standings,
    verification,
    relay,
    messenger,
    intake,
    peersFor,
  };
}

export type Peers<M extends object> = ReturnType<typeof assemblePeers<M>>;
