import { type Codec, u48 } from '../../src/base/codec.ts';
import { batchCodec } from '../../src/client/batch.ts';
import {
  contradictionCodec,
  messageCodec as pbftMessageCodec,
  signedSlotCodec,
  viewChangeCodec,
} from '../../src/consensus/pbft/message-codec.ts';
import { hardStateCodec as pbftHardStateCodec } from '../../src/consensus/pbft/records.ts';
import { messageCodec as raftMessageCodec, nameCodec } from '../../src/consensus/raft/message.ts';
import { entryCodec, hardStateCodec as raftHardStateCodec } from '../../src/consensus/raft/records.ts';
import { hashCodec } from '../../src/crypto/hash.ts';
import { publicKeyCodec, signatureCodec } from '../../src/crypto/signature.ts';
import { blockCodec } from '../../src/ledger/block-body.ts';
import { headerCodec, proposalCodec } from '../../src/ledger/block.ts';
import { certificateCodec, epochCodec, finalityCodec, slotCodec } from '../../src/ledger/certificate.ts';
import { chainChangeCodec } from '../../src/ledger/chain-change.ts';
import { chainParametersCodec } from '../../src/ledger/chain-parameters.ts';
import { conditionCodec } from '../../src/ledger/condition.ts';
import { contentCodec } from '../../src/ledger/genesis-content.ts';
import { listingCodec, listingProofCodec } from '../../src/ledger/listing-proof.ts';
import { configurationCodec } from '../../src/ledger/members.ts';
import { merkleProofCodec } from '../../src/ledger/merkle.ts';
import { namespaceProofCodec } from '../../src/ledger/namespace-proof.ts';
import { namespaceNameCodec, rulesCodec } from '../../src/ledger/namespace.ts';
import { operationCodec } from '../../src/ledger/operation.ts';
import { namesCodec, proposalCodec as changeProposalCodec } from '../../src/ledger/proposal.ts';
import { receiptCodec, receiptsCodec } from '../../src/ledger/receipt.ts';
import { recordKeyCodec } from '../../src/ledger/record-key.ts';
import { recordProofCodec } from '../../src/ledger/record-proof.ts';
import { reservationIdCodec } from '../../src/ledger/reservation-id.ts';
import { endingCodec, reservationCodec } from '../../src/ledger/reservation.ts';
import { accountCodec, placeCodec, recordCodec } from '../../src/ledger/state-entry.ts';
import { stateProofCodec } from '../../src/ledger/state-proof.ts';
import { signedCodec, transactionCodec } from '../../src/ledger/transaction.ts';
import { bodyCodec } from '../../src/ledger/transaction-body.ts';
import { validatorKeysCodec } from '../../src/ledger/validators.ts';
import { floorCodec } from '../../src/node/effects/signer.ts';
import { helloCodec } from '../../src/node/peers/hello.ts';
import { sealCodec } from '../../src/node/peers/relay.ts';
import {
  announcementCodec,
  blocksRequestCodec,
  blocksResponseCodec,
  blockRequestCodec,
  checksummedPartCodec,
  snapshotHeadCodec,
  snapshotPartCodec,
  snapshotRequestCodec,
  transactionFrameCodec,
  transactionsRequestCodec,
  transactionsResponseCodec,
} from '../../src/node/peers/wire.ts';
import {
  chainCodec,
  extentCodec,
  placeCodec as transactionPlaceCodec,
  positionCodec,
} from '../../src/storage/chain-records.ts';
import { evidenceCodec } from '../../src/storage/evidence-table.ts';
import { sweepCodec } from '../../src/storage/index-sweep.ts';
import { indexCodec } from '../../src/storage/index-tables.ts';
import { namespaceEntryCodec, transactionsIndexCodec, versionsIndexCodec } from '../golden/by-hand-codecs.ts';

interface Format {
  readonly name: string;
  readonly codec: Codec<unknown>;
  /** What the layout does not say. */
  readonly about: string;
}

const format = (name: string, codec: Codec<unknown>, about = ''): Format => ({ name, codec, about });

/** Formats that have the same bytes as a simpler one are not named where they are used. */
export const primitives: readonly Format[] = [
  format('hash', hashCodec, 'SHA-256.'),
  format('key', publicKeyCodec, 'An Ed25519 public key (RFC 8032). Keys are compared byte by byte.'),
  format('signature', signatureCodec, 'Of Ed25519.'),
];

