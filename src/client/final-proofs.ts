import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { type BlockHeader, hashHeader, type Height, toHeight } from '../ledger/block.ts';
import type { EngineName } from '../ledger/engine-names.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { maxFaulty } from '../ledger/quorum.ts';
import { receiptJson } from '../ledger/receipt.ts';
import type { FinalityAnswer, ReceiptAnswer, TransactionStatusAnswer } from './answers.ts';
import type { FinalBlockEvent } from './events.ts';
import type { Deadline, HttpClient } from './http-client.ts';
import type { Nodes } from './nodes.ts';
import { problemOf } from './outcomes.ts';
import { ProofChecker } from './proof-checker.ts';
import { certifiedHeader, verifyBlockReceipts } from './verify.ts';

/** What became of a final transaction. */
export interface FinalOutcome {
  readonly hash: Hash;
  readonly height: Height;
  readonly blockHash: Hash;
  readonly receipt: ReceiptAnswer;
}

/**
 * How long nodes may be behind the one that told of a block. What is not had by then is asked for again, at
 * another node.
 */
const behindMs = 10_000;

/** Whether an engine's certificates show to anybody that a block is final. */
const provesFinality: Readonly<Record<EngineName, boolean>> = { pbft: true, raft: false };

/**
 * What nodes say of the chain, as far as it may be believed. Under PBFT a block, its receipts and
 * what came of a transaction are proven by the validators' signatures, against the genesis file; and what
 * no proof shows (a refusal, or that no block can hold a transaction any more) counts when so many nodes
 * say it that one of them is honest. In Raft nobody lies, and a node's word counts.
 */
export class FinalProofs {
  /** Undefined where no proof shows to others that a block is final. */
  readonly checker: ProofChecker | undefined;
  readonly #nodes: Nodes;
  #newest = toHeight(0);

  constructor(nodes: Nodes, genesis: Genesis) {
    this.#nodes = nodes;
    const ofAny = { epochs: (options?: Deadline) => nodes.ask((client) => client.epochs(options)) };
    this.checker = provesFinality[genesis.consensus.engine] ? new ProofChecker(genesis, ofAny) : undefined;
  }

  /** How many of the named nodes may lie or be silent. Of one alone none: its word is all there is. */
  get faulty(): number {
    if (this.checker === undefined) return 0;
    return Math.min(maxFaulty(this.checker.validators), this.#nodes.endpoints.length - 1);
  }

  /** The highest block that was proven so far. */
  get newest(): Height {
    return this.#newest;
  }

  /**
   * Whether what one node said counts: others say it too, so many that one of all is honest; or nobody says
   * otherwise, and no more are silent than may be. `ask` tells whether another one says so.
   */
  async isAgreed(
    first: HttpClient,
    ask: (client: HttpClient) => Promise<boolean | Problem>,
  ): Promise<boolean> {
    const { faulty } = this;
    let [said, silent, otherwise] = [1, 0, 0];
    for (const client of this.#nodes.others(first)) {
      if (said > faulty) break;
      const answer = await ask(client);
      if (answer instanceof Problem) silent += 1;
      else if (answer) said += 1;
      else otherwise += 1;
    }
    return said > faulty || (otherwise === 0 && silent <= faulty);
  }

  /** The highest final height that one of so many nodes shows that an honest one is among them. */
  async height({ deadlineMs }: Deadline = {}): Promise<Height | Problem> {
    const options = deadlineMs === undefined ? {} : { deadlineMs };
    if (this.checker === undefined) {
      const status = await this.#nodes.ask((client) => client.status(), options);
      return status instanceof Problem ? status : status.finalHeight;
    }
    const told = await this.#nodes.some(latestOf, ({ length }) => length > this.faulty);
    for (const latest of told.toSorted((a, b) => b.height - a.height)) {
      const height = await this.#heightIn(latest);
      if (!(height instanceof Problem)) return height;
    }
    return this.#nodes.ask(
      async (client) => {
        const latest = await latestOf(client);
        return latest instanceof Problem ? latest : this.#heightIn(latest);
      },
      { ...options, verdict: anotherWhereUnproven },
    );
  }

