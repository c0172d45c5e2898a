import type { PbftMessage } from '../../consensus/pbft/message.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { type BlockHeader, hashHeader, type Proposal, toHeight, type View } from '../../ledger/block.ts';
import { merkleRoot } from '../../ledger/merkle.ts';
import { receiptsRootOf } from '../../ledger/receipt.ts';

const remembered = 200;

/** Makes valid blocks on any block whose header went by: empty ones, because those need no state. */
export class RogueBlocks {
  readonly #headers = new Map<Hash, BlockHeader>();
  readonly #proposer: PublicKey;

  constructor(genesis: BlockHeader, proposer: PublicKey) {
    this.#proposer = proposer;
    this.#headers.set(hashHeader(genesis), genesis);
  }

  learn(message: PbftMessage): void {
    if (message.kind !== 'pre-prepare') return;
    this.#headers.set(message.blockHash, message.proposal.header);
    if (this.#headers.size > remembered) {
      // The first is the genesis, which stays.
      const [, oldest] = this.#headers.keys();
      if (oldest !== undefined) this.#headers.delete(oldest);
    }
  }

  /** An empty block on this parent; null when its header never went by. */
  emptyChild(parentHash: Hash, view: View): (Proposal & { readonly blockHash: Hash }) | null {
    const parent = this.#headers.get(parentHash);
    if (parent === undefined) return null;
    const header: BlockHeader = {
      height: toHeight(parent.height + 1),
      parentHash,
      view,
      proposer: this.#proposer,
      timestamp: parent.timestamp + 1,
      protocolVersion: parent.protocolVersion,
      transactionRoot: merkleRoot([]),
      stateRoot: parent.stateRoot,
      receiptsRoot: receiptsRootOf([]),
      validatorsHash: parent.nextValidatorsHash,
      nextValidatorsHash: parent.nextValidatorsHash,
    };
    const blockHash = hashHeader(header);
    this.#headers.set(blockHash, header);
    return { header, transactionHashes: [], blockHash };
  }

  /** Blocks that went by, for those that pick one. */
  get known(): readonly Hash[] {
    return [...this.#headers.keys()];
  }
}
