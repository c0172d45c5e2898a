import { hashHeader, type Height, toHeight } from '../../ledger/block.ts';
import type { Input } from '../engine.ts';
import { linkOf } from '../shared/chain-link.ts';
import { hasWork, isExpiryDue, isPaced, noteBuild } from '../shared/pacing.ts';
import { stopped } from '../shared/timer.ts';
import { buildingTip } from './chain.ts';
import type { PbftMessage } from './message.ts';
import { isDiskKeepingUp, isNormal, mayVote, primaryOf, type Replica, windowEnd } from './replica.ts';
import { write } from './writing.ts';

type Built = Extract<Input<PbftMessage>, { type: 'built' }>;

/**
 * Has a block built when it is this replica's turn, the window is open, and there is work
 * (rule 1 of the normal case).
 */
export function maybePropose(replica: Replica): void {
  const { state, options } = replica;
  if (!isNormal(replica) || !mayVote(replica) || state.building !== null) return;
  if (!isDiskKeepingUp(replica)) return;
  const tip = buildingTip(replica);
  if (tip === null) return;
  const height = toHeight(tip.height + 1);
  if (height > windowEnd(replica) || primaryOf(replica, state.view, height) !== replica.self) return;
  // It may have proposed another block there before its log was lost.
  if (height <= state.forgottenUpTo) return;

  const inFlight = tip.height - state.final.height;
  const idleMs = inFlight === 0 ? state.now - state.lastFinalAt : 0;
  const heartbeat =
    (options.heartbeatMs > 0 && idleMs >= options.heartbeatMs) || isExpiryDue(state.pacing, idleMs);
  const work = hasWork(state.pacing);
  if (!work && !heartbeat) return;
  // A block in flight is time to collect more for the next one; without one, nobody should wait.
  if (inFlight > 0 && !isPaced(state.pacing, state.now, options.blockIntervalMs)) return;

  state.building = { parentHash: tip.blockHash, height };
  noteBuild(state.pacing, state.now);
  replica.out.push({
    type: 'build',
    parentHash: tip.blockHash,
    height,
    view: state.view,
    allowEmpty: heartbeat,
  });
}

export function onBuilt(replica: Replica, { parentHash, view, proposal, isFull = false }: Built): void {
  const { state } = replica;
  if (state.building?.parentHash !== parentHash || view !== state.view) return;
  const { height } = state.building;
  state.building = null;
  if (proposal === null) {
    state.pacing.nothingToBuild = true;
    return;
  }
  state.pacing.wasFull = isFull;
  const tip = buildingTip(replica);
  if (!isNormal(replica) || !mayVote(replica) || tip?.blockHash !== parentHash) return;
  propose(replica, height, proposal);
}

function propose(replica: Replica, height: Height, proposal: NonNullable<Built['proposal']>): void {
  const { state, self } = replica;
  if (self === null) return;
  const blockHash = hashHeader(proposal.header);
  const { parentHash } = proposal.header;
  state.valid.set(blockHash, linkOf(proposal.header, blockHash));
  // What it refused is of an earlier view.
  state.tooEarly = null;
  state.slots.set(height, {
    height,
    blockHash,
    parentHash,
    proposal,
    holders: [self],
    validity: 'valid',
    retry: stopped(),
    prepareAsked: true,
    commitAsked: false,
  });
  const slot = { from: self, view: state.view, height, blockHash };
  // The primary prepares too, so that every certificate is made of Prepares alone.
  write(replica, {
    blocks: [blockHash],
    sign: [
      { kind: 'pre-prepare', ...slot, proposal },
      { kind: 'prepare', ...slot },
    ],
  });
}
