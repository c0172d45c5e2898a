import { utf8 } from '../../src/base/bytes.ts';
import { unwrap } from '../../src/base/problem.ts';
import { stateReadingJson, transactionStatusJson } from '../../src/api/present.ts';
import type { StateReadingJson } from '../../src/api/schemas.ts';
import type { EvidenceItem } from '../../src/client/answers.ts';
import { Wallet } from '../../src/client/wallet.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { type KeyPair, keyPairFromSeed, sign } from '../../src/crypto/keys.ts';
import { type BlockHeader, hashHeader, toHeight, toView } from '../../src/ledger/block.ts';
import {
  type FinalityCertificate,
  leaderBytes,
  voteBytes,
  type VotePhase,
} from '../../src/ledger/certificate.ts';
import { developmentPbft, developmentRaft } from '../../src/ledger/development-genesis.ts';
import { buildBlock } from '../../src/ledger/block-building.ts';
import { createGenesis, type Genesis, genesisHeader, genesisState } from '../../src/ledger/genesis.ts';
import { merkleProof, merkleRoot } from '../../src/ledger/merkle.ts';
import { hashReceipt, receiptJson } from '../../src/ledger/receipt.ts';
import type { StateKind } from '../../src/ledger/state-reading.ts';
import { type Transaction, transactionJson } from '../../src/ledger/transaction.ts';
import { contextAt } from '../ledger/samples.ts';

export const pairs = Array.from({ length: 4 }, (_, index) =>
  keyPairFromSeed(new Uint8Array(32).fill(index + 1)),
);
const [alice, bob] = [developmentKeyPair('alice'), developmentKeyPair('bob')];

export function genesisOf(engine: 'pbft' | 'raft', name = 'proofs'): Genesis {
  return unwrap(
    createGenesis({
      name,
      development: true,
      timestamp: 1_767_225_600_000,
      consensus: engine === 'pbft' ? developmentPbft : developmentRaft,
      validators: pairs.map(({ publicKey }, index) => ({ name: `v${index}`, publicKey })),
      accounts: [{ publicKey: alice.publicKey, balance: 1_000n }],
    }),
  );
}

export function nextHeader(parent: BlockHeader, changes: Partial<BlockHeader>): BlockHeader {
  return {
    ...parent,
    height: toHeight(parent.height + 1),
    parentHash: hashHeader(parent),
    timestamp: parent.timestamp + 1_000,
    proposer: pairs[1]?.publicKey ?? parent.proposer,
    ...changes,
  };
}

export const signers: readonly number[] = [0, 1, 3];

/** What makes a block final, signed by those whose turn it is. */
export function certificateOf(genesis: Genesis, top: BlockHeader): FinalityCertificate {
  const slot = { view: toView(2), height: top.height, blockHash: hashHeader(top) };
  const by = (index: number, message: Uint8Array) => sign((pairs[index] as KeyPair).secretKey, message);
  if (genesis.consensus.engine === 'raft') {
    const signature = by(1, leaderBytes(genesis.chainId, slot));
    const { height, blockHash } = slot;
    const configuration = new Uint8Array();
    return { engine: 'raft', term: slot.view, height, blockHash, leader: 1, signature, configuration };
  }
  const message = voteBytes(
    'commit',
    { chainId: genesis.chainId, epoch: toHeight(0), validatorsHash: top.validatorsHash },
    slot,
  );
  const signatures = signers.map((validator) => ({ validator, signature: by(validator, message) }));
  return { engine: 'pbft', phase: 'commit', epoch: toHeight(0), ...slot, signatures };
}

