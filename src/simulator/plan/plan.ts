import type { EngineName } from '../../ledger/engine-names.ts';
import type { Retention } from '../../node/core/protocol.ts';
import type { LinkConditions } from '../world/links.ts';
import type { VirtualMs } from '../world/scheduler.ts';

/**
 * Everything that decides a run, as plain data. The same plan gives the same run, to the byte. A
 * plan is drawn from a seed (`draw-plan.ts`), made smaller (`shrink.ts`), and kept as a JSON file
 * when it found something.
 */
export interface Plan {
  /** Seeds what the plan leaves open: each delay, each loss, each choice of a liar. */
  readonly seed: number;
  readonly engine: EngineName;
  /** Sizes the validator set. */
  readonly validators: number;
  /** One process each; more than `validators` when there are twins or observers. */
  readonly nodes: readonly NodePlan[];
  readonly consensus: PbftTiming | RaftTiming;
  /** When nodes make snapshots and delete old blocks (Raft); without it, never. */
  readonly retention?: Retention;
  /**
   * A Raft leader sends each block in a message of its own, as it does with large ones: then each is written
   * and acknowledged for itself.
   */
  readonly oneByOne?: boolean;
  readonly links: LinkConditions;
  /** How long a synced write takes, from least to most. */
  readonly diskMs: readonly [VirtualMs, VirtualMs];
  readonly load: LoadPlan;
  readonly faults: readonly Fault[];
  /** Clocks that are wrong from the start to the end; those of the other nodes are right. */
  readonly clocks?: readonly ClockPlan[];
  /** Which nodes reach each other without a third; without it, all do. */
  readonly shape?: Shape;
  /**
   * When the second act begins: from then on the nodes that are not `broken` work, and so
   * do the links between them.
   */
  readonly healAt: VirtualMs;
  readonly broken: readonly BrokenNode[];
  /**
   * How long after `healAt` all submitted transactions must be final on all healed nodes; and as long again
   * what waits for ever must be gone.
   */
  readonly boundMs: VirtualMs;
  /** Real Ed25519 costs fifty times the time and finds the same bugs. */
  readonly signatures: 'fast' | 'ed25519';
}

export interface NodePlan {
  /** The validator whose key it holds; null for an observer. Two nodes with one key are twins. */
  readonly validator: number | null;
  /** What it does instead of following the protocol. An observer that lies is a stranger. */
  readonly liar: LiarName | null;
  /**
   * An observer whose machine has noted each use of its key for long: the key votes at once where it gets
   * into the set. Of another's nobody knows that it is new, so it has to ask first, and may fail like one
   * whose log is lost.
   */
  readonly noted?: boolean;
  /**
   * When its disk is lost, its key comes back on a machine that knows of no use of it: one that came
   * later, in Raft.
   */
  readonly moves?: boolean;
}

export interface ClockPlan {
  readonly node: number;
  /** How far the wall clock is ahead. */
  readonly offsetMs: number;
  /** Its milliseconds in one true one. */
  readonly rate: number;
}

/** A network that is no full mesh. The nodes in between pass on what they accept. */
export type Shape =
  | { readonly kind: 'star'; readonly centre: number }
  | { readonly kind: 'line'; readonly order: readonly number[] }
  /** Two groups, these nodes and the others, each whole in itself, and one link between them. */
  | {
      readonly kind: 'bridge';
      readonly group: readonly number[];
      readonly ends: readonly [inside: number, outside: number];
    };

/** True when two nodes have a link in such a network. */
export function areLinked(shape: Shape, a: number, b: number): boolean {
  if (shape.kind === 'star') return a === shape.centre || b === shape.centre;
  if (shape.kind === 'bridge') {
    const { group, ends } = shape;
    return group.includes(a) === group.includes(b) || (ends.includes(a) && ends.includes(b));
  }
  return Math.abs(shape.order.indexOf(a) - shape.order.indexOf(b)) === 1;
}

export const liarNames = [
  'silent',
  'equivocate',
  'two-faced-votes',
  'replay',
  'prepare-as-commit',
  'mutate',
  'forge-new-view',
  'lie-about-height',
  'bad-state-root',
  'withhold',
  'censor',
  'slow',
  'flood',
  'forget',
  'restless',
  'drip',
  'siblings',
  'cross-parents',
  'full-blocks',
  'stale',
  'forge-nested',
  'poison-frames',
  'clock',
  'twin',
] as const;
export type LiarName = (typeof liarNames)[number];

/** What needs no validator's key: the strategies of a stranger. */
export const strangerNames = [
  'stale',
  'forge-nested',
  'poison-frames',
  'drip',
  'siblings',
] as const satisfies readonly LiarName[];

export interface PbftTiming {
  readonly window: number;
  readonly viewTimeoutMs: number;
  readonly viewTimeoutCapMs: number;
  readonly blocksPerPrimary: number;
  readonly heartbeatMs: number;
  readonly censorshipMs: number;
  readonly blockIntervalMs: number;
}

export interface RaftTiming {
  readonly heartbeatMs: number;
  readonly electionTimeoutMs: number;
  readonly blockIntervalMs: number;
  readonly leaseReads: boolean;
}

interface LoadPlan {
  readonly senders: number;
  readonly transactions: number;
  /** They are submitted at random moments from 0 to here. */
  readonly untilMs: VirtualMs;
  /**
   * So many more behind a nonce that never comes, and as many again when all else is final: the chain must
   * come to their expiry within the bound. Without it, none.
   */
  readonly gaps?: number;
}

