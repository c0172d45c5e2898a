import { Problem } from '../../base/problem.ts';
import type { Effect, Engine, EngineRequest, EngineStatus, Input } from '../engine.ts';
import type { EngineStart } from '../protocol.ts';
import { hear } from '../shared/contact.ts';
import { takeWork } from '../shared/pacing.ts';
import { count, takeEffects } from '../shared/step.ts';
import { settleWrites } from '../shared/write-queue.ts';
import { admitWaiting, onPrePrepare } from './accepting.ts';
import { onFinalForGuard, onQueryStable, onReplyStable } from './amnesia.ts';
import { isAhead, isWanted, keepForLater, takeDue } from './admission.ts';
import { onContradiction } from './evidence.ts';
import { onApplied, onCommitCertificate } from './finality.ts';
import { afterBlock, firstRecords, indexOf } from './epochs.ts';
import { checkInvariants } from './invariants.ts';
import type { PbftMessage } from './message.ts';
import { logKey } from './signing.ts';
import { isNothing, nothingNoted } from './noted.ts';
import type { PbftOptions } from './options.ts';
import { send } from './outbox.ts';
import { restartTimer } from './progress-timer.ts';
import { maybePropose, onBuilt } from './proposing.ts';
import type { Replica } from './replica.ts';
import { statusOf, whyOf } from './report.ts';
import { completeSlots, freshState, nonceOf, restore } from './restore.ts';
import type { PbftState } from './state.ts';
import { answerStatus, notePlace, onStatus, postStatus, repeatStatus } from './status.ts';
import { maybeLeave, onSuspect } from './suspicion.ts';
import { followLink, maybePrepare, onSynced, onValidated, retryValidations } from './validating.ts';
import { enterOwnView, noteQuorum, onNewView, onViewChange, reachStart } from './view-change.ts';
import { advance, onVote } from './voting.ts';
import { noteLateness, watchChange, watchProgress } from './watching.ts';
import { mostStored, write } from './writing.ts';

/**
 * PBFT as a step function over plain state. The rules are in the files beside this one;
 * `../README.md` is the map.
 */
export class PbftEngine implements Engine<PbftMessage> {
  /** Of the present epoch. */
  #replica: Replica;

