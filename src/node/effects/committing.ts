import { encode } from '../../base/codec.ts';
import { invariant, InvariantError } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import type { Problem } from '../../base/problem.ts';
import type { Effect, Input } from '../../consensus/engine.ts';
import { type BlockHeader, changesValidators } from '../../ledger/block.ts';
import { type Block, hasRoom } from '../../ledger/block-body.ts';
import { finalityCodec, type FinalityCertificate } from '../../ledger/certificate.ts';
import { type Execution, nextValidatorsOf } from '../../ledger/execution.ts';
import type { ValidatorSet } from '../../ledger/validators.ts';
import type { Mempool } from '../../mempool/mempool.ts';
import type { CommitRequest } from '../../storage/chain-requests.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import type { Bodies } from './bodies.ts';
import { blockBytes, type Candidate, type Chain, headerBytes } from './chain.ts';
import type { Cancel, Clock } from '../process/clock.ts';

type CommitEffect = Extract<Effect<never>, { type: 'commit' }>;

/** What became final, for those who want to hear of it. */
export interface Committed {
  readonly hash: Candidate['hash'];
  readonly block: Block;
  readonly execution: Execution;
  readonly certificate: FinalityCertificate | null;
  /** How long some of its transactions could be executed here before it was final, in milliseconds. */
  readonly waits: readonly number[];
}

interface CommittingOptions {
  readonly chain: Chain;
  readonly store: Pick<ChainStore, 'commitRun'>;
  readonly mempool: Pick<Mempool, 'committed' | 'waitOf'>;
  readonly bodies: Pick<Bodies, 'obtain'>;
  readonly clock: Clock;
  readonly enqueue: (input: Extract<Input<never>, { type: 'applied' }>) => void;
  /** Hands to the store what was to be persisted before: what is final never comes to disk before it. */
  readonly flush: () => void;
  readonly onCommitted: (committed: Committed) => void;
  /** All that the node's key signed since this block was made stands in the log here. */
  readonly seesEpoch?: (header: BlockHeader) => boolean;
  readonly onFatal: (problem: Problem) => void;
  /** Ends the node. */
  readonly onUnknownVersion: (header: BlockHeader) => void;
}

/** How long to wait before a final block that nobody had is asked for again. */
const retryMs = 1_000;

/** A block on its way to the store. */
interface Step {
  readonly effect: CommitEffect;
  readonly candidate: Candidate;
  readonly execution: Execution;
}

/**
 * The `commit` effect. Blocks become final in order: executed, written in one synced batch, taken out of the
 * mempool, announced. Blocks that one certificate makes final together are one batch, so that what is stored
 * always ends with its proof; and so are those that came while the disk was busy, so that a slow one keeps
 * up. A final block that is not here (others voted for it) is fetched first; those above it wait.
 */
export class Committing {
  readonly #options: CommittingOptions;
  readonly #queue: CommitEffect[] = [];
  #busy = false;
  #cancelWait: Cancel = () => {};

  constructor(options: CommittingOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  commit(effect: CommitEffect): void {
    this.#queue.push(effect);
    this.#next();
  }

  stop(): void {
    this.#cancelWait();
  }

  #next(): void {
    let end = this.#queue.findIndex(({ certificate }) => certificate !== null);
    if (this.#busy || end < 0) return;
    this.#busy = true;
    for (let more = end + 1; more < Math.min(this.#queue.length, limits.commitBlocks); more++) {
      if (this.#queue[more]?.certificate !== null) end = more;
    }
    this.#prepare(this.#queue.slice(0, end + 1), []);
  }

  /**
   * Brings and executes the blocks of a run, one in each turn, so that a long run does not hold up everything
   * else.
   */
  #prepare(run: readonly CommitEffect[], steps: readonly Step[]): void {
    const effect = run[steps.length];
    if (effect === undefined) return this.#write(steps);
    const { chain, bodies } = this.#options;
    const { blockHash } = effect.link;
    if (chain.get(blockHash) !== undefined) return this.#execute(run, steps, effect);
    bodies.obtain({ hash: blockHash, proposal: null, holders: [] }, (result) => {
      if (result === 'here') this.#execute(run, steps, effect);
      else if (result === 'unavailable') this.#wait(retryMs, () => this.#prepare(run, steps));
      else throw invalidFinalBlock(effect, result);
    });
  }

  #execute(run: readonly CommitEffect[], steps: readonly Step[], effect: CommitEffect): void {
    const { chain } = this.#options;
    const verdict = chain.judge(effect.link.blockHash);
    const candidate = chain.get(effect.link.blockHash);
    if (verdict.verdict === 'invalid') throw invalidFinalBlock(effect, verdict.problem);
    // Memory for candidates is bounded: one of the run may have gone meanwhile, and is fetched again.
    if (verdict.verdict === 'missing') return this.#wait(retryMs, () => this.#prepare(run, []));
    if (verdict.verdict === 'unknown-version') return this.#stopBefore(effect, steps);
    invariant(candidate?.outcome.name === 'valid', 'a block that was judged valid was executed');
    const done = [...steps, { effect, candidate, execution: candidate.outcome.execution }];
    if (done.length === run.length) this.#write(done);
    else this.#wait(0, () => this.#prepare(run, done));
  }

  /**
   * A final block is of a protocol version that this program does not know. What is below it is stored first,
   * as far as its proof reaches: so the store ends with a proof, and a newer program goes on from it.
   */
  #stopBefore({ link }: CommitEffect, steps: readonly Step[]): void {
    const proven = steps.findLastIndex(({ effect }) => effect.certificate !== null);
    if (proven >= 0) return this.#write(steps.slice(0, proven + 1));
    const candidate = this.#options.chain.get(link.blockHash);
    if (candidate !== undefined) this.#options.onUnknownVersion(candidate.block.header);
  }