export const blows = ['crash', 'cut-off', 'freeze', 'disk-stall'] as const;
/** And one that is drawn for itself: it hears nothing any more, and what it says arrives. */
export const allBlows = [...blows, 'deaf'] as const;
export type Blow = (typeof allBlows)[number];

interface Episode {
  readonly at: VirtualMs;
  readonly forMs: VirtualMs;
}

/** A fault of the first act. Every one is over at `healAt`. */
export type Fault =
  /** No link between one side and the rest, in both directions. */
  | ({ readonly kind: 'partition'; readonly side: readonly number[] } & Episode)
  /** Nothing from some nodes to others; the way back works. */
  | ({ readonly kind: 'one-way'; readonly from: readonly number[]; readonly to: readonly number[] } & Episode)
  /** One node after the other is cut off. */
  | ({ readonly kind: 'rotating-partition'; readonly everyMs: VirtualMs } & Episode)
  | ({
      readonly kind: 'clog';
      readonly from: number;
      readonly to: number;
      readonly bytesPerMs: number;
    } & Episode)
  /** kill -9; a part of the unsynced writes is lost. It starts again when the episode ends. */
  | ({ readonly kind: 'crash'; readonly node: number } & Episode)
  | ({ readonly kind: 'crash-all' } & Episode)
  /** It is killed again and again, and starts at once each time. */
  | ({ readonly kind: 'crash-loop'; readonly node: number; readonly everyMs: VirtualMs } & Episode)
  | ({ readonly kind: 'disk-stall'; readonly node: number } & Episode)
  /** Each write takes up to this long. */
  | ({ readonly kind: 'disk-slow'; readonly node: number; readonly upToMs: VirtualMs } & Episode)
  /** A sync fails; the node has to stop, and starts again when the episode ends. */
  | ({ readonly kind: 'disk-error'; readonly node: number } & Episode)
  /** The disk is replaced by an empty one. */
  | ({ readonly kind: 'disk-loss'; readonly node: number } & Episode)
  /** The wall clock is off by this much for the episode. */
  | ({ readonly kind: 'clock-jump'; readonly node: number; readonly byMs: number } & Episode)
  /**
   * All wall clocks are off by this much for the episode: a block made in it may lie far ahead of
   * the clocks that come after.
   */
  | ({ readonly kind: 'clocks-jump'; readonly byMs: number } & Episode)
  /**
   * Its clocks and timers run this many times as fast for the episode, and the wall clock
   * stays off by what that made.
   */
  | ({ readonly kind: 'clock-drift'; readonly node: number; readonly rate: number } & Episode)
  | ({ readonly kind: 'pause'; readonly node: number } & Episode)
  /**
   * Paused and cut off, and cut off for a while longer than paused: it wakes up with its old beliefs
   * and nobody to correct them.
   */
  | ({ readonly kind: 'freeze'; readonly node: number } & Episode)
  /** Other conditions on all links. */
  | ({ readonly kind: 'weather'; readonly conditions: LinkConditions } & Episode)
  /**
   * Messages of some kinds are dropped on a random share of the links, drawn again at intervals. Leaves votes
   * half counted: what view changes have to clean up.
   */
  | ({
      readonly kind: 'drop-kinds';
      readonly kinds: readonly string[];
      readonly share: number;
      readonly everyMs: VirtualMs;
    } & Episode)
  /** An operator asks whoever leads to hand over, again and again (Raft). */
  | ({ readonly kind: 'hand-over'; readonly everyMs: VirtualMs } & Episode)
  /**
   * An operator adds, promotes, demotes, removes and replaces members, again and again (Raft).
   * Observers are there to be added.
   */
  | ({
      readonly kind: 'change-members';
      readonly everyMs: VirtualMs;
      /**
       * Nodes that may lose their vote, or never get one. Where logs were lost, the voters
       * who have theirs are needed.
       */
      readonly outgoing: readonly number[];
    } & Episode)
  /** Those who hold the validators' keys change the set, again and again (PBFT). */
  | ({ readonly kind: 'change-validators'; readonly everyMs: VirtualMs } & Episode)
  /** Whoever sends a message of these kinds is hit at that moment: where a half-done step hurts most. */
  | ({
      readonly kind: 'strike';
      readonly kinds: readonly string[];
      /** Probability, for each message. */
      readonly share: number;
      readonly how: readonly Blow[];
      /**
       * A blow lasts until the next one falls: whoever leads is cut off, and comes
       * back when its successor is.
       */
      readonly relay: boolean;
    } & Episode);

export type FaultKind = Fault['kind'];

/** What stays wrong in the second act; one that is `absent` was never there. */
export interface BrokenNode {
  readonly node: number;
  readonly how: 'down' | 'isolated' | 'absent';
}

export function isAbsent({ broken }: Pick<Plan, 'broken'>, node: number): boolean {
  return broken.some((each) => each.node === node && each.how === 'absent');
}

/** Nodes whose word counts: no liar and no twin. */
export function isHonest(plan: Pick<Plan, 'nodes'>, node: number): boolean {
  return plan.nodes[node]?.liar === null;
}

/** Validators whose key a liar holds. */
export function lyingValidators(plan: Plan): ReadonlySet<number> {
  const lying = new Set<number>();
  for (const { validator, liar } of plan.nodes) if (liar !== null && validator !== null) lying.add(validator);
  return lying;
}

/** How long a node waits for whoever leads. */
export function patienceOf({ consensus }: Plan): VirtualMs {
  return 'viewTimeoutMs' in consensus ? consensus.viewTimeoutMs : consensus.electionTimeoutMs;
}
