import { createHash, hash } from 'node:crypto';
import { domainPrefix, useSha256 } from '../../../crypto/hash.ts';
import { plainPairHash, usePairHash } from '../../../crypto/pair-hash.ts';
import type { SignatureClaim } from '../../../crypto/signature.ts';
import { Links } from '../../../simulator/world/links.ts';

/** What happened on all nodes together. */
export interface WorkCounts {
  /** Votes, proposals and what else goes from validator to validator. */
  messages: number;
  messageBytes: number;
  /** Transactions, flooded to all: a mesh of gossip has fewer copies. */
  gossip: number;
  gossipBytes: number;
  /** Requests and their answers. */
  requests: number;
  requestBytes: number;
  /** Signatures of transactions, and of messages and certificates. */
  transactionChecks: number;
  messageChecks: number;
  /** SHA-256 of anything, pairs of the trees included. */
  hashes: number;
  /** Batches that were written and synced. */
  syncs: number;
  writtenEntries: number;
  writtenBytes: number;
}

const nothing: Readonly<WorkCounts> = {
  messages: 0,
  messageBytes: 0,
  gossip: 0,
  gossipBytes: 0,
  requests: 0,
  requestBytes: 0,
  transactionChecks: 0,
  messageChecks: 0,
  hashes: 0,
  syncs: 0,
  writtenEntries: 0,
  writtenBytes: 0,
};

export class WorkCounter {
  /** Since it was made or cleared. */
  counts: WorkCounts = { ...nothing };

  clear(): void {
    this.counts = { ...nothing };
  }

  /** Claims that a node has checked; what is signed begins with the name of its kind. */
  checked(claims: readonly SignatureClaim[]): void {
    const ofTransactions = claims.filter(({ message }) => isTransaction(message)).length;
    this.counts.transactionChecks += ofTransactions;
    this.counts.messageChecks += claims.length - ofTransactions;
  }

  /** From now on every hash of this process counts here. */
  countHashes(): void {
    useSha256({
      hex: (data) => {
        this.counts.hashes += 1;
        return hash('sha256', data, 'hex');
      },
      bytes: (data) => {
        this.counts.hashes += 1;
        return new Uint8Array(createHash('sha256').update(data).digest());
      },
      into: (data, target, at) => {
        this.counts.hashes += 1;
        target.set(createHash('sha256').update(data).digest(), at);
      },
    });
    // One after the other by the function above, so that each pair counts.
    usePairHash(plainPairHash);
  }
}

const transactionPrefix = domainPrefix('quorate/v1/transaction-signature');

function isTransaction(message: Uint8Array): boolean {
  return transactionPrefix.every((byte, at) => message[at] === byte);
}

/** Links that count what is put on them. */
export class CountingLinks extends Links {
  readonly #counter: WorkCounter;

  constructor(options: ConstructorParameters<typeof Links>[0] & { readonly counter: WorkCounter }) {
    super(options);
    this.#counter = options.counter;
  }

  override arrivals(message: Parameters<Links['arrivals']>[0]): ReturnType<Links['arrivals']> {
    const { counts } = this.#counter;
    if (message.kind === 'transactions') {
      counts.gossip += 1;
      counts.gossipBytes += message.size;
    } else if (message.kind === 'request' || message.kind === 'response') {
      counts.requests += 1;
      counts.requestBytes += message.size;
    } else {
      counts.messages += 1;
      counts.messageBytes += message.size;
    }
    return super.arrivals(message);
  }
}