/** Block 1, what it did, and those above it up to the one that is signed. */
function firstBlock(genesis: Genesis, above: number) {
  const wallet = new Wallet({ chainId: genesis.chainId, keyPair: alice });
  const terms = { fee: 2n, expiryHeight: toHeight(50) };
  const transactions: Transaction[] = [
    wallet.transfer(bob.publicKey, 5n, { ...terms, nonce: 0, memo: 'lunch' }),
    wallet.put('note', utf8('a'), { ...terms, nonce: 1 }),
    wallet.put('note', utf8('b'), { ...terms, nonce: 2 }),
    wallet.transfer(bob.publicKey, 5_000n, { ...terms, nonce: 3 }),
    wallet.delete('nothing', { ...terms, nonce: 4 }),
    wallet.build({ type: 'open-namespace', name: 'shop', mode: 'open', writers: [] }, { ...terms, nonce: 5 }),
    wallet.put('gone', utf8('x'), { ...terms, nonce: 6 }),
    wallet.delete('gone', { ...terms, nonce: 7 }),
    wallet.put('shop/price', utf8('9'), { ...terms, nonce: 8 }),
    wallet.build(
      { type: 'reserve', to: bob.publicKey, amount: 30n, expiryHeight: toHeight(40), memo: '' },
      { ...terms, nonce: 9 },
    ),
  ].map((one) => unwrap(one));
  const context = contextAt(1, { chainId: genesis.chainId });
  const room = { maxCount: 100, maxBytes: 100_000 };
  const { execution } = buildBlock(genesisState(genesis), context, transactions, room);
  const hashes = transactions.map(({ hash }) => hash);
  const header = nextHeader(genesisHeader(genesis), {
    transactionRoot: merkleRoot(hashes),
    stateRoot: execution.state.root,
    receiptsRoot: execution.receiptsRoot,
  });
  const descendants: BlockHeader[] = [];
  let top = header;
  for (let more = 0; more < above; more++) descendants.push((top = nextHeader(top, {})));
  const finality = { header, descendants, certificate: certificateOf(genesis, top) };
  return { transactions, hashes, execution, finality };
}

const identityOf = ({ chainId, consensus }: Genesis) =>
  ({ chainId, engine: consensus.engine }) as Parameters<typeof transactionStatusJson>[0];

/** What a node answers about something in the state after block 1. */
export function stateProofOf<Name>(
  genesis: Genesis,
  kind: Pick<StateKind<Name, unknown>, 'read'>,
  name: Name,
  above = 1,
) {
  const { execution, finality } = firstBlock(genesis, above);
  const answer = stateReadingJson(identityOf(genesis), { ...finality, ...kind.read(execution.state, name) });
  return { answer: JSON.parse(JSON.stringify(answer)) as StateReadingJson, finality };
}

/** What a node answers about a transaction of block 1, whose certificate is that of block `1 + above`. */
export function proofOf(genesis: Genesis, above = 1, at = 2) {
  const { transactions, hashes, execution, finality } = firstBlock(genesis, above);
  const { header } = finality;
  const transaction = transactions[at] as Transaction;
  const inclusion = {
    height: header.height,
    blockHash: hashHeader(header),
    ...finality,
    receipt: execution.receipts[at] as (typeof execution.receipts)[number],
    transactionProof: merkleProof(hashes, at),
    receiptProof: merkleProof(execution.receipts.map(hashReceipt), at),
    transaction,
  };
  const status = { status: 'final' as const, hash: transaction.hash, inclusion };
  const json = JSON.parse(JSON.stringify(transactionStatusJson(identityOf(genesis), status))) as Record<
    string,
    unknown
  >;
  const block = JSON.parse(
    JSON.stringify({
      transactions: transactions.map(transactionJson),
      receipts: execution.receipts.map(receiptJson),
    }),
  ) as { transactions: object[]; receipts: object[] };
  return { json, inclusion, transaction, block };
}

/** What a node tells of two votes of one validator, each with what of it is not as it should be. */
export function doubleVoteOf(
  genesis: Genesis,
  phase: VotePhase,
  changes: readonly [object, object] = [{}, {}],
): Pick<EvidenceItem, 'address' | 'contradiction'> {
  const epoch = toHeight(0);
  const { validatorsHash } = genesisHeader(genesis);
  const liar = pairs[2] as KeyPair;
  const messages = ['a', 'b'].map((letter, index) => {
    const slot = {
      view: toView(1),
      height: toHeight(7),
      blockHash: letter.repeat(64) as Hash,
      ...changes[index],
    };
    const bytes = voteBytes(phase, { chainId: genesis.chainId, epoch, validatorsHash }, slot);
    return { kind: phase, ...slot, certificate: null, signature: sign(liar.secretKey, bytes) };
  });
  return { address: encodeAddress(liar.publicKey), contradiction: { epoch, messages } };
}
