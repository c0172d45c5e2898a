import { invariant } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { Effect, Engine, EngineStart, EngineStatus, Input } from '../engine.ts';
import { admitWaiting, maybePrepare, onPrePrepare, onValidated, retryUnavailable } from './accepting.ts';
import { onContradiction } from './evidence.ts';
import { onSynced } from './finality.ts';
import { checkInvariants } from './invariants.ts';
import { logKey, type PbftMessage } from './message.ts';
import type { PbftOptions } from './options.ts';
import { maybePropose, onBuilt } from './proposing.ts';
import { positionRecord, recordKeys } from './records.ts';
import {
  count,
  isNormal,
  isSlotMessage,
  mayVote,
  persist,
  primaryOf,
  quorumOf,
  type Replica,
  send,
  windowEnd,
} from './replica.ts';
import { completeSlots, freshState, restore } from './restore.ts';
import { type PbftState, tallyKey } from './state.ts';
import { onStatus, postStatus, repeatStatus } from './status.ts';
import { onSuspect, restartTimer, watchProgress } from './suspicion.ts';
import { onNewView, onViewChange } from './view-change.ts';
import { isCounted, onVote } from './voting.ts';
import { whyWaiting } from './why.ts';

/** How many views or windows ahead a message may be and still be worth keeping. */
const farAhead = 64;

/** PBFT as a step function over plain state. The rules are in the files beside this one; `README.md` is the map. */
export class PbftEngine implements Engine<PbftMessage> {
  readonly #replica: Replica;

  constructor(
    start: EngineStart & { readonly genesisHash: PbftState['final']['blockHash'] },
    options: PbftOptions,
  ) {
    const self = start.validators.keys.indexOf(start.self);
    this.#replica = {
      chainId: start.chainId,
      genesisHash: start.genesisHash,
      validators: start.validators,
      options,
      self: self < 0 ? null : self,
      state: freshState(start),
      effects: [],
    };
    restore(this.#replica, start);
    if (!start.records.has(recordKeys.position)) {
      // The first write: a log that has it is not a lost one.
      persist(this.#replica, { records: [positionRecord(this.#replica.state)] });
    }
  }

  step(input: Input<PbftMessage>): readonly Effect<PbftMessage>[] {
    const replica = this.#replica;
    this.#take(input);
    settle(replica);
    checkInvariants(replica);
    const { effects } = replica;
    replica.effects = [];
    return effects;
  }

  #take(input: Input<PbftMessage>): void {
    const replica = this.#replica;
    const { state } = replica;
    switch (input.type) {
      case 'tick':
        state.now = Math.max(state.now, input.now);
        watchProgress(replica);
        retryUnavailable(replica);
        repeatStatus(replica);
        return;
      case 'message':
        onMessage(replica, input.message);
        return;
      case 'built':
        onBuilt(replica, input);
        return;
      case 'validated':
        onValidated(replica, input);
        completeSlots(replica);
        return;
      case 'persisted':
        state.persisting = state.persisting.filter(({ seq }) => seq > input.seq);
        for (const message of input.signed) onOwn(replica, message);
        return;
      case 'applied':
        invariant(input.height === state.appliedHeight + 1, 'blocks are applied one by one, in order');
        state.appliedHeight = input.height;
        return;
      case 'work':
        state.work = input.work;
        state.nothingToBuild = false;
        if (input.work.executable === 0 || state.timerSince === null) restartTimer(replica);
        return;
      case 'synced':
        onSynced(replica, input);
        return;
      case 'connected': {
        const peer = state.peers[input.validator];
        if (peer === undefined) return;
        peer.connected = true;
        postStatus(replica, [input.validator]);
        return;
      }
      case 'lost': {
        const peer = state.peers[input.validator];
        if (peer !== undefined) peer.connected = false;
        return;
      }
      case 'request':
        replica.effects.push({ type: 'answer', id: input.id, result: unsupported(input.request.kind) });
        return;
      // What only the other engine asks for.
      case 'signed':
      case 'loaded':
      case 'compacted':
      case 'installing':
      case 'installed':
      case 'install-failed':
        return;
    }
  }

