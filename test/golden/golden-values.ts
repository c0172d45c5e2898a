import { State } from '../../src/ledger/state.ts';
import { helloSigned, relaySample, storeKeys } from './node-values.ts';
import { namespaceEntryCodec, transactionsIndexCodec, versionsIndexCodec } from './by-hand-codecs.ts';
import { checksummedPart } from '../../src/node/catch-up/snapshots.ts';
import { sealBytes, sealCodec } from '../../src/node/peers/relay.ts';
import { floorCodec } from '../../src/node/effects/signer.ts';
import { evidenceCodec } from '../../src/storage/evidence-table.ts';
import { sweepCodec } from '../../src/storage/index-sweep.ts';
import { indexCodec } from '../../src/storage/index-tables.ts';
import { listingCodec, listingProofCodec } from '../../src/ledger/listing-proof.ts';
import { proveRecord, recordProofCodec } from '../../src/ledger/record-proof.ts';
import { encodeNamespaceRules, rulesCodec } from '../../src/ledger/namespace.ts';
import { readFileSync } from 'node:fs';
import { utf8 } from '../../src/base/bytes.ts';
import { type Codec, encode } from '../../src/base/codec.ts';
import { unwrap } from '../../src/base/problem.ts';
import { encodeBatch, batchCodec } from '../../src/client/batch.ts';
import { amnesiaSamples, pbftSamples } from './pbft-values.ts';
import { raftSamples } from './raft-values.ts';
import { messageCodec, contradictionCodec } from '../../src/consensus/pbft/message-codec.ts';
import type { Contradiction } from '../../src/consensus/pbft/message.ts';
import { preimageOf } from '../../src/consensus/pbft/signing.ts';
import { hardStateCodec as pbftHardStateCodec } from '../../src/consensus/pbft/records.ts';
import { encodeMessage, messageCodec as raftMessageCodec } from '../../src/consensus/raft/message.ts';
import {
  encodeEntry,
  encodeHardState,
  hardStateCodec as raftHardStateCodec,
  entryCodec as raftEntryCodec,
} from '../../src/consensus/raft/records.ts';
import { hash, hashCodec } from '../../src/crypto/hash.ts';
import { publicKeyCodec, signatureCodec } from '../../src/crypto/signature.ts';
import { hashHeader, headerCodec, proposalCodec, toHeight, toView } from '../../src/ledger/block.ts';
import { blockCodec, proposalOf } from '../../src/ledger/block-body.ts';
import {
  type Certificate,
  certificateCodec,
  finalityCodec,
  leaderBytes,
  slotCodec,
  voteBytes,
  epochCodec,
} from '../../src/ledger/certificate.ts';
import { genesisHeader, genesisState, parseGenesis } from '../../src/ledger/genesis.ts';
import { contentCodec, genesisBytes } from '../../src/ledger/genesis-content.ts';
import type { ChainChange } from '../../src/ledger/chain-change.ts';
import { encodeParameters, chainParametersCodec } from '../../src/ledger/chain-parameters.ts';
import {
  type ChainProposal,
  encodeProposal,
  encodeProposalNames,
  proposalId,
  proposalCodec as changeProposalCodec,
  namesCodec,
} from '../../src/ledger/proposal.ts';
import { merkleProof, merkleProofCodec, merkleRoot } from '../../src/ledger/merkle.ts';
import type { FailureCode } from '../../src/ledger/failure-codes.ts';
import {
  type Found,
  hashReceipt,
  type Receipt,
  receiptCodec,
  receiptsCodec,
  receiptsRootOf,
} from '../../src/ledger/receipt.ts';
import {
  encodeEnding,
  encodeReservation,
  endingStateKey,
  type Reservation,
  reservationStateKey,
  reservationCodec,
  endingCodec,
} from '../../src/ledger/reservation.ts';
import {
  accountStateKey,
  encodeAccount,
  encodeRecord,
  recordStateKey,
  statePath,
  accountCodec,
  recordCodec,
} from '../../src/ledger/state-entry.ts';
import { stateProofCodec } from '../../src/ledger/state-proof.ts';
import {
  encodeBody,
  transactionCodec,
  transactionSigningBytes,
  signedCodec,
} from '../../src/ledger/transaction.ts';
import { bodyCodec } from '../../src/ledger/transaction-body.ts';
import { validatorSet, validatorKeysCodec } from '../../src/ledger/validators.ts';
import { helloCodec, wireVersion } from '../../src/node/peers/hello.ts';
import {
  announcementCodec,
  blocksRequestCodec,
  blocksResponseCodec,
  blockRequestCodec,
  transactionFrameCodec,
  transactionsRequestCodec,
  transactionsResponseCodec,
  checksummedPartCodec,
  type SnapshotPart,
  snapshotHeadCodec,
  snapshotPartCodec,
  snapshotRequestCodec,
} from '../../src/node/peers/wire.ts';
import {
  chainRecord,
  placeCodec,
  positionCodec,
  chainCodec,
  extentCodec,
} from '../../src/storage/chain-records.ts';
import { postingsOf } from '../../src/storage/index-postings.ts';
import {
  chainId,
  execute,
  hashOf,
  headerWith,
  keyOf,
  put,
  remove,
  someSignature,
  stateWith,
  transaction,
  transfer,
} from '../ledger/samples.ts';
import { configurationHash, encodeConfiguration, configurationCodec } from '../../src/ledger/members.ts';
import { Touched } from '../../src/ledger/touched.ts';

