import type { NetworkHandlers } from '../../network/port.ts';
import { Advancing } from './advancing.ts';
import { inbound } from './inbound.ts';
import { Nudges } from './nudges.ts';
import type { Restored } from '../effects/restore.ts';
import type { LastingOptions } from './options.ts';
import type { Loop } from './loop.ts';
import { assembleCatchUp } from './assemble-catch-up.ts';
import { assembleEffects } from './assemble-effects.ts';
import { assembleGround } from './assemble-ground.ts';
import { assemblePeers } from './assemble-peers.ts';

export type Parts<M extends object> = ReturnType<typeof assemble<M>>;

/**
 * Makes the parts of the core and ties them to each other: each is told only what it needs. Nothing happens
 * yet.
 */
export function assemble<M extends object>(options: LastingOptions<M>, restored: Restored, loop: Loop<M>) {
  const ground = assembleGround(options, restored, loop);
  const peers = assemblePeers(options, loop, {
    ...ground,
    onArriving: (transactions) => effects.bodies.arrived(transactions),
    onLaterEpoch: (height) => catchUp.laterEpochs.seen(height),
  });
  const effects = assembleEffects(options, loop, {
    ...ground,
    ...peers,
    onCommitted: (committed) => advancing.committed(committed),
  });
  const catchUp = assembleCatchUp(options, loop, {
    ...ground,
    ...peers,
    ...effects,
    onInstalled: (final) => advancing.installed(final),
  });
  const nudges = new Nudges({
    ...ground,
    ...peers,
    ...catchUp,
    isStranger: (peer) => peers.registry.isStranger(peer),
    // An observer; and a member that follows no leader or hears of no quorum: it may no longer be one, or the
    // others are past a change of the validators, and it does not know it.
    hearsNobody: () => {
      if (peers.validatorIndex() === undefined) return true;
      const { primary, quorumContact } = loop.engine().status();
      return primary === null || !quorumContact;
    },
    onWork: loop.workChanged,
    now: loop.ports.clock.monotonicMs(),
  });
  const advancing = new Advancing({
    ...ground,
    ...peers,
    ...catchUp,
    nudges,
    listeners: loop.listeners,
    clock: loop.ports.clock,
    onWork: loop.workChanged,
    log: options.log,
  });
  const handlers: NetworkHandlers = inbound({
    turns: loop.turns,
    protocol: options.protocol,
    ...peers,
    ...catchUp,
    enqueue: loop.enqueue,
    onMet: (peer) => {
      if (peers.validatorIndex() === undefined) catchUp.sync.poll(peer);
    },
    log: options.log,
  });
  return { ...ground, ...peers, ...effects, ...catchUp, nudges, handlers };
}
