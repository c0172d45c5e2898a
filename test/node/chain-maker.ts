import { unwrap } from '../../src/base/problem.ts';
import type { Roster } from '../../src/consensus/protocol.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { nativeSigner } from '../../src/crypto/native.ts';
import { type BlockHeader, hashHeader, toHeight, toView } from '../../src/ledger/block.ts';
import type { Block } from '../../src/ledger/block-body.ts';
import { type FinalityCertificate, voteBytes } from '../../src/ledger/certificate.ts';
import { executeBlock, nextValidatorsOf } from '../../src/ledger/execution.ts';
import { type Genesis, genesisHeader, genesisState, genesisValidators } from '../../src/ledger/genesis.ts';
import { merkleRoot } from '../../src/ledger/merkle.ts';
import { byzantineQuorum } from '../../src/ledger/quorum.ts';
import type { Receipt } from '../../src/ledger/receipt.ts';
import type { State } from '../../src/ledger/state.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { Chain, type FinalBlock } from '../../src/node/effects/chain.ts';

export interface Made {
  readonly block: Block;
  readonly header: BlockHeader;
  readonly hash: ReturnType<typeof hashHeader>;
  readonly state: State;
  readonly receipts: readonly Receipt[];
}

export const startOfTime = 1_800_000_000_000;

/** Those of a genesis file, as a node knows who takes part. */
export const genesisRoster = (genesis: Genesis): Roster => ({
  keys: genesisValidators(genesis).keys,
  epoch: toHeight(0),
});

/** Makes valid blocks and certificates of a chain, as its validators would. */
export class ChainMaker {
  readonly genesis: Genesis;
  readonly start: FinalBlock;

  constructor(genesis: Genesis) {
    this.genesis = genesis;
    const header = genesisHeader(genesis);
    this.start = { height: header.height, hash: hashHeader(header), header, state: genesisState(genesis) };
  }

  /** The chain as a node has it that knows the genesis only. */
  chain(): Chain {
    return new Chain({ genesis: this.genesis, final: this.start });
  }

  /** A valid block on a parent, then changed by `change`, which may make it invalid. */
  block(
    parent: { readonly header: BlockHeader; readonly state: State },
    transactions: readonly Transaction[] = [],
    change: Partial<BlockHeader> = {},
  ): Made {
    const height = toHeight(parent.header.height + 1);
    const timestamp = Math.max(startOfTime, parent.header.timestamp + 1);
    const { publicKey: proposer } = developmentKeyPair('validator-0');
    const { chainId } = this.genesis;
    const { nextValidatorsHash: validatorsHash } = parent.header;
    const context = { height, timestamp, proposer, chainId, validatorsHash };
    const execution = unwrap(executeBlock(parent.state, context, transactions));
    const header: BlockHeader = {
      height,
      parentHash: hashHeader(parent.header),
      view: toView(0),
      proposer,
      timestamp,
      protocolVersion: execution.parameters.protocolVersion,
      transactionRoot: merkleRoot(transactions.map(({ hash }) => hash)),
      stateRoot: execution.state.root,
      receiptsRoot: execution.receiptsRoot,
      validatorsHash,
      nextValidatorsHash: nextValidatorsOf(execution)?.hash ?? validatorsHash,
      ...change,
    };
    const { state, receipts } = execution;
    return { block: { header, transactions }, header, hash: hashHeader(header), state, receipts };
  }

  /** A run of blocks from the genesis, each with what `transactionsAt` gives for its height. */
  run(length: number, transactionsAt: (height: number) => readonly Transaction[] = () => []): Made[] {
    const made: Made[] = [];
    for (let height = 1; height <= length; height++) {
      made.push(this.block(made.at(-1) ?? this.start, transactionsAt(height)));
    }
    return made;
  }

  /** A commit certificate of the first quorum of validators. */
  certificate({ header, hash }: Pick<Made, 'header' | 'hash'>): FinalityCertificate {
    const validators = genesisValidators(this.genesis);
    const slot = { view: toView(0), height: header.height, blockHash: hash };
    const message = voteBytes(
      'commit',
      { chainId: this.genesis.chainId, epoch: toHeight(0), validatorsHash: validators.hash },
      slot,
    );
    const signatures = Array.from({ length: byzantineQuorum(validators.keys.length) }, (_, validator) => ({
      validator,
      signature: nativeSigner(developmentKeyPair(`validator-${validator}`).secretKey)(message),
    }));
    return { epoch: toHeight(0), engine: 'pbft', phase: 'commit', ...slot, signatures };
  }
}
