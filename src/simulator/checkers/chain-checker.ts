import type { ChainLink } from '../../consensus/engine.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { BlockHeader, Proposal } from '../../ledger/block.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import { promise } from './breach.ts';
import { coinsOf, type Judged, judgePlainly, type PlainRules } from './plain-ledger.ts';
import { plainChainAt, plainGenesisChain } from './plain-changes.ts';
import { reservationsWrong } from './plain-reservations.ts';
import { type PlainState, plainHeaderHash } from './plain-roots.ts';

interface AgreedBlock {
  readonly blockHash: Hash;
  /** The node that was the first to call it final. */
  readonly node: number;
}

/** What one node made final, over all its processes. */
interface NodeChain {
  /** The last height that this process called final. */
  final: number;
  /** The last height that any of its processes called final. */
  known: number;
  /** The last height that was stored in any of its processes: nothing below may be gone after a restart. */
  stored: number;
}

/**
 * The one chain that all honest nodes must have. It compares every block that becomes final anywhere with the
 * first that did at its height, and judges by its own implementation of the ledger (`plain-ledger.ts`) every
 * block that is final, or that a node takes for valid.
 */
export class ChainChecker {
  readonly #agreed: AgreedBlock[];
  readonly #nodes = new Map<number, NodeChain>();
  readonly #proposals = new Map<Hash, Proposal>();
  readonly #judged = new Map<Hash, Judged>();
  /** Transactions of liars' own accounts. */
  readonly #liars = new Map<Hash, Transaction>();
  readonly #transactions: ReadonlyMap<Hash, Transaction>;
  readonly #rules: PlainRules;
  readonly #onTransactionFinal: (transaction: Hash, height: number) => void;
  readonly #onValidators: (height: number, blockHash: Hash, keys: readonly string[]) => void;
  readonly #finalTransactions = new Map<Hash, number>();
  readonly #coins: bigint;
  /** The highest height that was judged as part of the chain. */
  #executed = 0;
  #lastUsed = 0;

  constructor(options: {
    rules: PlainRules &
      Pick<Genesis, 'feePerOperation' | 'consensus' | 'validators' | 'accounts' | 'namespaces'>;
    genesis: BlockHeader;
    /** Every transaction that a client made. */
    transactions: ReadonlyMap<Hash, Transaction>;
    /** A transaction stands in the block at this height, which is final. */
    onFinal: (transaction: Hash, height: number) => void;
    /** The final block at this height names other validators for the blocks above it (PBFT). */
    onValidators?: (height: number, blockHash: Hash, keys: readonly string[]) => void;
  }) {
    const { genesis } = options;
    const blockHash = plainHeaderHash(genesis);
    const state: PlainState = {
      accounts: new Map(
        options.rules.accounts.map(({ publicKey, balance }) => [
          publicKey,
          { balance, held: 0n, nonce: 0, keys: null },
        ]),
      ),
      records: new Map(),
      reservations: [],
      chain: plainGenesisChain(genesis, options.rules),
      namespaces: new Map(options.rules.namespaces.map(({ name, ...rules }) => [name, rules])),
    };
    this.#agreed = [{ blockHash, node: -1 }];
    this.#judged.set(blockHash, { verdict: 'valid', header: genesis, state });
    this.#coins = coinsOf(state);
    this.#rules = options.rules;
    this.#transactions = options.transactions;
    this.#onTransactionFinal = options.onFinal;
    this.#onValidators = options.onValidators ?? (() => {});
  }

  get height(): number {
    return this.#agreed.length - 1;
  }

  hashAt(height: number): Hash | undefined {
    return this.#agreed[height]?.blockHash;
  }

  /** The block that was final first at a height, and where. */
  finalAt(height: number): { readonly blockHash: Hash; readonly node: number } | undefined {
    return this.#agreed[height];
  }

  proposalOf(blockHash: Hash): Proposal | undefined {
    return this.#proposals.get(blockHash);
  }

  /** At which height a transaction is final, anywhere. */
  heightOf(transaction: Hash): number | undefined {
    return this.#finalTransactions.get(transaction);
  }

  /** The highest height with a transaction in it. */
  get highestTransaction(): number {
    return this.#lastUsed;
  }

  /** What it knew to be final in any of its processes. */
  knownHeight(node: number): number {
    const { known, stored } = this.#of(node);
    return Math.max(known, stored);
  }

  storedHeight(node: number): number {
    return this.#of(node).stored;
  }

  /** A liar made a transaction of its own. */
  onTransaction(transaction: Transaction): void {
    this.#liars.set(transaction.hash, transaction);
  }

  /** Somebody saw this proposal; it may never become final. */
  onProposal(blockHash: Hash, proposal: Proposal): void {
    this.#proposals.set(blockHash, proposal);
    this.#execute();
  }

  /** A process of the node begins with this block as its final one. */
  onStart(node: number, height: number, blockHash: Hash): void {
    const chain = this.#of(node);
    promise(
      height >= chain.stored,
      'finality',
      () => `node ${node} stored final blocks up to ${chain.stored} and has ${height} after its restart`,
    );
    promise(
      this.#agreed[height]?.blockHash === blockHash,
      'finality',
      () =>
        `node ${node} starts on ${blockHash} at height ${height}, and final there is ${this.#agreed[height]?.blockHash}`,
    );
    chain.final = height;
    // More may be on disk than its process before was told.
    chain.stored = height;
  }