  wants(message: PbftMessage): boolean {
    return isWanted(this.#replica, message);
  }

  why(): string {
    return whyWaiting(this.#replica);
  }

  status(): EngineStatus {
    const { state, self } = this.#replica;
    const heardWithin = 3 * this.#replica.options.idleStatusMs;
    const heard = state.peers.filter(
      (peer, index) => index === self || state.now - peer.heardAt <= heardWithin,
    ).length;
    const inFlight = [...state.slots.keys()].filter((height) => height > state.final.height).length;
    return {
      engine: 'pbft',
      view: state.view,
      finalHeight: state.final.height,
      primary: isNormal(this.#replica)
        ? primaryOf(this.#replica, state.view, (state.final.height + 1) as typeof state.final.height)
        : null,
      quorumContact: heard >= quorumOf(this.#replica),
      highestKnown: state.peers.reduce(
        (most, peer) => (peer.finalHeight > most ? peer.finalHeight : most),
        state.final.height,
      ),
      inFlight,
      voting: mayVote(this.#replica),
      counters: { ...state.counters },
    };
  }

  /** The state itself, for tests and checkers. Not to be changed. */
  get state(): Readonly<PbftState> {
    return this.#replica.state;
  }
}

function unsupported(kind: string): Problem {
  return new Problem('consensus/unsupported', `PBFT does not know the request "${kind}"`, {
    remedy: 'Ask a chain whose engine is Raft, or read with consistency "stale" and check the certificate.',
    details: { kind },
  });
}

/** What can follow from any input: parents that are known now, room in the window, work to propose. */
function settle(replica: Replica): void {
  replayAhead(replica);
  admitWaiting(replica);
  for (const slot of replica.state.slots.values()) maybePrepare(replica, slot);
  maybePropose(replica);
}

/** An own message is on disk: now it counts here, and leaves. */
function onOwn(replica: Replica, message: PbftMessage): void {
  const { state } = replica;
  // Signed before a view was left, on disk after: it is never sent.
  if (!('view' in message) || message.view < state.view) return;
  state.own.set(logKey(message), message);
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

/** A message of another validator, its signatures checked. */
function onMessage(replica: Replica, message: PbftMessage): void {
  const { state } = replica;
  const peer = state.peers[message.from];
  if (peer === undefined || message.from === replica.self) return;
  peer.heardAt = state.now;
  count(replica, `received-${message.kind}`);
  if (isAhead(replica, message)) keepForLater(replica, message);
  else dispatch(replica, message);
}

function dispatch(replica: Replica, message: PbftMessage): void {
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
      onStatus(replica, message);
      return;
    case 'evidence':
      onContradiction(replica, message.proof);
      return;
  }
}

/** Of a later view, above the window, or a proposal for a view that is not open here yet. */
function isAhead(replica: Replica, message: PbftMessage): boolean {
  if (!isSlotMessage(message)) return false;
  const { state } = replica;
  if (message.view > state.view) return true;
  if (message.view < state.view) return false;
  return (
    message.height > windowEnd(replica) || (message.kind === 'pre-prepare' && state.phase.name === 'changing')
  );
}

/** Keeps a message for when its time comes; each sender can fill only its own share, and its oldest give way. */
function keepForLater(replica: Replica, message: PbftMessage): void {
  const { ahead } = replica.state;
  const kept = ahead.get(message.from) ?? [];
  kept.push(message);
  if (kept.length > limits.pbftBufferedPerValidator) kept.shift();
  ahead.set(message.from, kept);
}

function replayAhead(replica: Replica): void {
  const { ahead } = replica.state;
  for (const [from, kept] of ahead) {
    const due = kept.filter((message) => !isAhead(replica, message));
    if (due.length === 0) continue;
    const rest = kept.filter((message) => isAhead(replica, message));
    if (rest.length === 0) ahead.delete(from);
    else ahead.set(from, rest);
    for (const message of due) dispatch(replica, message);
  }
}

function isWanted(replica: Replica, message: PbftMessage): boolean {
  const { state } = replica;
  if (message.from === replica.self || state.peers[message.from] === undefined) return false;
  switch (message.kind) {
    case 'pre-prepare':
    case 'prepare':
    case 'commit': {
      if (message.view > state.view + farAhead || message.height > windowEnd(replica) + farAhead)
        return false;
      if (isAhead(replica, message)) return true;
      if (!isCounted(replica, message.kind, message.view, message.height)) return false;
      const tally = state.tallies.get(tallyKey(message.view, message.height));
      const votes = message.kind === 'pre-prepare' ? tally?.prePrepare : tally?.[message.kind];
      return votes?.get(message.from)?.blockHash !== message.blockHash;
    }
    case 'suspect': {
      const earlier = state.suspects.get(message.from);
      if (message.view < state.view) return false;
      return (
        earlier?.view !== message.view ||
        earlier.height !== message.height ||
        earlier.reason !== message.reason
      );
    }
    case 'view-change': {
      const earlier = state.viewChanges.get(message.from);
      return message.view >= state.view && (earlier === undefined || earlier.view < message.view);
    }
    case 'new-view':
      return message.view > state.view || (message.view === state.view && state.phase.name === 'changing');
    case 'status':
      return true;
    case 'evidence': {
      const { proof } = message;
      const kind = proof.type === 'double' ? `double-${proof.phase}` : proof.type;
      return !state.accused.has(`${proof.accused}/${kind}`);
    }
  }
}
