import { decode, encode } from '../../base/codec.ts';
import { unwrap } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { BlockName, ChainLink } from '../../consensus/engine.ts';
import type { Roster } from '../../consensus/protocol.ts';
import { linkOf } from '../../consensus/shared/chain-link.ts';
import {
  type BlockHeader,
  changesValidators,
  hashHeader,
  type Height,
  toHeight,
} from '../../ledger/block.ts';
import { type Block, decodeBlock } from '../../ledger/block-body.ts';
import { finalityCodec, type FinalityCertificate } from '../../ledger/certificate.ts';
import { type Genesis, genesisHeader, genesisState, genesisValidators } from '../../ledger/genesis.ts';
import { receiptsCodec } from '../../ledger/receipt.ts';
import { State } from '../../ledger/state.ts';
import { Touched } from '../../ledger/touched.ts';
import { type ValidatorSet, validatorSet } from '../../ledger/validators.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import { damaged } from '../../storage/checksummed.ts';
import { type FinalBlock, headerBytes } from './chain.ts';
import { upcomingParameters } from './upcoming.ts';

/** Where a node goes on after a restart, or starts. */
export interface Restored {
  readonly final: FinalBlock;
  readonly certificate: FinalityCertificate | null;
  /**
   * Stored blocks that are not final. Their transactions' signatures were checked before they were stored.
   */
  readonly candidates: readonly Block[];
  /** Who votes on the block above the final one, and the block after which they are in force. */
  readonly epoch: BlockName;
  readonly validators: ValidatorSet;
}

/** Who takes part where a node starts. A Raft engine knows more than that, and says so. */
export function rosterOf({ epoch, validators }: Pick<Restored, 'epoch' | 'validators'>): Roster {
  return { keys: validators.keys, epoch: epoch.height };
}

/**
 * Reads the chain's end from its store; an empty store gets the genesis first. Throws a problem when it
 * cannot be gone on from.
 */
export async function restore(store: ChainStore, genesis: Genesis): Promise<Restored> {
  if (store.isEmpty) await storeGenesis(store, genesis);
  const height = store.finalHeight;
  const header = store.headerAt(height);
  if (header === undefined) throw damaged(`the header of the final block ${height}`, 'is missing');
  const hash = store.finalHash;
  const growing = State.growing();
  for await (const page of store.stateEntries()) for (const [key, value] of page) growing.add(key, value);
  const state = growing.finish();
  if (state.root !== header.stateRoot) {
    throw damaged('the state', `is not the one after the final block ${height}`);
  }
  const certificateBytes = store.certificateAt(height);
  if (certificateBytes === undefined && height > 0) {
    throw damaged(`the final block ${height}`, 'has no certificate');
  }
  const certificate =
    certificateBytes === undefined ? null : unwrap(decode(finalityCodec, certificateBytes, 'certificate'));
  return {
    final: { height, hash, header, state },
    certificate,
    ...epochAt(store, genesis, { header, hash, state, certificate }),
    candidates: store
      .takeCandidates()
      .map(({ bytes }) => unwrap(decodeBlock(bytes)))
      .filter(({ header }) => store.hashAt(header.height) !== hashHeader(header)),
  };
}

/**
 * Whose turn it is above the final block. Its state says who that is, and its own certificate since when:
 * unless it is the last block of its epoch, the next one is of the same.
 */
function epochAt(
  store: ChainStore,
  genesis: Genesis,
  final: {
    readonly header: BlockHeader;
    readonly hash: Hash;
    readonly state: State;
    readonly certificate: FinalityCertificate | null;
  },
): Pick<Restored, 'epoch' | 'validators'> {
  const { header, hash, certificate } = final;
  const start = nameAt(store, toHeight(0));
  const { validators: keys } = upcomingParameters(final);
  if (keys.length === 0) return { epoch: start, validators: genesisValidators(genesis) };
  const validators = validatorSet(keys);
  if (validators.hash !== header.nextValidatorsHash) {
    throw damaged('the state', `does not hold the validators that the final block ${header.height} names`);
  }
  if (changesValidators(header)) return { epoch: { height: header.height, blockHash: hash }, validators };
  const height = certificate !== null && 'epoch' in certificate ? certificate.epoch : start.height;
  return { epoch: height === start.height ? start : nameAt(store, height), validators };
}

/** Of the genesis, or a block that changed the validators. */
function nameAt(store: ChainStore, height: Height): BlockName {
  const blockHash = store.hashAt(height);
  if (blockHash === undefined)
    throw damaged(`the block ${height}, which changed the validators`, 'is missing');
  return { height, blockHash };
}

/** The links of stored blocks for the engine, those that can still become final. */
export function candidateLinks(restored: Restored): ChainLink[] {
  return restored.candidates
    .filter(({ header }) => header.height > restored.final.height)
    .map(({ header }) => linkOf(header, hashHeader(header)));
}

function storeGenesis(store: ChainStore, genesis: Genesis): Promise<void> {
  const header = genesisHeader(genesis);
  return new Promise((resolve, reject) => {
    store.commit(
      {
        height: toHeight(0),
        hash: hashHeader(header),
        headerBytes: headerBytes(header),
        certificate: null,
        transactions: [],
        touched: new Touched(),
        receiptsBytes: encode(receiptsCodec, []),
        stateChanges: [...genesisState(genesis).entries()].map(([key, value]) => ({ key, value })),
        forgetRecords: [],
        forgetCandidates: [],
      },
      (problem) => (problem === undefined ? resolve() : reject(problem)),
    );
  });
}