interface GoldenValue {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Absent where the bytes are signed or are a key, and nobody decodes them. */
  readonly codec?: Codec<unknown> | undefined;
}

const of = <T>(name: string, codec: Codec<T>, value: T): GoldenValue => ({
  name,
  bytes: encode(codec, value),
  codec,
});
const raw = (name: string, bytes: Uint8Array, codec?: Codec<unknown>): GoldenValue => ({
  name,
  bytes: Uint8Array.from(bytes),
  codec,
});

const largest = 2 ** 48 - 1;
const narrow = { maxTransactions: 256, maxOperations: 65_535, maxBytes: 2 ** 20 + 1 };
const changes: readonly ChainChange[] = [
  { type: 'validators', validators: ['a', 'c', 'b'].map(keyOf) },
  { type: 'protocol-version', version: 258, height: toHeight(largest) },
  { type: 'fee-floor', feePerOperation: 2n ** 63n + 7n, height: undefined },
  { type: 'limits', limits: narrow, height: toHeight(9) },
];
const proposal: ChainProposal = {
  proposer: keyOf('alice'),
  change: changes[3] as ChainChange,
  expiryHeight: toHeight(largest),
  validatorsHash: hashOf('validators'),
  electors: ['alice', 'bob'].map(keyOf),
  approvals: [keyOf('alice')],
  decidedAt: toHeight(8),
};
const transactions = [
  transfer({ from: 'alice', nonce: 0, fee: 3n }, 'bob', 250n, 'grüße 🌍'),
  transfer({ from: 'bob', nonce: 0, fee: 2n ** 64n - 1n, expiry: largest }, 'alice', 1n),
  put(
    { from: 'alice', nonce: 1 },
    'länder/de',
    Uint8Array.from({ length: 300 }, (_, index) => index),
  ),
  remove({ from: 'carol', nonce: largest }, 'k'.repeat(128)),
  transaction(
    {
      from: 'dave',
      nonce: 3,
      signers: ['a', 'b'],
      reference: utf8('order 7'),
      conditions: [
        { type: 'record-version', key: 'deed', version: largest },
        { type: 'record-absent', key: 'note' },
        { type: 'record-exists', key: 'deed' },
        { type: 'record-hash', key: 'deed', hash: hashOf('value') },
        { type: 'balance-at-least', account: keyOf('bob'), amount: 2n ** 64n - 1n },
        { type: 'height-at-most', height: toHeight(largest) },
        { type: 'time-at-most', time: 1_767_225_600_000 },
      ],
    },
    { type: 'give', key: 'deed', to: keyOf('bob') },
    { type: 'set-keys', keys: ['a', 'b', 'c'].map(keyOf).toSorted(), threshold: 2, force: true },
    { type: 'transfer', to: keyOf('bob'), amount: 1n, memo: '' },
  ),
  transaction(
    { from: 'erin', nonce: 9 },
    {
      type: 'reserve',
      to: keyOf('bob'),
      amount: 2n ** 64n - 1n,
      expiryHeight: toHeight(largest),
      memo: 'order 7',
    },
    { type: 'post', reservation: { sender: keyOf('bob'), nonce: largest, operation: 255 }, amount: 1n },
    { type: 'void', reservation: { sender: keyOf('carol'), nonce: 0, operation: 0 } },
  ),
  transaction(
    { from: 'alice', nonce: 1 },
    ...changes.map((change, index) => ({
      type: 'propose-change' as const,
      change,
      expiryHeight: toHeight(largest),
      validatorsHash: hashOf('validators'),
      members: Uint8Array.of(...[1, 2, 3].slice(0, index)),
      replaces: index % 2 === 1,
    })),
    { type: 'approve-change', proposal: hashOf('proposal') },
  ),
  transaction(
    { from: 'alice', nonce: 2 },
    { type: 'open-namespace', name: 'länder', mode: 'open', writers: [] },
    { type: 'open-namespace', name: 'shop', mode: 'writers', writers: ['a', 'b'].map(keyOf).toSorted() },
    {
      type: 'set-namespace',
      name: 'shop',
      owner: keyOf('bob'),
      mode: 'append-only',
      writers: [keyOf('c')],
    },
    { type: 'set-namespace', name: 'shop', owner: undefined, mode: 'open', writers: undefined },
  ),
];
const [first, , third] = transactions as [(typeof transactions)[0], unknown, (typeof transactions)[0]];

