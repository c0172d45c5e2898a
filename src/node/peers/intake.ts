import { defined } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { ReceivedCode } from '../../base/problem-codes.ts';
import type { MonotonicMs, ValidatorIndex } from '../../consensus/engine.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { Pooled } from '../../mempool/lane.ts';
import type { Mempool } from '../../mempool/mempool.ts';
import { keysNamedBy, weightOf } from '../../mempool/weight.ts';
import type { GossipVerdict, Network, PeerId } from '../../network/port.ts';
import { BoundedMap } from '../../base/bounded-map.ts';
import type { Cancel, Clock } from '../process/clock.ts';
import { readFrame, wrongChain } from './transaction-frame.ts';
import { TransactionOutbox } from './transaction-outbox.ts';
import type { Verification } from './verification.ts';

interface IntakeOptions {
  readonly chainId: Hash;
  readonly mempool: Pick<Mempool, 'add' | 'offer' | 'find' | 'has' | 'gossiped'>;
  readonly verification: Pick<Verification<object>, 'transactions' | 'fault' | 'mayRead' | 'oweBytes'>;
  readonly network: Pick<Network, 'publish'>;
  readonly clock: Clock;
  /** The sender's next nonce by the final state. */
  readonly nextNonce: (sender: PublicKey) => number;
  readonly isFinal: (hash: Hash) => boolean;
  /**
   * What comes from this peer has come to the others too, most likely: it sends to all that it is linked to,
   * and no link seems to be missing. Should it withhold something from them, they hear it from here later.
   */
  readonly othersHear: (peer: PeerId) => boolean;
  /** Transactions that are new here; their signatures are about to be checked. */
  readonly onArriving: (transactions: readonly Transaction[]) => void;
  /** Something was added to the mempool. */
  readonly onAdded: () => void;
  /** Differs between runs of a node, so that its frames do too. */
  readonly salt: number;
}

export type Submitted =
  | { readonly status: 'accepted' | 'known'; readonly hash: Hash }
  | { readonly status: 'refused'; readonly hash: Hash | null; readonly problem: Problem };

/**
 * The way of transactions into the mempool: from clients and from other nodes; and of those from clients to
 * the other nodes.
 */
