import { decode, encode } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { othersAreAsked, peerAtFault } from '../../base/peer-faults.ts';
import { Problem } from '../../base/problem.ts';
import type { ValidatorIndex } from '../../consensus/engine.ts';
import type { Hash } from '../../crypto/hash.ts';
import { hashHeader, type Proposal } from '../../ledger/block.ts';
import { type Block, checkProposal, decodePartsOf, proposalOfParts } from '../../ledger/block-body.ts';
import { hashOfTransactionBytes, type Transaction } from '../../ledger/transaction.ts';
import type { Network, PeerId } from '../../network/port.ts';
import type { Chain } from './chain.ts';
import type { Cancel, Clock } from '../process/clock.ts';
import { decodeInTurns } from '../peers/decode-in-turns.ts';
import { fetchFrom } from '../peers/fetch.ts';
import type { Verification } from '../peers/verification.ts';
import { blockRequestCodec, transactionsRequestCodec, transactionsResponseCodec } from '../peers/wire.ts';

interface BodiesOptions {
  readonly chain: Chain;
  readonly network: Pick<Network, 'request'>;
  readonly clock: Clock;
  readonly verification: Pick<Verification<object>, 'transactions' | 'fault'>;
  /** A pending transaction whose signature was checked. */
  readonly pending: (hash: Hash) => Transaction | undefined;
  /** A transaction that came by gossip and whose signature is being checked. */
  readonly arriving: (hash: Hash) => Transaction | undefined;
  /** Whom to ask: those that act for the holders first. */
  readonly peersFor: (holders: readonly ValidatorIndex[]) => readonly PeerId[];
}

interface Wanted {
  readonly hash: Hash;
  /** What is known of it: then only missing transactions are fetched. */
  readonly proposal: Proposal | null;
  readonly holders: readonly ValidatorIndex[];
}

/**
 * `here`: the block is in the chain, whole, its signatures checked. A problem: whoever holds it, it is not
 * valid.
 */
type Obtained = 'here' | 'unavailable' | Problem;

/** A block of which some transactions are still looked for. */
interface Partial {
  readonly wanted: Wanted & { readonly proposal: Proposal };
  /** Found so far, by place. */
  readonly found: (Transaction | undefined)[];
  /** Place of each transaction not found yet. */
  readonly missing: Map<Hash, number>;
  /** Those of them that are here, and whose signatures are being checked. */
  readonly checking: Set<Hash>;
  readonly done: (result: Obtained) => void;
  cancel: Cancel;
}

/**
 * Brings whole blocks into the chain: bodies come from the mempool, from gossip on its way, and from those
 * who hold the block.
 */
export class Bodies {
  readonly #options: BodiesOptions;
  readonly #waiters = new Map<Hash, ((result: Obtained) => void)[]>();
  readonly #partial = new Map<Hash, Partial>();
  readonly counters = { fetchedTransactions: 0, fetchedBlocks: 0 };

  constructor(options: BodiesOptions) {
    this.#options = options;
  }

