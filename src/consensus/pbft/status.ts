import { toHeight } from '../../ledger/block.ts';
import type { Recipients } from '../engine.ts';
import { onBeginningChain, queryStable } from './amnesia.ts';
import { catchUp } from './finality.ts';
import { isSlotMessage, type PbftMessage, type Status } from './message.ts';
import { post, send } from './outbox.ts';
import { highestKnown, isNormal, type Replica } from './replica.ts';
import { hasUnfinished } from './progress-timer.ts';

/** Tells where this replica stands, so that others send what it lacks and ask for what they lack. */
export function postStatus(replica: Replica, to: Recipients): void {
  const { state, self } = replica;
  if (self === null) return;
  post(replica, to, {
    kind: 'status',
    from: self,
    view: state.view,
    changing: !isNormal(replica),
    finalHeight: state.final.height,
    finalCertificate: state.final.certificate ?? undefined,
    silentUntil: state.guard.name === 'off' ? undefined : state.forgottenUpTo,
  });
}

/** On every tick: often while something is unfinished and nothing becomes final, rarely otherwise. */
export function repeatStatus(replica: Replica): void {
  const { state, options } = replica;
  const unfinished =
    !isNormal(replica) || hasUnfinished(replica) || isBehind(replica) || state.guard.name !== 'off';
  const isStuck = unfinished && state.now - Math.max(state.statusAt, state.lastFinalAt) >= options.statusMs;
  if (!isStuck && state.now - state.statusAt < options.idleStatusMs) return;
  state.statusAt = state.now;
  postStatus(replica, 'all');
  queryStable(replica);
  if (isBehind(replica)) askSyncFromPeers(replica);
}

function isBehind(replica: Replica): boolean {
  return highestKnown(replica) > replica.state.final.height;
}

function askSyncFromPeers(replica: Replica): void {
  const { peers, final } = replica.state;
  const ahead = [...peers.keys()].filter((index) => (peers[index]?.finalHeight ?? 0) > final.height);
  catchUp(replica, highestKnown(replica), ahead);
}

/**
 * Whoever signed something of a view has been in it, and whoever votes at a height has all final that lies a
 * window below: what it says of itself later tells no less. A liar can vote anywhere, so that makes its old
 * Status old, and nobody else behind.
 */
export function notePlace({ state, options }: Replica, message: PbftMessage): void {
  const peer = state.peers[message.from];
  if (peer === undefined || message.kind === 'status' || !('view' in message)) return;
  if (message.view > peer.view) {
    peer.view = message.view;
    peer.changing = true;
  }
  if (message.view === peer.view && isSlotMessage(message)) peer.changing = false;
  if (message.kind === 'view-change' && message.finalHeight > peer.finalHeight) {
    peer.finalHeight = message.finalHeight;
  }
  if (isSlotMessage(message)) {
    peer.impliedFinal = toHeight(Math.max(peer.impliedFinal, message.height - options.window));
  }
}

/**
 * It says less than its sender proved before. Anybody can send an old one again, as often as they like,
 * and have all of us answer its sender; only on the sender's own stream it is news: a restart may have
 * cost it what was not on disk.
 */
export function isOldStatus({ state }: Replica, status: Status): boolean {
  const peer = state.peers[status.from];
  if (peer === undefined) return false;
  if (status.finalHeight < Math.max(peer.finalHeight, peer.impliedFinal) || status.view < peer.view)
    return true;
  return status.view === peer.view && status.changing && !peer.changing;
}

export function onStatus(replica: Replica, status: Status, direct: boolean): void {
  const { state } = replica;
  const peer = state.peers[status.from];
  if (peer === undefined || status.from === replica.self) return;
  if (!direct && isOldStatus(replica, status)) return;
  peer.finalHeight = status.finalHeight;
  peer.impliedFinal = status.finalHeight;
  peer.view = status.view;
  peer.changing = status.changing;
  peer.silent = status.silentUntil !== undefined;
  if (direct && status.finalHeight === replica.epoch.height) onBeginningChain(replica, status.from);
  if (status.finalCertificate !== undefined) replica.noted.certificates.push(status.finalCertificate);
  replica.noted.statuses.push(status);
}

/**
 * A peer behind in height gets this replica's Status, one behind in view its NewView, one that
 * is level the votes again; each now and then only.
 */
export function answerStatus(replica: Replica, status: Status): void {
  const { state } = replica;
  const { from: to } = status;
  const peer = state.peers[to];
  if (peer === undefined || state.now - peer.answeredAt < replica.options.statusMs / 2) return;
  peer.answeredAt = state.now;
  if (status.finalHeight < state.final.height) postStatus(replica, [to]);
  const lacksView = status.view < state.view || (status.view === state.view && status.changing);
  if (lacksView && isNormal(replica) && state.newView !== null) send(replica, [to], state.newView);
  for (const message of state.own.values()) {
    if (message.kind === 'new-view' || message.epoch !== replica.epoch.height) continue;
    const wanted = isSlotMessage(message)
      ? isNormal(replica) && message.view === state.view && message.height > status.finalHeight
      : message.kind === 'view-change' && message.view === state.view && !isNormal(replica);
    if (wanted) send(replica, [to], message);
  }
}