export class Intake {
  readonly #options: IntakeOptions;
  /** Handed in here and not final as far as we know, with when they were gossiped last. */
  readonly #own = new BoundedMap<Hash, number>(limits.mempoolTransactions);
  #submittedUnderWay: Load = none;
  #gossipUnderWay: Load = none;
  #repeatedAt = -Infinity;
  /** What was gossiped before this moment did not reach everybody: it is gossiped again, piece by piece. */
  #unheardUntil: MonotonicMs = -Infinity;
  #cancelCatchUp: Cancel | undefined;
  /** Whom that is done for. */
  readonly #catchingUp = new Set<ValidatorIndex>();
  /** When it is done again for whom it was done for, at the soonest. */
  readonly #restsUntil = new BoundedMap<ValidatorIndex, MonotonicMs>(limits.maxValidators);
  readonly #outbox: TransactionOutbox;
  readonly counters = {
    submitted: 0,
    accepted: 0,
    refused: 0,
    gossiped: 0,
    framesIn: 0,
    framesOut: 0,
    framesBad: 0,
  };

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#outbox = new TransactionOutbox({ ...options, onFrame: () => (this.counters.framesOut += 1) });
  }

  /** Judges transactions of a client, or says why its bytes are not one; one answer each, in order. */
  submit(list: readonly (Transaction | Problem)[], done: (results: readonly Submitted[]) => void): void {
    this.counters.submitted += list.length;
    const results: (Submitted | undefined)[] = list.map(() => undefined);
    const toCheck: { place: number; transaction: Transaction }[] = [];
    let load = this.#submittedUnderWay;
    for (let place = 0; place < list.length; place++) {
      const transaction = list[place] as Transaction | Problem;
      if (transaction instanceof Problem) {
        results[place] = { status: 'refused', hash: null, problem: transaction };
      } else {
        const loaded = sum(load, loadOf([transaction]));
        const early = this.#early(transaction, loaded);
        if (early === undefined) {
          toCheck.push({ place, transaction });
          load = loaded;
        } else results[place] = early;
      }
    }
    this.#checkSubmitted(
      toCheck.map(({ transaction }) => transaction),
      (valid) => {
        for (let index = 0; index < toCheck.length; index++) {
          const { place, transaction } = toCheck[index] as (typeof toCheck)[number];
          results[place] =
            valid[index] === true ? this.#admitOwn(transaction) : refused(transaction, wrongSignature());
        }
        for (const result of results)
          this.counters[result?.status === 'refused' ? 'refused' : 'accepted'] += 1;
        done(results.map((result) => defined(result, 'an answer for each transaction')));
      },
    );
  }

  /**
   * Judges a frame of another node. To pass it on is to vouch for it, so that is done only when this node
   * checked every signature in it itself: a node that is a block behind looks into what is done here, and
   * would hold a wrong one against us. What the sender could not know (that a nonce is used here, that the
   * mempool has no use for it) is no fault of its.
   */
  frame(from: PeerId, bytes: Uint8Array, decide: (verdict: GossipVerdict) => void): void {
    const { verification, mempool, clock, othersHear } = this.#options;
    this.counters.framesIn += 1;
    if (!verification.mayRead(from, bytes)) return decide('unread');
    const reject = (code: ReceivedCode, checked = 0): void => {
      this.counters.framesBad += 1;
      verification.fault(from, code, checked);
      decide('reject');
    };
    const transactions = readFrame(bytes, this.#options.chainId);
    if (transactions instanceof Problem) return reject(transactions.code);
    const besides = besidesBytes(transactions);
    if (besides > 0) verification.oweBytes(from, besides);
    const heard = transactions.map((transaction): Heard => ({
      transaction,
      pooled: mempool.find(transaction.hash),
    }));
    const fresh = heard.filter(
      ({ transaction, pooled }) => pooled === undefined && !this.#isUsed(transaction),
    );
    const passOn = (): void => decide(this.#passesOn(heard) ? 'accept' : 'ignore');
    const conclude = (): void => {
      if (othersHear(from)) clock.after(limits.frameRelayMs, passOn);
      else passOn();
    };
    if (fresh.length === 0) return conclude();
    const toCheck = fresh.map(({ transaction }) => transaction);
    const load = loadOf(toCheck);
    const all = sum(this.#gossipUnderWay, load);
    if (all.signatures > limits.intakeTransactions || all.bytes > limits.intakeBytes) return decide('unread');
    const checking = this.#checkGossip(from, toCheck, load, (valid) => {
      const good = valid.includes(false) ? fresh.filter((_, index) => valid[index] === true) : fresh;
      this.#admit(good);
      if (good.length === fresh.length) conclude();
      else reject('transaction/wrong-signature', fresh.length - good.length);
    });
    if (!checking) decide('unread');
  }

  /** Takes into the mempool what still has a place there. */
  #admit(list: readonly Heard[]): void {
    const { mempool, verification, clock } = this.#options;
    const now = clock.monotonicMs();
    let added = 0;
    for (let index = 0; index < list.length; index++) {
      const heard = list[index] as Heard;
      const outcome = mempool.offer(heard.transaction, now);
      if (typeof outcome === 'string' || outcome instanceof Problem) continue;
      heard.pooled = outcome;
      verification.transactions.kept(heard.transaction);
      added += 1;
    }
    this.counters.gossiped += added;
    if (added > 0) this.#options.onAdded();
  }

  /**
   * True for a frame that is worth its way: all of it was checked here, half of it at least is of use here,
   * and something that waits here was not passed on lately. So neither another salt nor company makes a
   * transaction travel more often than its own node repeats it, and what costs its sender nothing (a payment
   * out of an empty account) goes no further.
   */
  #passesOn(list: readonly Heard[]): boolean {
    const { mempool, verification } = this.#options;
    const waiting: Pooled[] = [];
    const others: Transaction[] = [];
    for (let index = 0; index < list.length; index++) {
      const { transaction, pooled } = list[index] as Heard;
      // It was here, so it was checked.
      if (pooled?.final === true) continue;
      const here = pooled?.isHere === true ? pooled : mempool.find(transaction.hash);
      if (here === undefined) others.push(transaction);
      else waiting.push(here);
    }
    if (waiting.length === 0) return false;
    const ofUse = list.length - others.filter((other) => !this.#isUsed(other)).length;
    if (2 * ofUse < list.length || !others.every((other) => verification.transactions.checked(other)))
      return false;
    return this.#outbox.passOn(waiting);
  }

  /**
   * Gossips again what was handed in here and still waits: the first time nobody may have been there to hear
   * it. To be called while it looks as if others do not know what waits here, as often as one likes.
   */
  repeat(): void {
    const now = this.#options.clock.monotonicMs();
    if (now - this.#repeatedAt < limits.regossipMs) return;
    this.#repeatedAt = now;
    // What came a moment later than the oldest is not heard of either.
    this.#gossipAgain(now - limits.regossipStepMs);
  }

  /**
   * Gossip reaches this validator from now on, and what was handed in here before it did not: it is gossiped
   * again after a moment, in which others may come too. For each validator then not again for a while, which
   * is as long as much was repeated: one that comes and goes would have everybody hear everything all the
   * time, and one that restarts twice is none of those.
   */
  reaches(validator: ValidatorIndex): void {
    const { clock } = this.#options;
    const now = clock.monotonicMs();
    if (this.#catchingUp.has(validator) || now < (this.#restsUntil.get(validator) ?? -Infinity)) return;
    this.#catchingUp.add(validator);
    this.#unheardUntil = now;
    this.#cancelCatchUp ??= clock.after(limits.regossipStepMs, () => this.#catchUp());
  }

  #catchUp(): void {
    const { clock } = this.#options;
    const { isAll, repeated } = this.#gossipAgain(this.#unheardUntil);
    const restMs = (limits.regossipToOneMs * repeated) / limits.regossipTransactions;
    for (const validator of this.#catchingUp) {
      const until = Math.max(this.#restsUntil.get(validator) ?? -Infinity, clock.monotonicMs() + restMs);
      this.#restsUntil.set(validator, until);
    }
    if (isAll) this.#catchingUp.clear();
    const next = (): void => this.#catchUp();
    this.#cancelCatchUp = isAll ? undefined : clock.after(limits.regossipStepMs, next);
  }

  /** What was gossiped last at this moment or before, up to a piece; and whether that was all of it. */
  #gossipAgain(until: MonotonicMs): { readonly isAll: boolean; readonly repeated: number } {
    const { mempool, clock } = this.#options;
    const now = clock.monotonicMs();
    let repeated = 0;
    for (const [hash, at] of this.#own.entries()) {
      // In the order of their times, oldest first, so what follows is younger still.
      if (at > until) break;
      if (repeated >= limits.regossipTransactions) return { isAll: false, repeated };
      this.#own.delete(hash);
      const pooled = mempool.find(hash);
      if (pooled === undefined) continue;
      this.#own.set(hash, now);
      this.#outbox.add(pooled);
      repeated += 1;
    }
    return { isAll: true, repeated };
  }

  /** These are final: they need not be repeated, and are not kept to find that out. */
  final(transactions: readonly Transaction[]): void {
    if (this.#own.size === 0) return;
    for (let index = 0; index < transactions.length; index++) {
      this.#own.delete((transactions[index] as Transaction).hash);
    }
  }

  /** How many were handed in here that are not final as far as we know. */
  get own(): number {
    return this.#own.size;
  }

  /** Transactions whose signatures are being checked: of clients, and of gossip. */
  get underWay(): { readonly submitted: number; readonly gossip: number } {
    return { submitted: this.#submittedUnderWay.signatures, gossip: this.#gossipUnderWay.signatures };
  }

  /**
   * Gossips what waits for company. To be called when a block is about to name it: then others have it in
   * time, and need not ask for it.
   */
  flush(): void {
    this.#outbox.flush();
  }

  stop(): void {
    this.#cancelCatchUp?.();
    this.#outbox.stop();
  }

  /** An answer that needs no signature check. `load`: all that would be under check with this one. */
  #early(transaction: Transaction, load: Load): Submitted | undefined {
    const { chainId, mempool } = this.#options;
    const { hash } = transaction;
    if (transaction.chainId !== chainId)
      return refused(transaction, wrongChain(transaction.chainId, chainId));
    if (mempool.has(hash)) {
      this.#vouchFor(hash);
      return { status: 'known', hash };
    }
    if (this.#isDone(transaction)) return { status: 'known', hash };
    if (load.signatures > limits.submittedTransactions || load.bytes > limits.submittedBytes) {
      return refused(transaction, busy());
    }
    return undefined;
  }

  /**
   * A client that brings what waits here already is about to lose patience: whoever gossiped it may be gone,
   * and who has to build the next block may have lost it in a restart. So it is repeated from here too.
   */
  #vouchFor(hash: Hash): void {
    if (!this.#own.has(hash)) this.#own.set(hash, this.#options.clock.monotonicMs());
  }

  #admitOwn(transaction: Transaction): Submitted {
    const { mempool, verification, clock, onAdded } = this.#options;
    const now = clock.monotonicMs();
    const outcome = mempool.add(transaction, now);
    if (outcome instanceof Problem) {
      // It may have become final while its signature was checked.
      return this.#isDone(transaction)
        ? { status: 'known', hash: transaction.hash }
        : refused(transaction, outcome);
    }
    const { hash } = transaction;
    if (outcome === 'known') {
      this.#vouchFor(hash);
      return { status: 'known', hash };
    }
    verification.transactions.kept(transaction);
    this.#own.set(hash, now);
    this.#outbox.add(outcome);
    onAdded();
    return { status: 'accepted', hash };
  }

  /** It is final, or another one with its nonce is. */
  #isUsed({ sender, nonce }: Transaction): boolean {
    return nonce < this.#options.nextNonce(sender);
  }

  #isDone(transaction: Transaction): boolean {
    return this.#isUsed(transaction) && this.#options.isFinal(transaction.hash);
  }

  /** Clients' are counted apart: no flood of gossip shuts them out. */
  #checkSubmitted(transactions: readonly Transaction[], done: (valid: readonly boolean[]) => void): void {
    const load = loadOf(transactions);
    this.#submittedUnderWay = sum(this.#submittedUnderWay, load);
    this.#options.verification.transactions.check(transactions, true, (valid) => {
      this.#submittedUnderWay = sum(this.#submittedUnderWay, load, -1);
      done(valid);
    });
    this.#options.onArriving(transactions);
  }

  /** False when the peer has no room for them. */
  #checkGossip(
    from: PeerId,
    transactions: readonly Transaction[],
    load: Load,
    done: (valid: readonly boolean[]) => void,
  ): boolean {
    const check = this.#options.verification.transactions.gossiped(from, transactions);
    if (check === undefined) return false;
    this.#gossipUnderWay = sum(this.#gossipUnderWay, load);
    check((valid) => {
      this.#gossipUnderWay = sum(this.#gossipUnderWay, load, -1);
      done(valid);
    });
    // After the check was asked for: who needs one of them for a block joins that, instead of asking
    // for another.
    this.#options.onArriving(transactions);
    return true;
  }
}