const header = headerWith({ height: toHeight(largest), view: toView(2 ** 32), timestamp: 2 ** 40 + 1 });
const block = {
  header: headerWith({ transactionRoot: merkleRoot(transactions.map((one) => one.hash)) }),
  transactions,
};
const place = { height: toHeight(largest), transaction: 4_095, operation: 255 };
const failed = (letter: string, code: FailureCode, found: Found | undefined): Receipt => ({
  transactionHash: hashOf(letter),
  status: 'failed',
  code,
  failure: { part: code.startsWith('condition/') ? 'condition' : 'operation', index: 15, found },
  fee: 2n ** 63n,
  accounts: [{ publicKey: keyOf('alice'), balance: 70_000n, held: 0n }],
  records: [],
  changes: [],
});
const receipts: Receipt[] = [
  {
    transactionHash: hashOf('a'),
    status: 'applied',
    code: '',
    failure: undefined,
    fee: 0n,
    accounts: ['alice', 'bob'].map((name, index) => ({
      publicKey: keyOf(name),
      balance: 2n ** 63n + 1n,
      held: index === 0 ? 2n ** 63n : 0n,
    })),
    records: [
      { operation: 0, version: 1, previous: undefined },
      { operation: 255, version: largest, previous: place },
    ],
    changes: [
      { operation: 1, proposal: hashOf('proposal'), approvals: 1, needed: 3, effectiveFrom: undefined },
      {
        operation: 254,
        proposal: hashOf('p'),
        approvals: 256,
        needed: 256,
        effectiveFrom: toHeight(largest),
      },
    ],
  },
  failed('b', 'transaction/insufficient-balance', { type: 'balance', balance: 2n ** 63n }),
  failed('c', 'transaction/not-owner', undefined),
  failed('d', 'transaction/no-such-record', undefined),
  failed('e', 'transaction/unproven-keys', undefined),
  failed('f', 'condition/record-version', { type: 'version', version: largest }),
  failed('g', 'condition/record-absent', { type: 'version', version: 1 }),
  failed('h', 'condition/record-exists', { type: 'version', version: 0 }),
  failed('i', 'condition/record-hash', { type: 'hash', hash: hashOf('value') }),
  failed('j', 'condition/balance-at-least', { type: 'balance', balance: 0n }),
  failed('k', 'condition/height-at-most', { type: 'height', height: toHeight(largest) }),
  failed('z', 'condition/time-at-most', { type: 'time', time: largest }),
  failed('l', 'transaction/reservation-past', { type: 'height', height: toHeight(largest) }),
  failed('m', 'transaction/reservation-too-far', { type: 'height', height: toHeight(1) }),
  failed('n', 'transaction/reservations-full', undefined),
  failed('o', 'transaction/no-such-reservation', undefined),
  failed('p', 'transaction/not-recipient', undefined),
  failed('q', 'transaction/reservation-expired', undefined),
  failed('r', 'transaction/reservation-settled', undefined),
  failed('s', 'transaction/above-reserved', { type: 'reserved', amount: 2n ** 64n - 1n }),
];
const certificate: Certificate = {
  epoch: toHeight(0),
  phase: 'commit',
  view: toView(3),
  height: toHeight(5),
  blockHash: hashOf('block'),
  signatures: [0, 2, 3].map((validator) => ({ validator, signature: someSignature })),
};
const slot = { view: toView(7), height: toHeight(2 ** 40 + 3), blockHash: hashOf('slot') };
const leaves = ['one', 'two', 'three', 'four', 'five'].map(hashOf);
const balances = Object.fromEntries(
  Array.from({ length: 40 }, (_, index) => [`account ${index}`, BigInt(index) * 1_000n]),
);
const state = stateWith({ ...balances, alice: 1_000n, bob: 0n });
const after = execute(state, [
  transfer({ from: 'alice', nonce: 0, fee: 3n }, 'bob', 250n, 'grüße 🌍'),
  transaction(
    { from: 'alice', nonce: 1 },
    { type: 'open-namespace', name: 'länder', mode: 'open', writers: [] },
  ),
  put({ from: 'alice', nonce: 2 }, 'länder/de', 'Berlin'),
  put({ from: 'bob', nonce: 0 }, 'länder/it', 'Roma'),
  remove({ from: 'account 7', nonce: 0 }, 'nothing'),
]);
const rich = {
  balance: 2n ** 63n + 5n,
  held: 2n ** 63n,
  nonce: largest,
  keys: { keys: ['a', 'b', 'c'].map(keyOf).toSorted(), threshold: 2 },
};
const plain = { ...rich, held: 0n, keys: undefined };
const reservationId = { sender: keyOf('alice'), nonce: largest, operation: 255 };
const reservation: Reservation = {
  recipient: keyOf('bob'),
  amount: 2n ** 64n - 1n,
  expiryHeight: toHeight(largest),
  made: place,
  previous: undefined,
  fate: { type: 'held' },
};
const reservations: Readonly<Record<string, Reservation>> = {
  held: reservation,
  posted: { ...reservation, previous: reservationId, fate: { type: 'posted', taken: 2n ** 63n, at: place } },
  voided: { ...reservation, fate: { type: 'voided', at: place } },
  expired: { ...reservation, fate: { type: 'expired' } },
};
const effect = (version: number) => [{ operation: 0, version, previous: undefined }];
const indexed = postingsOf({
  height: toHeight(77),
  transactions: [transactions[2], transactions[4]] as (typeof transactions)[number][],
  touched: Touched.by([
    {
      status: 'applied',
      accounts: [{ publicKey: keyOf('alice'), balance: 1n, held: 0n }],
      records: effect(largest),
    },
    { status: 'applied', accounts: [{ publicKey: keyOf('bob'), balance: 1n, held: 0n }], records: effect(3) },
  ]),
});
const set = validatorSet(['a', 'b', 'c', 'd'].map(keyOf));
const epoch = { chainId, epoch: toHeight(0), validatorsHash: set.hash };