  /** Answers once; at once when nothing is missing. Asked twice at the same time, it fetches once. */
  obtain(wanted: Wanted, done: (result: Obtained) => void): void {
    if (this.#options.chain.get(wanted.hash) !== undefined) return done('here');
    const waiters = this.#waiters.get(wanted.hash);
    if (waiters !== undefined) {
      waiters.push(done);
      return;
    }
    this.#waiters.set(wanted.hash, [done]);
    const finish = (result: Obtained): void => {
      const all = this.#waiters.get(wanted.hash) ?? [];
      this.#waiters.delete(wanted.hash);
      for (const waiter of all) waiter(result);
    };
    const { proposal } = wanted;
    if (proposal === null) this.#fetchBlock(wanted, finish);
    else this.#complete({ ...wanted, proposal }, finish);
  }

  /** Transactions that just came by gossip: those that a block waits for are checked before all others. */
  arrived(transactions: readonly Transaction[]): void {
    for (const partial of this.#partial.values()) {
      const needed = transactions.filter(
        ({ hash }) => partial.missing.has(hash) && !partial.checking.has(hash),
      );
      if (needed.length > 0) this.#check(partial, needed);
    }
  }

  #complete(wanted: Wanted & { proposal: Proposal }, done: (result: Obtained) => void): void {
    const { hash, proposal } = wanted;
    const wrong = hashHeader(proposal.header) === hash ? checkProposal(proposal) : otherBlock(hash);
    if (wrong !== undefined) return done(wrong);
    const { transactionHashes } = proposal;
    const found = transactionHashes.map((each) => this.#options.pending(each));
    const missing = new Map<Hash, number>();
    transactionHashes.forEach((each, place) => {
      if (found[place] === undefined) missing.set(each, place);
    });
    const partial: Partial = { wanted, found, missing, checking: new Set(), done, cancel: () => {} };
    const arriving = [...missing.keys()].flatMap(
      (transactionHash) => this.#options.arriving(transactionHash) ?? [],
    );
    this.#partial.set(hash, partial);
    if (missing.size === 0) return this.#finishPartial(partial);
    if (arriving.length > 0) this.#check(partial, arriving);
    partial.cancel = this.#options.clock.after(limits.gossipGraceMs, () => this.#fetchMissing(partial));
  }

  /** Checks signatures of transactions that a block needs; `from` whom they were fetched. */
  #check(partial: Partial, transactions: readonly Transaction[], from?: PeerId): void {
    for (const { hash } of transactions) partial.checking.add(hash);
    this.#checkSignatures(transactions, from, (valid) => {
      if (this.#partial.get(partial.wanted.hash) !== partial) return;
      const bad = transactions[valid.indexOf(false)];
      // The block names exactly these signatures, so no other copy of the transaction can help.
      if (bad !== undefined) return this.#endPartial(partial, wrongSignature(partial.wanted.hash, bad));
      for (const transaction of transactions) fill(partial, transaction);
      if (partial.missing.size === 0) this.#finishPartial(partial);
    });
  }

  /** Fetches what did not come by itself. */
  #fetchMissing(partial: Partial): void {
    const { hash, holders } = partial.wanted;
    const places = [...partial.missing]
      .filter(([hash]) => !partial.checking.has(hash))
      .map(([, place]) => place);
    if (places.length === 0) return;
    const request = encode(transactionsRequestCodec, { blockHash: hash, places });
    partial.cancel = fetchFrom(this.#options, {
      protocol: 'transactions',
      request,
      peers: () => this.#options.peersFor(holders),
      accept: (response, peer) => {
        const encoded = readTransactions(response, partial, places);
        if (encoded instanceof Problem) {
          this.#options.verification.fault(peer, encoded.code);
          return false;
        }
        this.counters.fetchedTransactions += encoded.length;
        this.#decode(partial, encoded, peer);
        return true;
      },
      done: (found) => {
        if (!found) this.#endPartial(partial, 'unavailable');
      },
    });
  }

  #decode(partial: Partial, encoded: readonly Uint8Array[], from: PeerId): void {
    decodeInTurns(this.#options.clock, encoded, (transactions) => {
      if (this.#partial.get(partial.wanted.hash) !== partial) return;
      if (transactions instanceof Problem)
        this.#endPartial(partial, this.#noTransactions(from, transactions));
      else this.#check(partial, transactions, from);
    });
  }

  /** What was asked for by its hash is no transaction: others have no better one. */
  #noTransactions(from: PeerId, { code }: Problem): 'unavailable' {
    this.#options.verification.fault(from, code);
    return 'unavailable';
  }

  #checkSignatures(
    transactions: readonly Transaction[],
    from: PeerId | undefined,
    done: (valid: readonly boolean[]) => void,
  ): void {
    const { verification } = this.#options;
    if (from === undefined) verification.transactions.check(transactions, false, done);
    else verification.transactions.fetched(from, transactions, done);
  }

  #finishPartial(partial: Partial): void {
    const transactions = partial.found.filter((transaction) => transaction !== undefined);
    const block: Block = { header: partial.wanted.proposal.header, transactions };
    this.#options.chain.add(block, { stored: false });
    this.#endPartial(partial, 'here');
  }

  #endPartial(partial: Partial, result: Obtained): void {
    if (!this.#partial.delete(partial.wanted.hash)) return;
    partial.cancel();
    partial.done(result);
  }

  #fetchBlock(wanted: Wanted, done: (result: Obtained) => void): void {
    fetchFrom(this.#options, {
      protocol: 'candidate',
      request: encode(blockRequestCodec, wanted.hash),
      peers: () => this.#options.peersFor(wanted.holders),
      accept: (response, peer) => {
        const parts = decodePartsOf(response);
        if (parts instanceof Problem || hashHeader(parts.header) !== wanted.hash) {
          this.#options.verification.fault(peer, 'block/not-as-asked');
          return false;
        }
        this.counters.fetchedBlocks += 1;
        // The hash commits to the transactions, so wrong ones are this peer's fault.
        const wrong = checkProposal(proposalOfParts(parts));
        if (wrong !== undefined) {
          this.#options.verification.fault(peer, wrong.code);
          return false;
        }
        decodeInTurns(this.#options.clock, parts.transactions, (transactions) => {
          if (transactions instanceof Problem) return done(this.#noTransactions(peer, transactions));
          const block = { header: parts.header, transactions };
          this.#checkBlock({ hash: wanted.hash, block, from: peer }, done);
        });
        return true;
      },
      done: (found) => {
        if (!found) done('unavailable');
      },
    });
  }

  #checkBlock(
    { hash, block, from }: { hash: Hash; block: Block; from: PeerId },
    done: (result: Obtained) => void,
  ): void {
    this.#checkSignatures(block.transactions, from, (valid) => {
      const bad = block.transactions[valid.indexOf(false)];
      if (bad !== undefined) return done(wrongSignature(hash, bad));
      this.#options.chain.add(block, { stored: false });
      done('here');
    });
  }
}

function fill(partial: Partial, transaction: Transaction): void {
  const place = partial.missing.get(transaction.hash);
  if (place === undefined) return;
  partial.found[place] = transaction;
  partial.missing.delete(transaction.hash);
}

/** The bytes of the transactions at the places asked for, or what is wrong with the response. */
function readTransactions(
  response: Uint8Array,
  partial: Partial,
  places: readonly number[],
): readonly Uint8Array[] | Problem {
  const list = decode(transactionsResponseCodec, response, 'transactions response');
  if (list instanceof Problem) return list;
  const { transactionHashes } = partial.wanted.proposal;
  const areThese =
    list.length === places.length &&
    list.every((bytes, index) => hashOfTransactionBytes(bytes) === transactionHashes[places[index] ?? -1]);
  return areThese ? list : notAsAsked();
}

function notAsAsked(): Problem {
  return new Problem('network/not-as-asked', 'the response holds other transactions than those asked for', {
    remedy: othersAreAsked,
  });
}

function otherBlock(hash: Hash): Problem {
  return new Problem('block/other-header', 'the proposal is of another block than the one it names', {
    remedy: peerAtFault,
    details: { blockHash: hash },
  });
}

function wrongSignature(blockHash: Hash, transaction: Transaction): Problem {
  return new Problem(
    'transaction/wrong-signature',
    'a transaction in the block was not signed by its sender',
    {
      remedy: 'The block is invalid: refuse it.',
      details: { blockHash, transactionHash: transaction.hash },
    },
  );
}
