import type { EngineStart } from '../../../consensus/protocol.ts';
import { decode } from '../../../base/codec.ts';
import { unwrap } from '../../../base/problem.ts';
import { hardStateCodec, stateKey } from '../../../consensus/raft/records.ts';
import type { RaftMessage } from '../../../consensus/raft/message.ts';
import type { Hash } from '../../../crypto/hash.ts';
import { promise } from '../breach.ts';
import type { RaftTiming } from '../../plan/plan.ts';
import { type LogView, type Place, heard, type Step } from './step.ts';
import type { Member } from '../../../ledger/members.ts';

/** A replica that ticks does what is due within this time. */
export const tickMs = 60;

export interface Seat {
  /** Names the node in what is said of it. */
  readonly node: number;
  readonly timing: RaftTiming;
}

/**
 * Who votes: two groups in the phase between two configurations. Said once more, in other
 * words than the replica's.
 */
const oldVoters: readonly Member['role'][] = ['voter', 'leaving', 'demoted'];
const newVoters: readonly Member['role'][] = ['voter', 'joining'];

export const isJoint = (members: readonly Member[]): boolean =>
  members.some(({ role }) => role === 'joining' || role === 'leaving' || role === 'demoted');

export const takesPart = (members: readonly Member[], index: number): boolean =>
  members[index] !== undefined && members[index].role !== 'removed';

export function votes(members: readonly Member[], index: number | null): boolean {
  const role = index === null ? undefined : members[index]?.role;
  return role !== undefined && (oldVoters.includes(role) || newVoters.includes(role));
}

function isMost(members: readonly Member[], roles: readonly Member['role'][], yes: (at: number) => boolean) {
  let [all, said] = [0, 0];
  for (let index = 0; index < members.length; index++) {
    if (!roles.includes((members[index] as Member).role)) continue;
    all += 1;
    if (yes(index)) said += 1;
  }
  return 2 * said > all;
}

/** More than half of the old voters and more than half of the new ones. */
export function isQuorum(members: readonly Member[], yes: (at: number) => boolean): boolean {
  return isMost(members, oldVoters, yes) && isMost(members, newVoters, yes);
}

export function isQuorumOfNew(members: readonly Member[], yes: (at: number) => boolean): boolean {
  return isMost(members, newVoters, yes);
}

/**
 * What one process of a replica was told and did, as far as its duties depend on it.
 * Written down from outside.
 */
export class Books {
  readonly seat: Seat;
  log: LogView;
  /** Writes that are not confirmed, oldest first: what they hold, and when they were asked for. */
  readonly writes: {
    readonly seq: number;
    blocks: readonly Hash[];
    readonly at: number;
    readonly term: number;
  }[] = [];
  /** Blocks of its log that are on its disk. */
  readonly durable = new Set<Hash>();
  /** Blocks that it asked to have on its disk. */
  readonly written = new Set<Hash>();
  /** The term that its disk has. */
  durableTerm: number;
  lastSeq = 0;
  doneSeq = 0;
  /** Its first write is done: its start is counted. */
  startOnDisk = false;
  installing = false;
  /** When it last heard whoever leads. */
  leaderHeardAt: number | null;
  /** Since when it is what it is. */
  roleSince: number;
  /** Since when it goes by its configuration. */
  #membersSince: number;
  /**
   * It stood still. Until then it may wait for what came meanwhile, whatever seems to be overdue, and helps
   * against its leader or not.
   */
  mayReadUntil = Number.NEGATIVE_INFINITY;
  /** It heard its leader until it stood still. Until then it has to wait for what came meanwhile. */
  mustReadUntil = Number.NEGATIVE_INFINITY;

  constructor(
    seat: Seat,
    start: EngineStart,
    { place, log }: { readonly place: Place; readonly log: LogView },
  ) {
    this.seat = seat;
    this.log = log;
    this.roleSince = start.now;
    this.#membersSince = start.now;
    const state = start.records.get(stateKey);
    // With leases a restarted member waits as if it had heard a leader. If no earlier start is on its disk,
    // it promised nothing.
    const mayHavePromised = state !== undefined || start.log === 'lost' || start.log === 'vouched';
    this.leaderHeardAt = seat.timing.leaseReads && mayHavePromised ? start.now : null;
    this.durableTerm = state === undefined ? 0 : unwrap(decode(hardStateCodec, state, stateKey)).term;
    for (let height = place.base; height <= place.last; height++) {
      const hash = log.hashAt(height);
      if (hash !== undefined) this.durable.add(hash);
    }
  }

