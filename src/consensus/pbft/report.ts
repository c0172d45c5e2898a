import { type Height, toHeight } from '../../ledger/block.ts';
import type { EngineStatus } from '../engine.ts';
import { isHeard, silenceOf } from '../shared/contact.ts';
import { whyWithoutVote } from '../shared/pacing.ts';
import { oldestWriteMs } from '../shared/write-queue.ts';
import {
  highestKnown,
  isDiskKeepingUp,
  isNormal,
  mayVote,
  primaryOf,
  quorumOf,
  type Replica,
  viewPrimaryOf,
  weakQuorumOf,
} from './replica.ts';
import { tallyKey } from './state.ts';
import { hasUnfinished } from './progress-timer.ts';
import { stillCounts } from './suspects.ts';

/** A projection of the state for the API, metrics and tests. */
export function statusOf(replica: Replica): EngineStatus {
  const { state, self, options } = replica;
  const withinMs = 3 * options.idleStatusMs;
  const heard = state.peers.map(({ silent }, index) =>
    index === self
      ? state.guard.name === 'off'
      : !silent && isHeard(state.contact, index, { now: state.now, withinMs }),
  );
  const inFlight = [...state.slots.keys()].filter((height) => height > state.final.height).length;
  return {
    engine: 'pbft',
    view: state.view,
    finalHeight: state.final.height,
    primary: isNormal(replica) ? primaryOf(replica, state.view, toHeight(state.final.height + 1)) : null,
    quorumContact: heard.filter(Boolean).length >= quorumOf(replica),
    ...(self !== null && { heard }),
    highestKnown: highestKnown(replica),
    inFlight,
    voting: mayVote(replica),
    counters: { ...state.counters },
    waiting: {
      writes: state.writes.pending.length,
      oldestWriteMs: oldestWriteMs(state.writes, state.now),
      reads: 0,
    },
  };
}

/** Why it does not vote, and what its operator can do: the same that the start and its help say. */
const forgotten = {
  /** A new key that first meets a running chain looks like one whose log is gone. */
  lost: {
    cause: 'it does not know what its key signed before: the consensus log was lost, or the key is new',
    wayOut:
      ' (nothing need be done while the others go on; when they cannot, or the key never signed anything, start it with --assume-first-use)',
  },
  doubted: {
    cause:
      'its key signed what is not in its data: these were put back from a copy, or another process uses the key',
    wayOut:
      ' (find such a process and stop it; after a copy, nothing need be done while the others go on; when they cannot, start it with --assume-first-use)',
  },
};

/** With fewer than q others nothing goes on without it. */
const alone =
  ' (nothing is decided without it: see that no other process uses its key, and put its newest database back if there is one; if it still says this, start it with --assume-first-use: what was final and is in no data that is left is lost)';

/** One sentence for an operator: what progress waits for. */
export function whyOf(replica: Replica): string {
  const { state } = replica;
  const place = `height ${state.final.height + 1}, view ${state.view}`;
  return `${place}: ${reasonOf(replica)}${amnesiacs(replica)}${silentPeers(replica)}`;
}