/** One of a frame, and what was found of it in the pool. */
interface Heard {
  readonly transaction: Transaction;
  pooled: Pooled | undefined;
}

/** What transactions under check take. */
interface Load {
  readonly signatures: number;
  readonly bytes: number;
}

const none: Load = { signatures: 0, bytes: 0 };

function loadOf(transactions: readonly Transaction[]): Load {
  let signatures = 0;
  let bytes = 0;
  for (let index = 0; index < transactions.length; index++) {
    const transaction = transactions[index] as Transaction;
    signatures += transaction.signers.length;
    bytes += weightOf(transaction);
  }
  return { signatures, bytes };
}

/** What it took to read these beyond what so many transfers of their bytes take, in bytes of those. */
function besidesBytes(transactions: readonly Transaction[]): number {
  let keys = -transactions.length;
  let parts = -transactions.length;
  for (let index = 0; index < transactions.length; index++) {
    const { conditions, operations } = transactions[index] as Transaction;
    keys += keysNamedBy(operations);
    parts += conditions.length + operations.length;
  }
  return Math.max(keys, 0) * limits.namedKeyBytes + parts * limits.readPartBytes;
}

function sum(a: Load, b: Load, sign: 1 | -1 = 1): Load {
  return { signatures: a.signatures + sign * b.signatures, bytes: a.bytes + sign * b.bytes };
}

function refused(transaction: Transaction, problem: Problem): Submitted {
  return { status: 'refused', hash: transaction.hash, problem };
}

function wrongSignature(): Problem {
  return new Problem('transaction/wrong-signature', 'the sender did not sign the transaction', {
    remedy: "Sign the transaction's exact bytes with the sender's key, by RFC 8032.",
  });
}

function busy(): Problem {
  return new Problem('mempool/busy', 'more transactions wait to be checked than this node takes', {
    remedy: 'Try again in a moment.',
    details: { retryable: true, limit: limits.submittedTransactions },
  });
}