  /** Notes a step, before its duties are looked at. */
  note(step: Step): void {
    const { input, effects, now, before, after } = step;
    if (input.type === 'persisted') this.#confirm(input.seq);
    if (input.type === 'tick' && input.lateMs !== undefined) this.#noteLate(now, input.lateMs);
    for (const effect of effects) {
      if (effect.type === 'persist') {
        this.lastSeq = effect.seq;
        for (const hash of effect.forget ?? []) this.#forget(hash);
        this.writes.push({ seq: effect.seq, blocks: effect.blocks, at: now, term: after.term });
        for (const hash of effect.blocks) this.written.add(hash);
      } else if (effect.type === 'install') this.installing = true;
    }
    if (input.type === 'installed' || input.type === 'install-failed') this.installing = false;
    const word = heard(step, 'heartbeat', 'append', 'snapshot-offer');
    if (word !== undefined && after.leader === word.from && word.term === after.term)
      this.leaderHeardAt = now;
    else if (after.role !== before.role && after.role !== 'follower') this.leaderHeardAt = null;
    if (after.role !== before.role || after.term !== before.term) this.roleSince = now;
    if (after.membersHeight !== before.membersHeight) this.#membersSince = now;
  }

  /** Whether it has to listen to this. Of those who were removed only its leader hands over. */
  isHeard({ kind, from, term }: RaftMessage, before: Place, now: number): boolean {
    if (before.members[from]?.role !== 'removed') return true;
    const isLeader = before.leader === from && before.term === term;
    const isInTime = now - this.#membersSince < 2 * this.seat.timing.electionTimeoutMs;
    return isLeader && isInTime && ['heartbeat', 'timeout-now'].includes(kind);
  }

  #noteLate(now: number, lateMs: number): void {
    const until = now + Math.min(lateMs, this.seat.timing.electionTimeoutMs);
    this.mayReadUntil = Math.max(this.mayReadUntil, until);
    if (this.hearsLeader(now - lateMs)) this.mustReadUntil = Math.max(this.mustReadUntil, until);
  }

  /** It was cut off the log: a write from before says nothing of one that comes back. */
  #forget(hash: Hash): void {
    this.durable.delete(hash);
    this.written.delete(hash);
    for (const write of this.writes) {
      if (write.blocks.includes(hash)) write.blocks = write.blocks.filter((other) => other !== hash);
    }
  }

  #confirm(seq: number): void {
    for (let write = this.writes[0]; write !== undefined && write.seq <= seq; write = this.writes[0]) {
      this.writes.shift();
      this.startOnDisk = true;
      this.doneSeq = write.seq;
      this.durableTerm = write.term;
      for (const hash of write.blocks) this.durable.add(hash);
    }
  }

  /** The oldest write waits for too long: who depends on this replica should look elsewhere. */
  stalls(now: number): boolean {
    const [oldest] = this.writes;
    return oldest !== undefined && now - oldest.at >= this.seat.timing.electionTimeoutMs;
  }

  hearsLeader(now: number): boolean {
    return this.leaderHeardAt !== null && now - this.leaderHeardAt < this.seat.timing.electionTimeoutMs;
  }

  /** May ask for votes. */
  mayCampaign({ now, after }: Step): boolean {
    return (
      votes(after.members, after.self) &&
      !after.forgot &&
      !this.installing &&
      !after.arriving &&
      after.applied >= after.base &&
      !this.stalls(now) &&
      this.log.changeUpTo(after.commit) === null
    );
  }

  /** A duty that was not done. */
  must(condition: boolean, describe: () => string): void {
    promise(condition, 'duty', () => `node ${this.seat.node} ${describe()}`);
  }
}