/** The same without the place, and without who is silent. */
export function reasonOf(replica: Replica): string {
  const { state } = replica;
  const quorum = quorumOf(replica);
  const highest = highestKnown(replica);
  if (highest > state.final.height + replica.options.window) {
    return `catching up, others are final at ${highest}`;
  }
  if (replica.self === null) return whyWithoutVote(state.pacing, 'no validator');
  const { cause, wayOut } = forgotten[state.keyUse === 'doubted' ? 'doubted' : 'lost'];
  if (state.guard.name === 'learning') {
    // Then the chain waits for this one, and nobody but its operator can help.
    if (state.peers.length - 1 < quorum) {
      return `not voting: ${cause}; there are too few other validators to tell it how far it was${alone}`;
    }
    return `not voting: ${cause}; ${state.guard.proven.size} of ${quorum} others answered how far they are${wayOut}`;
  }
  if (state.guard.name === 'silent')
    return `not voting until a block above ${state.guard.until} is final: ${cause}${wayOut}`;
  if (state.phase.name === 'changing') {
    const changed = [...state.viewChanges.values()].filter(({ view }) => view >= state.view).length;
    return state.phase.quorumSince === null
      ? `changing view: ${changed} of ${quorum} view changes`
      : `changing view: waiting for validator ${viewPrimaryOf(replica, state.view)} to start it`;
  }
  const height = toHeight(state.final.height + 1);
  const slot = state.slots.get(height);
  if (!isDiskKeepingUp(replica)) {
    return `${state.final.height - state.appliedHeight} final blocks wait for the disk; voting goes on when they are stored`;
  }
  if (slot !== undefined) return votes(replica, height);
  if (!hasUnfinished(replica)) {
    return state.tooEarly === null
      ? 'idle, nothing to do'
      : `not voting: ${early(state.tooEarly)} (the last proposal, at height ${state.tooEarly.height})`;
  }
  const primary = primaryOf(replica, state.view, height);
  return primary === replica.self
    ? 'building a block'
    : `waiting for a proposal of validator ${primary}${suspicions(replica)}`;
}

function votes(replica: Replica, height: Height): string {
  const { state } = replica;
  const quorum = quorumOf(replica);
  const tally = state.tallies.get(tallyKey(state.view, height));
  const slot = state.slots.get(height);
  if (slot?.validity === 'checking') return 'checking the proposed block';
  if (slot?.validity === 'early' && state.tooEarly !== null) {
    return `the proposed block has to wait: ${early(state.tooEarly)}${suspicions(replica)}`;
  }
  if (slot?.validity === 'unavailable') return 'fetching what is missing of the proposed block';
  if (slot?.validity === 'invalid') return `the proposed block is invalid${suspicions(replica)}`;
  const writing = oldestWriteMs(state.writes, state.now);
  if (writing > 1_000) return `the disk has not finished a write for ${Math.round(writing / 1_000)} s`;
  // More than are needed may have come; with enough prepares it is the commits that are waited for.
  const commits = Math.min(tally?.commit.size ?? 0, quorum);
  const prepares = tally?.prepare.size ?? 0;
  const what =
    commits > 0 || prepares >= quorum
      ? `${commits} of ${quorum} commits`
      : `${prepares} of ${quorum} prepares`;
  return `${what}${suspicions(replica)}`;
}

function early({ aheadMs }: NonNullable<Replica['state']['tooEarly']>): string {
  return `its time is ${(aheadMs / 1_000).toFixed(1)} s ahead of this node's clock`;
}

function suspicions(replica: Replica): string {
  const against = [...replica.state.suspects.values()].filter((suspect) =>
    stillCounts(replica, suspect),
  ).length;
  return against === 0 ? '' : `, ${against} of ${weakQuorumOf(replica)} suspect the primary`;
}

function amnesiacs({ state, self }: Replica): string {
  const silent = [...state.peers.keys()].filter((index) => index !== self && state.peers[index]?.silent);
  if (silent.length === 0) return '';
  const who =
    silent.length === 1
      ? `validator ${silent[0]} does not vote: it does not know what its key signed before`
      : `validators ${silent.join(', ')} do not vote: they do not know what their keys signed before`;
  return `; ${who}`;
}

const silentAfterMs = 5_000;

/** Validators speak to each other: that nobody else hears them says nothing. */
function silentPeers(replica: Replica): string {
  const { state, self } = replica;
  if (self === null) return '';
  const others = [...state.peers.keys()].filter((index) => index !== self);
  const span = { now: state.now, withinMs: silentAfterMs };
  const silence = silenceOf(state.contact, others, span);
  const silent = others.filter((index) => !isHeard(state.contact, index, span)).length;
  return silence + (state.peers.length - silent < quorumOf(replica) ? ' (more than can be missing)' : '');
}
