import { toHex } from '../base/bytes.ts';
import { encodeAddress } from '../crypto/address.ts';
import { hashHeader, headerJson } from '../ledger/block.ts';
import type { FinalityCertificate } from '../ledger/certificate.ts';
import type { EpochProof, FinalityProof, Inclusion } from '../ledger/inclusion.ts';
import type { MerkleProof } from '../ledger/merkle.ts';
import { receiptJson } from '../ledger/receipt.ts';
import type { Reservation } from '../ledger/reservation.ts';
import type { ReservationId } from '../ledger/reservation-id.ts';
import { accountItemJson, reservationItemJson } from '../ledger/state-json.ts';
import type { StateReading } from '../ledger/state-reading.ts';
import { transactionJson } from '../ledger/transaction.ts';
import type { BlockView, HeaderView } from './chain-views.ts';
import type {
  AccountView,
  MissingNonce,
  NodeIdentity,
  NodeStatus,
  Read,
  SubmitResult,
  TransactionStatus,
} from './backend.ts';
import type { MemberView, ValidatorView } from './member-views.ts';
import type { EvidenceView } from './evidence-views.ts';
import type { ListedTransaction, ListPage, RecordAt } from './listed.ts';
import { problemPart } from './problem-answer.ts';
import type {
  AccountJson,
  AccountTransactionsJson,
  BlockJson,
  CertificateJson,
  HeaderViewJson,
  InclusionJson,
  MembersJson,
  RecordDiffJson,
  ReservationJson,
  StateReadingJson,
  StatusJson,
  SubmitResultJson,
  TransactionsJson,
  TransactionStatusJson,
} from './schemas.ts';

/** Values of the node as the JSON of `schemas.ts`. */
export function originOf({ engine, chainId }: NodeIdentity) {
  return { engine, chainId };
}

function certificateJson(certificate: FinalityCertificate): CertificateJson {
  if (certificate.engine === 'pbft') {
    return { ...certificate, signatures: certificate.signatures.map((signature) => ({ ...signature })) };
  }
  // Which members come next is for nodes, and no part of what is signed.
  const { configuration: _, ...signed } = certificate;
  return signed;
}

function proofJson({ index, count, siblings }: MerkleProof): InclusionJson['transactionProof'] {
  return { index, size: count, path: [...siblings] };
}

export function finalityJson({ header, descendants, certificate }: FinalityProof) {
  return {
    header: headerJson(header),
    descendants: descendants.map(headerJson),
    certificate: certificateJson(certificate),
  };
}

export function stateReadingJson(identity: NodeIdentity, reading: StateReading): StateReadingJson {
  return {
    ...originOf(identity),
    hash: hashHeader(reading.header),
    ...finalityJson(reading),
    entry: reading.entry && toHex(reading.entry),
    proof: toHex(reading.proof),
  };
}

export function epochJson({ validators, ...finality }: EpochProof) {
  return { ...finalityJson(finality), validators: validators.map(encodeAddress) };
}

function inclusionJson(inclusion: Inclusion): InclusionJson {
  return {
    height: inclusion.height,
    blockHash: inclusion.blockHash,
    ...finalityJson(inclusion),
    receipt: receiptJson(inclusion.receipt),
    transactionProof: proofJson(inclusion.transactionProof),
    receiptProof: proofJson(inclusion.receiptProof),
    transaction: transactionJson(inclusion.transaction),
  };
}

export function transactionStatusJson(
  identity: NodeIdentity,
  status: TransactionStatus,
): TransactionStatusJson {
  const about = { ...originOf(identity), hash: status.hash };
  switch (status.status) {
    case 'final':
      return { ...about, status: 'final', inclusion: inclusionJson(status.inclusion) };
    case 'gone':
      return { ...about, status: 'gone', problem: problemPart(status.problem) };
    case 'pending':
      return { ...about, status: 'pending', missing: missingJson(status.missing) };
    case 'unknown':
      return { ...about, status: 'unknown', problem: status.problem && problemPart(status.problem) };
  }
}

