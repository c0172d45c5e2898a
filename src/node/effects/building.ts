import type { Effect, Input } from '../../consensus/engine.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import type { BlockHeader } from '../../ledger/block.ts';
import { type Block, proposalOf, transactionBytes } from '../../ledger/block-body.ts';
import { buildBlock } from '../../ledger/block-building.ts';
import { nextValidatorsOf } from '../../ledger/execution.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import { merkleRoot } from '../../ledger/merkle.ts';
import type { Mempool } from '../../mempool/mempool.ts';
import type { Chain } from './chain.ts';
import type { Clock } from '../process/clock.ts';

type BuildEffect = Extract<Effect<never>, { type: 'build' }>;
type BuiltInput = Extract<Input<never>, { type: 'built' }>;

interface BuildingOptions {
  readonly chain: Chain;
  readonly mempool: Pick<Mempool, 'candidates' | 'proposed'>;
  readonly clock: Clock;
  readonly genesis: Pick<Genesis, 'chainId'>;
  readonly self: PublicKey;
}

/**
 * The `build` effect: a block on a block that is here, from what waits in the mempool. It is executed, so it
 * is valid.
 */
export function build(options: BuildingOptions, effect: BuildEffect): BuiltInput {
  const { chain, mempool, clock, self: proposer } = options;
  const { chainId } = options.genesis;
  const { parentHash, height, view } = effect;
  const nothing: BuiltInput = { type: 'built', parentHash, view, proposal: null };
  const parent = chain.base(parentHash);
  if (parent === undefined || parent.header.height + 1 !== height) return nothing;

  const { state } = parent;
  const accountOf = state.account.bind(state);
  const candidates = effect.mustBeEmpty === true ? [] : mempool.candidates(accountOf, height);
  const timestamp = Math.max(Math.floor(clock.wallMs()), parent.header.timestamp + 1);
  const validatorsHash = parent.header.nextValidatorsHash;
  const { transactions, execution, isFull } = buildBlock(
    state,
    { height, timestamp, proposer, chainId, validatorsHash },
    candidates,
  );
  if (transactions.length === 0 && !effect.allowEmpty && effect.mustBeEmpty !== true) return nothing;

  const transactionHashes = transactions.map(({ hash }) => hash);
  const header: BlockHeader = {
    height,
    parentHash,
    view,
    proposer,
    timestamp,
    protocolVersion: execution.parameters.protocolVersion,
    transactionRoot: merkleRoot(transactionHashes),
    stateRoot: execution.state.root,
    receiptsRoot: execution.receiptsRoot,
    validatorsHash,
    nextValidatorsHash: nextValidatorsOf(execution)?.hash ?? effect.nextValidatorsHash ?? validatorsHash,
  };
  const block: Block = { header, transactions };
  chain.add(block, { stored: false, execution });
  mempool.proposed({ height, transactionHashes });
  const bytes = transactionBytes(transactions);
  return { type: 'built', parentHash, view, proposal: proposalOf(block), bytes, isFull };
}