  #write(steps: readonly Step[]): void {
    const { chain, store, flush, onFatal } = this.#options;
    // First, with the blocks that a vote in it stands for: a vote must not come to the disk before them.
    flush();
    const toStore = steps.map(({ candidate }) => (candidate.stored ? undefined : blockBytes(candidate)));
    const obsolete = chain.retire(steps.map(({ candidate }) => candidate));
    const requests = steps.map(({ effect, candidate, execution }, index): CommitRequest => ({
      height: effect.link.height,
      hash: candidate.hash,
      headerBytes: headerBytes(candidate.block.header),
      blockBytes: toStore[index],
      certificate: effect.certificate && encode(finalityCodec, effect.certificate),
      nextValidators: nextSet({ candidate, execution })?.keys,
      transactions: candidate.block.transactions,
      touched: execution.touched,
      receiptsBytes: execution.receiptsBytes,
      stateChanges: execution.changes,
      forgetRecords: [],
      forgetCandidates: index === steps.length - 1 ? obsolete : [],
    }));
    store.commitRun(requests, (problem) => {
      if (problem !== undefined) return onFatal(problem);
      for (const step of steps) this.#applied(step);
      this.#queue.splice(0, steps.length);
      this.#busy = false;
      this.#next();
    });
  }

  #applied(step: Step): void {
    const { effect, candidate, execution } = step;
    const { chain, mempool, clock, enqueue, onCommitted, seesEpoch = () => false } = this.#options;
    const { block, hash } = candidate;
    const { height } = block.header;
    const now = clock.monotonicMs();
    const waits = waitsOf(block, (transactionHash) => mempool.waitOf(transactionHash, now));
    chain.advance(candidate, execution);
    mempool.committed({
      height,
      transactions: block.transactions,
      accountOf: execution.state.account.bind(execution.state),
      hadRoom: hasRoom(block.transactions, execution.parameters.limits),
      next: execution.next,
      now,
    });
    const validators = nextSet(step);
    enqueue({
      type: 'applied',
      height,
      ...(validators && { validators, epochSeen: seesEpoch(block.header) }),
    });
    onCommitted({ hash, block, execution, certificate: effect.certificate, waits });
  }

  #wait(ms: number, then: () => void): void {
    this.#cancelWait = this.#options.clock.after(ms, then);
  }
}

/** Of a large block only some, spread over it: to look for each costs something. */
function waitsOf(
  { transactions }: Block,
  waitOf: (hash: Candidate['hash']) => number | undefined,
): readonly number[] {
  const stride = Math.max(1, Math.ceil(transactions.length / limits.waitsPerBlock));
  const waits: number[] = [];
  for (let at = 0; at < transactions.length; at += stride) {
    const transaction = transactions[at];
    const wait = transaction === undefined ? undefined : waitOf(transaction.hash);
    if (wait !== undefined) waits.push(wait);
  }
  return waits;
}

/** Who votes on the blocks above this one, where that changes with it (PBFT). */
function nextSet({ candidate, execution }: Omit<Step, 'effect'>): ValidatorSet | undefined {
  return changesValidators(candidate.block.header) ? nextValidatorsOf(execution) : undefined;
}

/**
 * A quorum signed what is not valid here: more validators lie than may, or this node's software or disk is
 * not what it should be.
 */
function invalidFinalBlock(effect: CommitEffect, problem: Problem): InvariantError {
  const error = new InvariantError(
    `broken invariant: the final block at height ${effect.link.height} is valid (${problem.message})`,
  );
  error.cause = problem;
  return error;
}