export function submitResultJson(result: SubmitResult): SubmitResultJson {
  if (result.status === 'refused') {
    return { status: 'refused', hash: result.hash, problem: problemPart(result.problem) };
  }
  return takenJson(result);
}

/** One that the node took, or has already. */
export function takenJson(result: Exclude<SubmitResult, { status: 'refused' }>) {
  const { hash } = result;
  return result.status === 'accepted'
    ? { status: result.status, hash, missing: missingJson(result.missing) }
    : { status: result.status, hash };
}

export function missingJson(missing: MissingNonce | null) {
  return missing && { ...missing, sender: encodeAddress(missing.sender) };
}

export function headerViewJson(identity: NodeIdentity, view: HeaderView): HeaderViewJson {
  return { ...originOf(identity), ...headerItemJson(view) };
}

export function headerItemJson({ hash, header, transactionCount }: HeaderView) {
  return { hash, header: headerJson(header), transactionCount };
}

/** Without transactions and receipts. */
export function blockJson(identity: NodeIdentity, block: BlockView): BlockJson {
  return {
    ...originOf(identity),
    hash: block.hash,
    header: headerJson(block.header),
    certificate: block.certificate === null ? null : certificateJson(block.certificate),
    transactionHashes: block.transactions.map((transaction) => transaction.hash),
  };
}

export function readJson(
  identity: NodeIdentity,
  { consistency, height, blockHash, stateRoot }: Read<unknown>,
) {
  return { ...originOf(identity), consistency, height, blockHash, stateRoot };
}

export function accountJson(identity: NodeIdentity, read: Read<AccountView>): AccountJson {
  const { publicKey, pendingNonce, ...account } = read.value;
  return { ...readJson(identity, read), ...accountItemJson(publicKey, account), pendingNonce };
}

export function reservationJson(
  identity: NodeIdentity,
  read: Read<unknown>,
  id: ReservationId,
  reservation: Reservation,
): ReservationJson {
  return { ...readJson(identity, read), ...reservationItemJson(id, reservation) };
}

/** A page without its items. */
export function listPageJson(identity: NodeIdentity, { height, completeFrom, next }: ListPage<unknown>) {
  return { ...originOf(identity), height, completeFrom, next };
}

export function finalTransactionJson(listed: ListedTransaction): TransactionsJson['transactions'][number] {
  const { height, index, timestamp, transaction, receipt } = listed;
  return {
    height,
    index,
    timestamp,
    transaction: transactionJson(transaction),
    receipt: receiptJson(receipt),
  };
}

export function accountTransactionJson(
  listed: ListedTransaction,
): AccountTransactionsJson['transactions'][number] {
  return { ...finalTransactionJson(listed), role: listed.role ?? 'touched' };
}

export function recordAtJson({ height, version, made, value }: RecordAt): RecordDiffJson['from'] {
  return { height, version, made: made ?? null, value: value === undefined ? null : toHex(value) };
}

export function validatorJson(validator: ValidatorView) {
  return { ...validator, address: encodeAddress(validator.publicKey) };
}

export function memberJson(member: MemberView): MembersJson['members'][number] {
  return { ...member, address: encodeAddress(member.publicKey) };
}

export function evidenceJson({ accused, publicKey, kind, bytes, contradiction }: EvidenceView) {
  return { accused, address: encodeAddress(publicKey), kind, bytes: toHex(bytes), contradiction };
}

export function statusJson(identity: NodeIdentity, status: NodeStatus, ready: boolean): StatusJson {
  const { validatorIndex, ...rest } = status;
  const { validator, chainName, development, version, signatureCheck } = identity;
  return {
    ...originOf(identity),
    chainName,
    development,
    version,
    signatureCheck,
    validator:
      validator === null || validatorIndex === null
        ? null
        : { index: validatorIndex, address: encodeAddress(validator) },
    ...rest,
    mempool: { ...rest.mempool },
    counters: { ...rest.counters },
    ready,
  };
}