const indexOfVersions = 14;
const pbft = Object.entries(pbftSamples(certificate));
const contradiction: Contradiction = {
  type: 'double',
  epoch: toHeight(0),
  accused: 3,
  phase: 'commit',
  first: { ...slot, signature: someSignature },
  second: { ...slot, blockHash: hashOf('other'), signature: someSignature },
};
const snapshotPart: SnapshotPart = {
  entries: [{ key: accountStateKey(keyOf('alice')), value: utf8('an entry') }],
  last: true,
};

const genesisNames = ['testnet-pbft', 'testnet-raft', 'single'] as const;
const genesisOf = (name: string) =>
  unwrap(parseGenesis(readFileSync(new URL(`../../genesis/${name}.json`, import.meta.url), 'utf8')));

/** One value of every format, with its bytes. */
export const goldenValues: readonly GoldenValue[] = [
  of('hash', hashCodec, hashOf('hash')),
  of('public key', publicKeyCodec, keyOf('key')),
  of('signature', signatureCodec, someSignature),
  ...transactions.map((one, index) => of(`transaction ${index}`, transactionCodec, one)),
  raw('transaction alone', third.bytes, signedCodec),
  raw('transaction body', encodeBody(first), bodyCodec),
  raw('transaction signing bytes', transactionSigningBytes(encodeBody(first))),
  of('header', headerCodec, header),
  of('proposal', proposalCodec, proposalOf(block)),
  of('block', blockCodec, block),
  ...receipts.map((one) => of(`receipt ${one.code || 'applied'}`, receiptCodec, one)),
  of('receipts', receiptsCodec, receipts),
  of('slot', slotCodec, slot),
  of('epoch', epochCodec, epoch),
  raw('prepare vote', voteBytes('prepare', epoch, slot)),
  raw('leader vote', leaderBytes(chainId, slot)),
  of('certificate', certificateCodec, certificate),
  of('pbft finality', finalityCodec, { engine: 'pbft', ...certificate }),
  of('raft finality', finalityCodec, {
    engine: 'raft',
    term: slot.view,
    height: slot.height,
    blockHash: slot.blockHash,
    leader: 258,
    signature: someSignature,
    configuration: utf8('members'),
  }),
  of('merkle proof', merkleProofCodec, merkleProof(leaves, 4)),
  raw('account entry', encodeAccount(plain) ?? new Uint8Array(), accountCodec),
  raw(
    'account entry with coins held',
    encodeAccount({ ...rich, keys: undefined }) ?? new Uint8Array(),
    accountCodec,
  ),
  raw('account entry with keys', encodeAccount(rich) ?? new Uint8Array(), accountCodec),
  raw(
    'record entry',
    encodeRecord({
      type: 'record',
      owner: keyOf('alice'),
      value: utf8('Berlin'),
      version: 1,
      changed: place,
      previous: undefined,
    }),
    recordCodec,
  ),
  raw(
    'tombstone entry',
    encodeRecord({ type: 'tombstone', version: largest, changed: place, previous: place }),
    recordCodec,
  ),
  ...Object.entries(reservations).map(([name, one]) =>
    raw(`reservation entry, ${name}`, encodeReservation(one), reservationCodec),
  ),
  raw('ending entry', encodeEnding({ count: 256, last: reservationId }), endingCodec),
  raw(
    'chain parameters entry',
    encodeParameters({
      protocolVersion: 258,
      feePerOperation: 2n ** 63n + 1n,
      limits: narrow,
      validators: ['a', 'c', 'b'].map(keyOf),
      scheduled: changes.map((change, index) => ({ height: toHeight(2 ** 40 + index), change })),
    }),
    chainParametersCodec,
  ),
  raw('proposal entry', encodeProposal(proposal), changeProposalCodec),
  raw(
    'open proposal entry',
    encodeProposal({ ...proposal, electors: [], decidedAt: undefined }),
    changeProposalCodec,
  ),
  raw(
    'proposals entry',
    encodeProposalNames([{ id: hashOf('proposal'), proposer: keyOf('alice') }]),
    namesCodec,
  ),
  raw(
    'namespace rules',
    encodeNamespaceRules({ owner: keyOf('a'), mode: 'writers', writers: ['b', 'c'].map(keyOf).toSorted() }),
    rulesCodec,
  ),
  raw('namespace entry', after.state.proveNamespace('länder').value ?? new Uint8Array(), namespaceEntryCodec),
  of('state proof of presence', stateProofCodec, state.prove(accountStateKey(keyOf('account 3')))),
  of('record proof', recordProofCodec, proveRecord(after.state, 'länder/de').proof),
  of('listing', listingCodec, after.state.proveListing('länder', { limit: 1 }).listing),
  of('listing proof', listingProofCodec, after.state.proveListing('länder', { limit: 1 }).proof),
  of('state proof of absence', stateProofCodec, state.prove(accountStateKey(keyOf('nobody')))),
  ...pbft.map(([name, message]) => of(`pbft ${name}`, messageCodec, message)),
  ...pbft.map(([name, message]) => raw(`pbft ${name} preimage`, preimageOf(message, epoch))),
  of('pbft position', pbftHardStateCodec, amnesiaSamples),
  ...raftSamples.messages.map((message) =>
    raw(`raft ${message.kind}`, encodeMessage(message), raftMessageCodec),
  ),
  raw('raft hard state', encodeHardState(raftSamples.hardState), raftHardStateCodec),
  raw('raft entry', encodeEntry(raftSamples.entry), raftEntryCodec),
  raw('raft configuration', encodeConfiguration(raftSamples.configuration), configurationCodec),
  of('hello', helloCodec, {
    version: wireVersion,
    chainId,
    engine: 'raft',
    publicKey: keyOf('node'),
    signature: someSignature,
    protocolVersions: { oldest: 1, newest: 258 },
    api: 'https://node-1.example:4600',
  }),
  of('hello without an address', helloCodec, {
    version: 1,
    chainId,
    engine: 'pbft',
    publicKey: keyOf('node'),
    signature: someSignature,
    protocolVersions: { oldest: 65_535, newest: 65_535 },
    api: undefined,
  }),
  of('transaction frame', transactionFrameCodec, {
    salt: 0xfedcba98,
    transactions: transactions.map(({ bytes }) => bytes),
  }),
  of('announcement', announcementCodec, { certificate: { engine: 'pbft', ...certificate } }),
  of('blocks request', blocksRequestCodec, { from: toHeight(9), count: 128 }),
  of('blocks response', blocksResponseCodec, {
    blocks: [encode(blockCodec, block)],
    headers: [header],
    certificate: { engine: 'pbft', ...certificate },
    snapshot: undefined,
  }),
  of('empty blocks response', blocksResponseCodec, {
    blocks: [],
    headers: [],
    certificate: undefined,
    snapshot: undefined,
  }),
  of('blocks response of who pruned them', blocksResponseCodec, {
    blocks: [],
    headers: [],
    certificate: undefined,
    snapshot: { header, certificate: { engine: 'pbft', ...certificate } },
  }),
  of('snapshot head', snapshotHeadCodec, { header, certificate: { engine: 'pbft', ...certificate } }),
  of('snapshot request', snapshotRequestCodec, { kind: 'head', blockHash: hashOf('block') }),
  ...[undefined, accountStateKey(keyOf('alice'))].map((from, index) =>
    of(`snapshot part request ${index}`, snapshotRequestCodec, {
      kind: 'part',
      blockHash: hashOf('block'),
      after: from,
    }),
  ),
  of('snapshot part', snapshotPartCodec, snapshotPart),
  of('checksummed snapshot part', checksummedPartCodec, checksummedPart(snapshotPart)),
  of('candidate request', blockRequestCodec, hashOf('candidate')),
  of('transactions request', transactionsRequestCodec, { blockHash: hashOf('block'), places: [0, 1, 4_095] }),
  of('transactions response', transactionsResponseCodec, [first.bytes, third.bytes]),
  raw('hello signing bytes', helloSigned),
  raw('seal', relaySample().sealed.subarray(0, sealBytes), sealCodec),
  raw('relay signing bytes', relaySample().signed),
  raw('submitted batch', encodeBatch(transactions), batchCodec),
  raw('chain record', chainRecord(chainId), chainCodec),
  of('stored position', positionCodec, { height: toHeight(77), hash: hashOf('final') }),
  of('stored extent', extentCodec, { firstHeader: toHeight(7), firstBlock: toHeight(2 ** 40 + 1) }),
  of('stored index record', indexCodec, { from: toHeight(2 ** 40 + 1), leftovers: true }),
  of('stored sweep', sweepCodec, { below: toHeight(2 ** 40 + 1), next: Uint8Array.of(12, 7, 0) }),
  of('stored evidence', evidenceCodec, {
    accused: keyOf('bob'),
    kind: 'double-commit',
    bytes: encode(contradictionCodec, contradiction),
  }),
  of('contradiction', contradictionCodec, contradiction),
  of('signer floor', floorCodec, { epoch: toHeight(9), view: toView(2 ** 40 + 1) }),
  of('validator keys', validatorKeysCodec, set.keys),
  ...Object.entries(storeKeys).map(([name, key]) => raw(`store key of ${name}`, key)),
  ...genesisNames.map((name) =>
    raw(`genesis content of ${name}`, genesisBytes(genesisOf(name)), contentCodec),
  ),
  of('stored place', placeCodec, { height: toHeight(77), index: 4_095 }),
  ...indexed.flatMap(({ key, value }, index) => [
    raw(`index key ${index}`, key),
    raw(
      `index entry ${index}`,
      value,
      key[0] === indexOfVersions ? versionsIndexCodec : transactionsIndexCodec,
    ),
  ]),
];

