import type { Engine } from '../../consensus/engine.ts';
import type { PbftEngine } from '../../consensus/pbft/engine.ts';
import { tallyKey, type PbftState, type TallyVote } from '../../consensus/pbft/state.ts';
import type { RaftEngine } from '../../consensus/raft/engine.ts';
import { lastHeight } from '../../consensus/raft/log.ts';
import { isAmnesiac } from '../../consensus/raft/replica.ts';
import type { RaftState } from '../../consensus/raft/state.ts';
import type { Hash } from '../../crypto/hash.ts';
import { shortHash } from '../plan/message-text.ts';

/** A block in a node's log, and how far it is. */
interface EntryView {
  readonly height: number;
  /** The beginning of its hash. */
  readonly hash: string;
  /** The view or term of its votes; null for one that is final and of which no more is remembered. */
  readonly view: number | null;
  readonly state: 'proposed' | 'prepared' | 'final' | 'in memory' | 'on disk' | 'committed';
  /** Who said what for it, as far as this node has heard. */
  readonly votes: readonly { readonly of: string; readonly from: readonly number[] }[];
}

/** What an engine holds, in the words of its paper. For people: checkers read the state itself. */
export interface EngineView {
  readonly view: number;
  readonly role: 'primary' | 'backup' | 'changing the view' | 'leader' | 'candidate' | 'follower';
  readonly entries: readonly EntryView[];
  /** Votes that are about no block. */
  readonly ballots: readonly string[];
}

/** So many of the newest blocks are shown. */
const shownEntries = 6;

/** `self` is the node's place among the validators; undefined for an observer. */
export function engineView(engine: Engine<object>, self: number | undefined): EngineView {
  if ('replica' in engine) return raftView((engine as unknown as RaftEngine).replica.state);
  const { primary } = engine.status();
  return pbftView((engine as unknown as PbftEngine).state, primary !== null && primary === self);
}

/** It knows that its log holds all that its key signed. PBFT's says nothing of that here. */
export function hasItsLog(engine: Engine<object>): boolean {
  return !('replica' in engine) || !isAmnesiac((engine as unknown as RaftEngine).replica.state);
}

function pbftView(state: Readonly<PbftState>, isPrimary: boolean): EngineView {
  const { view, phase, viewChanges, accused } = state;
  const ballots: string[] = [];
  if (phase.name === 'changing') {
    const movers = [...viewChanges].flatMap(([from, change]) => (change.view >= view ? [from] : []));
    ballots.push(`view changes to ${view}: ${listed(movers)}`);
  }
  const suspecting = [...state.suspects].filter(
    ([, suspect]) => suspect.view === view && suspect.reason !== 'withdrawn',
  );
  if (suspecting.length > 0) ballots.push(`suspect the primary: ${listed(suspecting.map(([from]) => from))}`);
  for (const name of accused) ballots.push(`has proof against ${name.replace('/', ': ')}`);
  return {
    view,
    role: phase.name === 'changing' ? 'changing the view' : isPrimary ? 'primary' : 'backup',
    entries: pbftEntries(state),
    ballots,
  };
}

function pbftEntries(state: Readonly<PbftState>): readonly EntryView[] {
  const finals = [...state.recentFinal].flatMap(([height, hash]): EntryView[] => {
    const { certificate } = state.final;
    // Votes are forgotten with it; who signed the newest is known for good.
    const votes =
      certificate?.blockHash === hash
        ? [{ of: 'commit', from: certificate.signatures.map(({ validator }) => validator) }]
        : [];
    return height === 0 ? [] : [{ height, hash: shortHash(hash), view: null, state: 'final', votes }];
  });
  const open = [...state.slots.values()]
    .filter(({ height }) => height > state.final.height)
    .map(({ height, blockHash, commitAsked }): EntryView => ({
      height,
      hash: shortHash(blockHash),
      view: state.view,
      state: commitAsked ? 'prepared' : 'proposed',
      votes: votesFor(state, height, blockHash),
    }));
  return [...finals, ...open].toSorted((a, b) => a.height - b.height).slice(-shownEntries);
}

function votesFor(state: Readonly<PbftState>, height: number, hash: Hash): EntryView['votes'] {
  const tally = state.tallies.get(tallyKey(state.view, height as PbftState['final']['height']));
  if (tally === undefined) return [];
  const from = (votes: ReadonlyMap<number, TallyVote>): readonly number[] =>
    [...votes].flatMap(([voter, { blockHash }]) => (blockHash === hash ? [voter] : [])).toSorted(ascending);
  return (['prepare', 'commit'] as const).map((of) => ({ of, from: from(tally[of]) }));
}

function raftView(state: Readonly<RaftState>): EngineView {
  const { role, term, votedFor, self } = state;
  const ballots: string[] = [];
  if (votedFor !== null) ballots.push(`voted for ${votedFor === self ? 'itself' : votedFor} in term ${term}`);
  if (role.kind === 'candidate') {
    const yes = [...role.votes].flatMap(([from, granted]) => (granted ? [from] : []));
    ballots.push(`${role.pre ? 'would vote for it' : 'vote for it'}: ${listed(yes)}`);
  }
  return { view: term, role: role.kind, entries: raftEntries(state), ballots };
}

function raftEntries(state: Readonly<RaftState>): readonly EntryView[] {
  const { log, role, commit, durable, self } = state;
  const first = Math.max(0, lastHeight(log) - log.base.height - shownEntries);
  return log.entries.slice(first).map(({ header: { height, view }, blockHash }) => {
    const stored =
      role.kind === 'leader'
        ? [...role.progress].flatMap(([member, { match }]) => (match >= height ? [member] : []))
        : [];
    if (self !== null && durable >= height && !stored.includes(self)) stored.push(self);
    return {
      height,
      hash: shortHash(blockHash),
      view,
      state: height <= commit ? 'committed' : height <= durable ? 'on disk' : 'in memory',
      votes: [{ of: 'stored', from: stored.toSorted(ascending) }],
    };
  });
}

const ascending = (a: number, b: number): number => a - b;

function listed(nodes: readonly number[]): string {
  return nodes.length === 0 ? 'nobody' : nodes.toSorted(ascending).join(', ');
}