  constructor(start: EngineStart, options: PbftOptions) {
    this.#replica = {
      chainId: start.chainId,
      epoch: start.epoch,
      validators: start.validators,
      options,
      nonce: nonceOf(start),
      key: start.self,
      self: indexOf(start.self, start.validators),
      state: freshState({
        ...start,
        final: { ...start.final.header, blockHash: start.final.hash, certificate: start.final.certificate },
      }),
      noted: nothingNoted(),
      out: [],
    };
    const isPresent = restore(this.#replica, start);
    if (!isPresent || start.log === 'lost' || start.log === 'vouched') {
      // The first write: it records what this start was told of the log, and the epoch.
      write(this.#replica, { records: firstRecords(this.#replica, isPresent) });
    }
    // A crash may have come between the disk and the last word on what may go.
    if (this.#replica.state.stored.size > mostStored(this.#replica)) write(this.#replica, {});
    enterOwnView(this.#replica);
    // The block that it waited for may be stored, and the end of its silence not recorded.
    onFinalForGuard(this.#replica);
  }

  step(input: Input<PbftMessage>): readonly Effect<PbftMessage>[] {
    handle(this.#replica, input);
    if (input.type === 'applied') this.#replica = afterBlock(this.#replica, input);
    const replica = this.#replica;
    settle(replica);
    checkInvariants(replica);
    return takeEffects(replica);
  }

  status(): EngineStatus {
    return statusOf(this.#replica);
  }

  why(): string {
    return whyOf(this.#replica);
  }

  wants(message: PbftMessage, direct = false): boolean {
    return isWanted(this.#replica, message, direct);
  }

  /** The state itself, for tests and checkers. Not to be changed. */
  get state(): Readonly<PbftState> {
    return this.#replica.state;
  }
}

function handle(replica: Replica, input: Input<PbftMessage>): void {
  const { state } = replica;
  switch (input.type) {
    case 'tick':
      state.now = Math.max(state.now, input.now);
      noteLateness(replica, input.lateMs);
      watchProgress(replica);
      replica.noted.ticked = true;
      return;
    case 'message':
      onMessage(replica, input.message, input.direct ?? false);
      return;
    case 'built':
      onBuilt(replica, input);
      return;
    case 'validated':
      onValidated(replica, input);
      return;
    case 'persisted':
      settleWrites(state.writes, input.seq);
      for (const message of input.signed) onOwn(replica, message);
      return;
    case 'applied':
      onApplied(replica, input.height);
      return;
    case 'work':
      takeWork(state.pacing, input.work);
      // Once it runs, what else comes and goes gives the view no more time.
      if (state.progressTimer.dueAt === null) restartTimer(replica);
      return;
    case 'synced':
      onSynced(replica, input);
      return;
    case 'connected':
      if (state.peers[input.validator] !== undefined) postStatus(replica, [input.validator]);
      return;
    case 'request':
      replica.out.push({ type: 'answer', id: input.id, result: unsupported(input.request.kind) });
      return;
    // Nothing here depends on a connection that broke, and the rest is what only the other engine asks for.
    case 'lost':
    case 'signed':
    case 'loaded':
    case 'compacted':
    case 'offered':
    case 'installing':
    case 'installed':
    case 'install-failed':
      return;
  }
}

/** A message of another validator, its signatures checked. */
function onMessage(replica: Replica, message: PbftMessage, direct: boolean): void {
  const { state } = replica;
  // It may have been on its way here, its signatures being checked, when the epoch ended.
  if (message.epoch !== replica.epoch.height) return;
  if (state.peers[message.from] === undefined || message.from === replica.self) return;
  hear(state.contact, message.from, state.now);
  count(replica, `received-${message.kind}`);
  notePlace(replica, message);
  if (isAhead(replica, message)) keepForLater(replica, message);
  else dispatch(replica, message, direct);
}

function dispatch(replica: Replica, message: PbftMessage, direct: boolean): void {
  switch (message.kind) {
    case 'pre-prepare':
      onPrePrepare(replica, message);
      return;
    case 'prepare':
    case 'commit':
      onVote(replica, message);
      return;
    case 'suspect':
      onSuspect(replica, message);
      return;
    case 'view-change':
      onViewChange(replica, message);
      return;
    case 'new-view':
      onNewView(replica, message);
      return;
    case 'status':
      onStatus(replica, message, direct);
      return;
    case 'evidence':
      onContradiction(replica, message.proof);
      return;
    case 'query-stable':
      onQueryStable(replica, message, direct);
      return;
    case 'reply-stable':
      onReplyStable(replica, message);
      return;
  }
}

/** An own message is on disk: now it counts here, and leaves. */
function onOwn(replica: Replica, message: PbftMessage): void {
  const { state } = replica;
  if (!('view' in message)) return;
  state.own.set(logKey(message), message);
  // Signed before an epoch or a view was left, on disk after: it is never sent, and goes with the next write.
  if (message.epoch !== replica.epoch.height || message.view < state.view) return;
  send(replica, 'all', message);
  switch (message.kind) {
    case 'prepare':
    case 'commit':
      onVote(replica, message);
      return;
    case 'view-change':
      onViewChange(replica, message);
      return;
    case 'new-view':
      onNewView(replica, message);
      return;
    case 'pre-prepare':
    case 'suspect':
    case 'status':
      return;
  }
}

function unsupported(kind: EngineRequest['kind']): Problem {
  const remedies = {
    read: 'Read with consistency=stale: a final state that may not be the newest; compare several nodes if that matters.',
    transfer: 'Nothing is to be done: primaries take turns by themselves, and a silent one is passed over.',
    members: 'Validators of a PBFT chain change by proposals: "quorate validators propose --help" says how.',
  } as const;
  return new Problem('consensus/unsupported', `PBFT does not know the request "${kind}"`, {
    remedy: remedies[kind],
    details: { kind },
  });
}

/**
 * Whatever has become possible by the input: first what follows from what it told, then what was kept for
 * later, then parents that are known now, room in the window, work to propose.
 */
function settle(replica: Replica): void {
  decide(replica);
  for (const message of takeDue(replica)) {
    dispatch(replica, message, false);
    decide(replica);
  }
  admitWaiting(replica);
  decide(replica);
  for (const slot of replica.state.slots.values()) maybePrepare(replica, slot);
  maybePropose(replica);
}

/** What follows from what was noted, each rule once, in the order in which they depend on each other. */
function decide(replica: Replica): void {
  const { noted, state } = replica;
  if (isNothing(noted) && !state.caught) return;
  replica.noted = nothingNoted();
  for (const link of noted.links) followLink(replica, link);
  if (noted.links.length > 0) completeSlots(replica);
  for (const place of noted.places) advance(replica, place);
  for (const certificate of noted.certificates) onCommitCertificate(replica, certificate);
  for (const status of noted.statuses) answerStatus(replica, status);
  if (noted.opened) reachStart(replica);
  if (noted.leaving || state.caught) maybeLeave(replica);
  // A block that came may be the one that a new view has to start with.
  if (noted.changing || noted.links.length > 0) noteQuorum(replica);
  if (!noted.ticked) return;
  watchChange(replica);
  retryValidations(replica);
  repeatStatus(replica);
}