/** All formats, by chapter, in the order of the page. */
export const chapters: Readonly<Record<string, readonly Format[]>> = {
  Transactions: [
    format(
      'transaction',
      signedCodec,
      "One signature for each signer, in their order; the sender's own where no signers are listed. 32 KiB at most.",
    ),
    format(
      'transaction body',
      bodyCodec,
      'What is signed. A key is forgeable when it is of small order, or not in its one encoding.',
    ),
    format('transaction in a block', transactionCodec),
    format(
      'condition',
      conditionCodec,
      'Before the first operation all must hold. `time-at-most` from protocol version 2 on.',
    ),
    format('operation', operationCodec),
    format('chain change', chainChangeCodec),
    format('record key', recordKeyCodec),
    format('namespace name', namespaceNameCodec),
    format('reservation id', reservationIdCodec, 'The place of the operation that reserves.'),
  ],
  Receipts: [
    format('receipt', receiptCodec, 'Its leaf under `receiptsRoot` is its hash.'),
    format('receipts', receiptsCodec, 'Of a block, in the order of its transactions.'),
    format('place', placeCodec, 'Where a version was made.'),
  ],
  Blocks: [
    format('header', headerCodec, 'Times are in milliseconds since 1970.'),
    format('block', blockCodec),
    format(
      'proposal',
      proposalCodec,
      'A block without bodies. `transactionRoot` is the Merkle root over these hashes.',
    ),
    format('validator keys', validatorKeysCodec, 'In the order that decides whose turn it is.'),
    format(
      'configuration',
      configurationCodec,
      'The members of a Raft chain, by index. Where bytes hold one they are empty when nothing changes.',
    ),
    format('slot', slotCodec, 'What a vote is about.'),
    format(
      'epoch',
      epochCodec,
      'The time of one set of validators: the height of the block after which it is in force, 0 for that of the genesis file.',
    ),
    format(
      'certificate',
      certificateCodec,
      'Ascending by validator, each once, and exactly a quorum: floor((n + f) / 2) + 1 of n, where f is floor((n - 1) / 3).',
    ),
    format(
      'finality',
      finalityCodec,
      'What shows that a block is final: a commit certificate, or in Raft the signature of the leader that wrote it.',
    ),
    format(
      'genesis content',
      contentCodec,
      'What the chain id hashes. Accounts ascend by key, namespaces by name.',
    ),
  ],
  'State entries': [
    format(
      'account entry',
      accountCodec,
      "Without `keys` the account's own key signs; without `held` nothing is held.",
    ),
    format('record entry', recordCodec),
    format('namespace rules', rulesCodec),
    format(
      'namespace entry',
      namespaceEntryCodec,
      'As the main tree has it: root and number of entries of the tree of its records, tombstones among them. Stores and snapshots hold the rules alone.',
    ),
    format('reservation entry', reservationCodec),
    format(
      'ending entry',
      endingCodec,
      'All reservations that end at a height: each names the one before it.',
    ),
    format('chain parameters', chainParametersCodec),
    format('change proposal', changeProposalCodec),
    format('change proposals', namesCodec),
  ],
  Proofs: [
    format('merkle proof', merkleProofCodec, 'Siblings from the leaf up; a level without one is left out.'),
    format(
      'state proof',
      stateProofCodec,
      'Siblings from the root down; `other` is the leaf at the end of the path in a proof of absence.',
    ),
    format('namespace proof', namespaceProofCodec),
    format(
      'record proof',
      recordProofCodec,
      'In the tree of the namespace, when the key is of one that was opened.',
    ),
    format(
      'listing',
      listingCodec,
      'A page of the records of a namespace, in the order of their paths, deleted ones among them.',
    ),
    format('listing proof', listingProofCodec),
  ],
  'PBFT messages': [
    format(
      'pbft message',
      pbftMessageCodec,
      'The signature stands last, over `DOMAIN/KIND`, the epoch and the bytes before it; but that of a PrePrepare, Prepare or Commit is over epoch and slot.',
    ),
    format('view change', viewChangeCodec),
    format('signed slot', signedSlotCodec),
    format('contradiction', contradictionCodec, 'Proof against one validator.'),
    format(
      'pbft position',
      pbftHardStateCodec,
      'Under `position` in the log. Other records there are messages as they were sent, and under `highest` a certificate.',
    ),
    format('signer floor', floorCodec),
  ],
  'Raft messages': [
    format('raft message', raftMessageCodec, 'Not signed: the connection tells whose it is.'),
    format('block name', nameCodec),
    format('raft state', raftHardStateCodec),
    format('raft entry', entryCodec, '`bytes` is how much room the entry takes in a message.'),
  ],
  'Between nodes': [
    format('hello', helloCodec, 'The version comes first in every version.'),
    format(
      'transaction frame',
      transactionFrameCodec,
      'Topic `transactions`. The salt differs from frame to frame.',
    ),
    format('announcement', announcementCodec, 'Topic `blocks`.'),
    format(
      'seal',
      sealCodec,
      'Topic `consensus`: stands in front of a consensus message to a validator out of reach.',
    ),
    format('blocks request', blocksRequestCodec, 'Request `blocks`.'),
    format(
      'blocks response',
      blocksResponseCodec,
      'Consecutive blocks, up to the last that has a certificate of its own where one has; headers from the last of them up to the one that the certificate is of; a snapshot in the place of blocks that were pruned.',
    ),
    format('candidate request', blockRequestCodec, 'Request `candidate`; the answer is the encoded block.'),
    format(
      'transactions request',
      transactionsRequestCodec,
      'Request `transactions`: places in a block, ascending.',
    ),
    format('transactions response', transactionsResponseCodec, 'All, in order.'),
    format(
      'snapshot request',
      snapshotRequestCodec,
      'Request `snapshot`: its head, or its entries behind a key.',
    ),
    format('snapshot head', snapshotHeadCodec),
    format('checksummed part', checksummedPartCodec),
    format('snapshot part', snapshotPartCodec, 'Entries in the order of the paths of their keys.'),
  ],
  'HTTP bodies': [
    format('batch', batchCodec, 'Body of `POST /v1/transactions` as `application/octet-stream`.'),
  ],
  'Records of the store': [
    format('chain record', chainCodec, 'Format `quorate`.'),
    format('final record', positionCodec),
    format('pruned record', extentCodec),
    format('indexed record', indexCodec),
    format('sweeping record', sweepCodec),
    format('transaction place', transactionPlaceCodec),
    format('stored evidence', evidenceCodec),
    format(
      'transactions index',
      transactionsIndexCodec,
      'Places in the block; in that of an account the first bit is set where it sent the transaction.',
    ),
    format(
      'versions index',
      versionsIndexCodec,
      'The number of the first version that the block made, and where each of them was made.',
    ),
    format('write count', u48, 'Under `node-writes` in the log.'),
  ],
};

export const formats: readonly Format[] = Object.values(chapters).flat();
