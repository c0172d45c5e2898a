import { Problem } from '../../base/problem.ts';
import type { ChainLink } from '../../consensus/engine.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { BlockHeader, Proposal } from '../../ledger/block.ts';
import { hashHeader } from '../../ledger/block.ts';
import { checkLink, checkProposal } from '../../ledger/block-body.ts';
import { checkRoots, executeBlock } from '../../ledger/execution.ts';
import type { State } from '../../ledger/state.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import { promise } from '../breach.ts';

interface AgreedBlock {
  readonly blockHash: Hash;
  /** The node that was the first to call it final. */
  readonly node: number;
  header: BlockHeader | null;
}

/** What one node made final, over all its processes. */
interface NodeChain {
  /** The last height that this process called final. */
  final: number;
  /** The last height that was stored in any of its processes: nothing below may be gone after a restart. */
  stored: number;
}

/**
 * The one chain that all honest nodes must have. It compares every block that becomes final anywhere with the first
 * that did at its height, and executes each height once by itself, on a state of its own.
 */
export class ChainChecker {
  private readonly agreed: AgreedBlock[];
  private readonly nodes = new Map<number, NodeChain>();
  private readonly proposals = new Map<Hash, Proposal>();
  private readonly transactions: ReadonlyMap<Hash, Transaction>;
  private readonly chainId: Hash;
  private readonly onTransaction: (transaction: Hash, height: number) => void;
  private readonly finalTransactions = new Map<Hash, number>();
  /** State after the last height that was executed here. */
  private state: State;
  private executed = 0;
  private lastUsed = 0;

  constructor(options: {
    chainId: Hash;
    genesis: BlockHeader;
    state: State;
    /** Every transaction that anybody made, valid or not. */
    transactions: ReadonlyMap<Hash, Transaction>;
    /** A transaction stands in the block at this height, which is final. */
    onFinal: (transaction: Hash, height: number) => void;
  }) {
    const { genesis } = options;
    this.agreed = [{ blockHash: hashHeader(genesis), node: -1, header: genesis }];
    this.chainId = options.chainId;
    this.state = options.state;
    this.transactions = options.transactions;
    this.onTransaction = options.onFinal;
  }

  get height(): number {
    return this.agreed.length - 1;
  }

  hashAt(height: number): Hash | undefined {
    return this.agreed[height]?.blockHash;
  }

  /** At which height a transaction is final, anywhere. */
  heightOf(transaction: Hash): number | undefined {
    return this.finalTransactions.get(transaction);
  }

  /** The highest height with a transaction in it. */
  get highestTransaction(): number {
    return this.lastUsed;
  }

  get stateAtHead(): State {
    return this.state;
  }

  /** What a node holds in this process. */
  finalHeight(node: number): number {
    return this.of(node).final;
  }

  storedHeight(node: number): number {
    return this.of(node).stored;
  }

  /** Somebody saw this proposal; it may never become final. */
  onProposal(blockHash: Hash, proposal: Proposal): void {
    this.proposals.set(blockHash, proposal);
    this.execute();
  }

  /** A process of the node begins with this block as its final one. */
  onStart(node: number, height: number, blockHash: Hash): void {
    const chain = this.of(node);
    promise(
      height >= chain.stored,
      'finality',
      () => `node ${node} stored final blocks up to ${chain.stored} and has ${height} after its restart`,
    );
    promise(
      this.agreed[height]?.blockHash === blockHash,
      'finality',
      () =>
        `node ${node} starts on ${blockHash} at height ${height}, and final there is ${this.agreed[height]?.blockHash}`,
    );
    chain.final = height;
    // More may be on disk than its process before was told.
    chain.stored = height;
  }

  /** The disk is another one: what it stored is gone by right. */
  onDiskLost(node: number): void {
    this.of(node).stored = 0;
  }

  onFinal(node: number, link: ChainLink): void {
    const chain = this.of(node);
    promise(
      link.height === chain.final + 1,
      'finality',
      () => `node ${node} calls height ${link.height} final after ${chain.final}`,
    );
    chain.final = link.height;
    const before = this.agreed[link.height];
    if (before === undefined) {
      promise(
        this.hashAt(link.height - 1) === link.parentHash,
        'validity',
        () => `the final block at height ${link.height} does not extend the one below`,
      );
      this.agreed.push({ blockHash: link.blockHash, node, header: null });
      this.execute();
      return;
    }
    promise(
      before.blockHash === link.blockHash,
      'agreement',
      () =>
        `at height ${link.height}, node ${before.node} made ${before.blockHash.slice(0, 12)} final and ` +
        `node ${node} ${link.blockHash.slice(0, 12)}`,
    );
  }

  /** The node has the block at this height on its disk, and answers clients from it. */
  onStored(node: number, height: number): void {
    const chain = this.of(node);
    promise(height <= chain.final, 'finality', () => `node ${node} stored ${height} before it was final`);
    chain.stored = Math.max(chain.stored, height);
  }

  /** A snapshot replaced all up to this height. */
  onInstalled(node: number, height: number, blockHash: Hash): void {
    const known = this.agreed[height]?.blockHash;
    promise(
      known === blockHash,
      'agreement',
      () =>
        `node ${node} installed a snapshot of ${blockHash} at height ${height}, and final there is ${known}`,
    );
    const chain = this.of(node);
    chain.final = Math.max(chain.final, height);
    chain.stored = Math.max(chain.stored, height);
  }

  /** Executes all heights whose block is known. */
  private execute(): void {
    for (;;) {
      const height = this.executed + 1;
      const block = this.agreed[height];
      const proposal = block === undefined ? undefined : this.proposals.get(block.blockHash);
      if (block === undefined || proposal === undefined) return;
      this.executeOne(height, block, proposal);
      this.executed = height;
    }
  }

  private executeOne(height: number, block: AgreedBlock, proposal: Proposal): void {
    const { header, transactionHashes } = proposal;
    const parent = this.agreed[height - 1]?.header as BlockHeader;
    const at = (what: string): string => `the final block at height ${height}: ${what}`;
    promise(hashHeader(header) === block.blockHash, 'validity', () => at('its header has another hash'));
    const wrong = checkLink(parent, header) ?? checkProposal(proposal);
    promise(wrong === undefined, 'validity', () => at(wrong?.message ?? ''));
    const transactions = transactionHashes.map((hash) => {
      const before = this.finalTransactions.get(hash);
      promise(before === undefined, 'exactly-once', () =>
        at(`transaction ${hash} was final at height ${before}`),
      );
      this.finalTransactions.set(hash, height);
      this.lastUsed = height;
      this.onTransaction(hash, height);
      const transaction = this.transactions.get(hash);
      promise(transaction !== undefined, 'validity', () => at(`nobody made its transaction ${hash}`));
      return transaction;
    });
    const context = {
      height: header.height,
      timestamp: header.timestamp,
      proposer: header.proposer,
      chainId: this.chainId,
    };
    const execution = executeBlock(this.state, context, transactions);
    if (execution instanceof Problem) {
      promise(false, 'validity', () => at(execution.message));
    }
    const roots = checkRoots(header, execution);
    promise(roots === undefined, 'validity', () => at(roots?.message ?? ''));
    this.state = execution.state;
    block.header = header;
  }

  private of(node: number): NodeChain {
    let chain = this.nodes.get(node);
    if (chain === undefined) {
      chain = { final: 0, stored: 0 };
      this.nodes.set(node, chain);
    }
    return chain;
  }
}