  /** The disk is another one: what it stored is gone by right. */
  onDiskLost(node: number): void {
    this.#of(node).stored = 0;
  }

  onFinal(node: number, link: ChainLink): void {
    const chain = this.#of(node);
    promise(
      link.height === chain.final + 1,
      'finality',
      () => `node ${node} calls height ${link.height} final after ${chain.final}`,
    );
    chain.final = link.height;
    chain.known = Math.max(chain.known, link.height);
    const before = this.#agreed[link.height];
    if (before === undefined) {
      promise(
        this.hashAt(link.height - 1) === link.parentHash,
        'validity',
        () => `the final block at height ${link.height} does not extend the one below`,
      );
      this.#agreed.push({ blockHash: link.blockHash, node });
      this.#execute();
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
    const chain = this.#of(node);
    promise(height <= chain.final, 'finality', () => `node ${node} stored ${height} before it was final`);
    chain.stored = Math.max(chain.stored, height);
  }

  /** A snapshot replaced all up to this height. */
  onInstalled(node: number, height: number, blockHash: Hash): void {
    const known = this.#agreed[height]?.blockHash;
    promise(
      known === blockHash,
      'agreement',
      () =>
        `node ${node} installed a snapshot of ${blockHash} at height ${height}, and final there is ${known}`,
    );
    const chain = this.#of(node);
    chain.final = Math.max(chain.final, height);
    chain.stored = Math.max(chain.stored, height);
  }

  /** What a block is worth; undefined while it, or something below it, was shown by nobody. */
  judge(blockHash: Hash): Judged | undefined {
    const known = this.#judged.get(blockHash);
    if (known !== undefined) return known;
    const proposal = this.#proposals.get(blockHash);
    if (proposal === undefined) return undefined;
    const parent = this.judge(proposal.header.parentHash);
    if (parent === undefined) return undefined;
    const judged: Judged =
      parent.verdict === 'invalid'
        ? { verdict: 'invalid', why: 'its parent is invalid' }
        : judgePlainly({
            blockHash,
            proposal,
            parent,
            rules: this.#rules,
            transaction: (hash) => this.#transactions.get(hash) ?? this.#liars.get(hash),
          });
    this.#judged.set(blockHash, judged);
    return judged;
  }

  /** True when the block is the final one at its height, or stands on it. */
  extendsFinal(blockHash: Hash, finalHeight: number): boolean {
    let at = blockHash;
    for (;;) {
      if (at === this.#agreed[finalHeight]?.blockHash) return true;
      const header = this.#proposals.get(at)?.header;
      if (header === undefined || header.height <= finalHeight) return false;
      at = header.parentHash;
    }
  }

  /** When a block says that it was made; undefined for one that nobody showed. */
  timestampOf(blockHash: Hash): number | undefined {
    return this.#proposals.get(blockHash)?.header.timestamp;
  }

  /** It is a millisecond later than its parent: nothing on that one could be earlier. */
  isSoonestAfterParent(blockHash: Hash): boolean {
    const header = this.#proposals.get(blockHash)?.header;
    const parent = header === undefined ? undefined : this.judge(header.parentHash);
    return parent?.verdict === 'valid' && header?.timestamp === parent.header.timestamp + 1;
  }

  /** Judges all final heights whose block is known by now. */
  #execute(): void {
    for (;;) {
      const height = this.#executed + 1;
      const block = this.#agreed[height];
      const proposal = block === undefined ? undefined : this.#proposals.get(block.blockHash);
      if (block === undefined || proposal === undefined) return;
      this.#executeOne(height, block, proposal);
      this.#executed = height;
    }
  }

  #executeOne(height: number, block: AgreedBlock, { transactionHashes }: Proposal): void {
    const at = (what: string): string => `the final block at height ${height}: ${what}`;
    const judged = this.judge(block.blockHash);
    promise(judged?.verdict === 'valid', 'validity', () =>
      at(judged?.verdict === 'invalid' ? judged.why : 'nothing is known of it'),
    );
    const { validators } = plainChainAt(judged.state.chain, height + 1);
    const { header } = judged;
    if (validators.length > 0 && header.nextValidatorsHash !== header.validatorsHash)
      this.#onValidators(height, block.blockHash, validators);
    promise(coinsOf(judged.state) === this.#coins, 'exactly-once', () => at('coins were made or lost'));
    const wrong = reservationsWrong(judged.state, height);
    promise(wrong === undefined, 'exactly-once', () => at(wrong ?? ''));
    for (const hash of transactionHashes) {
      const before = this.#finalTransactions.get(hash);
      promise(before === undefined, 'exactly-once', () =>
        at(`transaction ${hash} was final at height ${before}`),
      );
      this.#finalTransactions.set(hash, height);
      if (this.#transactions.has(hash)) this.#lastUsed = height;
      this.#onTransactionFinal(hash, height);
    }
  }

  #of(node: number): NodeChain {
    let chain = this.#nodes.get(node);
    if (chain === undefined) {
      chain = { final: 0, known: 0, stored: 0 };
      this.#nodes.set(node, chain);
    }
    return chain;
  }
}