  /** A problem where the node that told of a block does not show that it is final. */
  async block({ hash, header }: FinalBlockEvent, url: string): Promise<Problem | undefined> {
    const client = this.#nodes.at(url);
    if (this.checker === undefined || client === undefined) return undefined;
    const shown = certifiedHeader(header, hash);
    if (shown instanceof Problem) return shown;
    const answer = await client.finality(hash);
    if (answer instanceof Problem) return answer;
    const proven = await this.checker.header(answer, client);
    if (proven instanceof Problem) return proven;
    if (hashHeader(proven.header) === hash) return this.#note(proven.header);
    return new Problem('proof/headers', `${url} proves another block than ${hash}, of which it told`, {
      remedy: 'Believe nothing of it, and ask another node.',
      details: { url, wanted: hash, found: hashHeader(proven.header) },
    });
  }

  /** What came of each transaction of a block whose header is proven. */
  receipts(
    { hash, header }: FinalBlockEvent,
    signal: AbortSignal,
  ): Promise<readonly ReceiptAnswer[] | Problem> {
    return this.#nodes.ask(
      async (client) => {
        const block = await client.block(hash, { full: true });
        if (block instanceof Problem) return block;
        if (this.checker === undefined) return block.receipts ?? [];
        const receipts = verifyBlockReceipts(block, header);
        return receipts instanceof Problem ? receipts : receipts.map(receiptJson);
      },
      { deadlineMs: behindMs, signal, verdict: anotherForBlocks },
    );
  }

  /** The transactions of a block, as a node names them: one that hides some delays their owners. */
  hashes({ hash }: FinalBlockEvent, signal: AbortSignal): Promise<readonly Hash[] | Problem> {
    return this.#nodes.ask(
      async (client) => {
        const block = await client.block(hash);
        return block instanceof Problem ? block : block.transactionHashes;
      },
      { deadlineMs: behindMs, signal, verdict: anotherForBlocks },
    );
  }

  /** What came of a transaction; a problem when it is gone. Undefined while that is open. */
  async outcome(hash: Hash): Promise<FinalOutcome | Problem | undefined> {
    let asked: HttpClient | undefined;
    const status = await this.#nodes.ask(
      (client) => {
        asked = client;
        return client.transaction(hash);
      },
      { deadlineMs: 0 },
    );
    if (status instanceof Problem || asked === undefined) return undefined;
    if (status.status === 'final') return this.#outcomeIn(status, hash, asked);
    if (status.status !== 'gone') return undefined;
    const isGone = await this.isAgreed(asked, async (client) => {
      const other = await client.transaction(hash);
      return other instanceof Problem ? other : other.status === 'gone';
    });
    return isGone ? problemOf(status.problem) : undefined;
  }

  async #outcomeIn(
    answer: Extract<TransactionStatusAnswer, { status: 'final' }>,
    hash: Hash,
    client: HttpClient,
  ): Promise<FinalOutcome | undefined> {
    if (this.checker === undefined) {
      const { height, blockHash, receipt } = answer.inclusion;
      return { hash, height, blockHash, receipt };
    }
    const verified = await this.checker.receipt(answer, hash, client);
    if (verified instanceof Problem) return undefined;
    const { height, blockHash, receipt, header } = verified.inclusion;
    this.#note(header);
    return { hash, height, blockHash, receipt: receiptJson(receipt) };
  }

  async #heightIn({ height, proof, client }: Latest): Promise<Height | Problem> {
    if (this.checker === undefined || proof === undefined) return height;
    const proven = await this.checker.header(proof, client);
    if (proven instanceof Problem) return proven;
    this.#note(proven.header);
    return proven.header.height;
  }

  #note({ height }: BlockHeader): undefined {
    if (height > this.#newest) this.#newest = height;
  }
}

/** Where a node says that its chain stands. */
interface Latest {
  readonly client: HttpClient;
  readonly height: Height;
  /** None of the genesis: nobody signed it. */
  readonly proof: FinalityAnswer | undefined;
}

async function latestOf(client: HttpClient, signal?: AbortSignal): Promise<Latest | Problem> {
  const proof = await client.finality('latest', { ...(signal && { signal }) });
  if (!(proof instanceof Problem)) return { client, height: proof.header.height, proof };
  return proof.code === 'api/no-such-block' ? { client, height: toHeight(0), proof: undefined } : proof;
}

/** What one node cannot show another may. */
function anotherWhereUnproven({ code }: Problem): 'later' | 'answer' {
  return code.startsWith('proof/') ? 'later' : 'answer';
}

/** One that is behind the node that told of a block does not have it yet; one that pruned it never will. */
export function anotherForBlocks(problem: Problem): 'later' | 'never' | 'answer' {
  if (problem.code === 'api/no-such-block') return 'later';
  return problem.code === 'storage/pruned' ? 'never' : anotherWhereUnproven(problem);
}