/** What is made of bytes and goes into other bytes. */
export const goldenHashes: Readonly<Record<string, string>> = {
  ...Object.fromEntries(transactions.map((one, index) => [`transaction ${index}`, one.hash])),
  header: hashHeader(header),
  receipt: hashReceipt(receipts[1] as Receipt),
  'no receipts': receiptsRootOf([]),
  receipts: receiptsRootOf(receipts),
  ...Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`${n} leaves`, merkleRoot(leaves.slice(0, n))])),
  validators: set.hash,
  configuration: configurationHash(raftSamples.configuration),
  'proposal id': proposalId(hashOf('a'), 255),
  'two parts': hash('quorate/v1/gossip-id', utf8('a'), utf8('b')),
  'account path': hash('quorate/v1/gossip-id', statePath(accountStateKey(keyOf('alice')))),
  'record path': hash('quorate/v1/gossip-id', statePath(recordStateKey('länder/de'))),
  'reservation path': hash('quorate/v1/gossip-id', statePath(reservationStateKey(reservationId))),
  'ending path': hash('quorate/v1/gossip-id', statePath(endingStateKey(toHeight(largest)))),
  state: state.root,
  'state of one entry': State.empty.with([
    { key: accountStateKey(keyOf('alice')), value: encodeAccount(plain) },
  ]).root,
  'state after a block': after.state.root,
  'receipts of the block': after.receiptsRoot,
  ...Object.fromEntries(
    genesisNames.flatMap((name) => {
      const genesis = genesisOf(name);
      return [
        [`chain ${name}`, genesis.chainId],
        [`genesis header of ${name}`, hashHeader(genesisHeader(genesis))],
        [`genesis state of ${name}`, genesisState(genesis).root],
      ];
    }),
  ),
};
