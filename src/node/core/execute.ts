import { unreachable } from '../../base/invariant.ts';
import type { Effect, Input } from '../../consensus/engine.ts';
import { build } from '../effects/building.ts';
import { toHeight } from '../../ledger/block.ts';
import type { Clock } from '../process/clock.ts';
import type { Parts } from './assemble.ts';
import type { Listeners } from './listeners.ts';
import type { LastingOptions } from './options.ts';
import type { Requests } from './requests.ts';
import type { Turns } from './turns.ts';
import { doubtKey } from './key-doubt.ts';

interface ExecutorOptions<M extends object> {
  readonly options: LastingOptions<M>;
  readonly parts: Parts<M>;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly listeners: Listeners;
  readonly requests: Requests;
  readonly enqueue: (input: Input<M>) => void;
}

/** Hands each effect of the engine to the part whose business it is. */
export function executor<M extends object>(core: ExecutorOptions<M>): (effect: Effect<M>) => void {
  const { options, parts, turns, clock, listeners, requests, enqueue } = core;
  const { protocol, genesis, identity, store, log } = options;
  const { chain, mempool, decided, registry, messenger, signer, sync } = parts;

  const setMembers = ({ members, epoch }: Extract<Effect<M>, { type: 'members' }>): void => {
    decided.setMembers(members, epoch ?? toHeight(0));
    registry.setKeys(
      members.map(({ key }) => key),
      new Set(members.flatMap(({ key, role }) => (role === 'removed' ? [key] : []))),
    );
  };

  const keepEvidence = (effect: Extract<Effect<M>, { type: 'evidence' }>): void => {
    const accused = registry.keyAt(effect.accused);
    if (accused === undefined) return;
    const { kind, bytes } = effect;
    const fate = store.evidence.put(
      { accused, kind, bytes },
      turns.wrap((problem) => {
        if (problem !== undefined) throw problem;
      }),
    );
    if (fate === 'stored') log.warn('a validator contradicted itself', { accused, kind });
  };

  const judge = ({ validator, reason }: Extract<Effect<M>, { type: 'verdict' }>): void => {
    const peer = registry.peerOf(validator);
    if (peer !== undefined) options.network.penalise(peer, reason);
  };

  return (effect) => {
    switch (effect.type) {
      case 'persist':
        return parts.persisting.persist(effect);
      case 'send':
        parts.tellParts(effect.message);
        return messenger.send(effect.to, protocol.encode(effect.message), effect.urgent);
      case 'post':
        return messenger.send(effect.to, signer.signLoosely(effect.message).bytes);
      case 'sign': {
        const { signature } = signer.signLoosely(effect.message);
        return enqueue({ type: 'signed', key: effect.message.key, signature });
      }
      case 'build':
        enqueue(build({ chain, mempool, clock, genesis, self: identity.publicKey }, effect));
        // Before the block's hashes, which may name transactions that this node has shown to nobody yet.
        return parts.intake.flush();
      case 'validate':
        return parts.validation.validate(effect);
      case 'commit':
        decided.finalHeight = effect.link.height;
        return parts.committing.commit(effect);
      case 'sync':
        return sync.want(effect.height, effect.holders);
      case 'load':
        return parts.loading.load(effect);
      case 'answer':
        return requests.answer(effect);
      case 'members':
        return setMembers(effect);
      case 'compact':
        return parts.snapshots.compact(effect);
      case 'install':
        return parts.installing.install(effect);
      case 'view':
        return listeners.view.tell(effect);
      case 'stepped-down':
        return listeners.steppedDown.tell(effect.reason);
      case 'evidence':
        return keepEvidence(effect);
      case 'verdict':
        return judge(effect);
      case 'trace':
        if (effect.event === 'key-used-elsewhere') doubtKey(log, effect);
        return log.info(effect.event, effect.data);
      default:
        return unreachable(effect);
    }
  };
}
