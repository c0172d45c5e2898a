import { engineNames } from '../ledger/engine-names.ts';
import { namespaceModes } from '../ledger/namespace.ts';
import type {
  CertificateAnswer,
  ChainChangeAnswer,
  ConditionAnswer,
  FinalityAnswer,
  FoundAnswer,
  HeaderAnswer,
  HeaderItem,
  InclusionAnswer,
  MissingNonceAnswer,
  OperationAnswer,
  Origin,
  ProblemAnswer,
  ReceiptAnswer,
  RecordAnswer,
  RecordAtAnswer,
  RecordVersionAnswer,
  StatusAnswer,
  SubmitAnswer,
  TransactionAnswer,
} from './answers.ts';
import { coins, hash, text, whole } from './json-fields.ts';
import {
  bytes,
  each,
  type Fields,
  identifier,
  kinds,
  type Look,
  named,
  object,
  oneOf,
  orNull,
  problemCode,
  scalar,
  unlessAbsent,
  yesOrNo,
} from './looks.ts';

export const origin: Fields<Origin> = { engine: oneOf(...engineNames), chainId: hash };
export const readAt = {
  ...origin,
  consistency: oneOf('stale', 'lease', 'linearizable'),
  height: whole,
  blockHash: hash,
  stateRoot: hash,
};
export const page = { ...origin, height: whole, completeFrom: whole, next: orNull(identifier) };
export const place = object<RecordAnswer['changed']>({ height: whole, transaction: whole, operation: whole });
export const versions = object<StatusAnswer['knownProtocolVersions']>({ oldest: whole, newest: whole });

export const problem = object<ProblemAnswer>({
  code: problemCode,
  detail: text,
  remedy: text,
  details: named(scalar),
});
/** A hint to what was taken all the same. A node of another version may not give it. */
export const missing = unlessAbsent(
  orNull(object<MissingNonceAnswer>({ sender: identifier, nonce: whole, expiryHeight: unlessAbsent(whole) })),
);

export const header = object<HeaderAnswer>({
  height: whole,
  parentHash: hash,
  view: whole,
  proposer: identifier,
  timestamp: whole,
  protocolVersion: whole,
  transactionRoot: hash,
  stateRoot: hash,
  receiptsRoot: hash,
  validatorsHash: hash,
  nextValidatorsHash: hash,
});
export const signature: Look = bytes;
export const certificate = kinds<CertificateAnswer, 'engine'>('engine', {
  pbft: {
    phase: oneOf('prepare', 'commit'),
    epoch: whole,
    view: whole,
    height: whole,
    blockHash: hash,
    signatures: each(object<{ validator: number; signature: string }>({ validator: whole, signature })),
  },
  raft: { term: whole, height: whole, blockHash: hash, leader: whole, signature },
});
export const finality: Fields<Omit<FinalityAnswer, keyof Origin | 'hash'>> = {
  header,
  descendants: each(header),
  certificate,
};

const found = kinds<FoundAnswer, 'type'>('type', {
  version: { version: whole },
  hash: { hash },
  balance: { balance: coins },
  height: { height: whole },
  time: { time: whole },
  reserved: { amount: coins },
});
export const receipt = object<ReceiptAnswer>({
  transactionHash: hash,
  status: oneOf('applied', 'failed'),
  code: identifier,
  failure: orNull(
    object<NonNullable<ReceiptAnswer['failure']>>({
      part: oneOf('condition', 'operation'),
      index: whole,
      found: orNull(found),
    }),
  ),
  fee: coins,
  accounts: each(
    object<ReceiptAnswer['accounts'][number]>({ address: identifier, balance: coins, held: coins }),
  ),
  records: each(
    object<ReceiptAnswer['records'][number]>({ operation: whole, version: whole, previous: orNull(place) }),
  ),
  changes: each(
    object<ReceiptAnswer['changes'][number]>({
      operation: whole,
      proposal: hash,
      approvals: whole,
      needed: whole,
      effectiveFrom: orNull(whole),
    }),
  ),
});

export const blockLimits = object<{ maxTransactions: number; maxOperations: number; maxBytes: number }>({
  maxTransactions: whole,
  maxOperations: whole,
  maxBytes: whole,
});
export const change = kinds<ChainChangeAnswer, 'type'>('type', {
  validators: { validators: each(identifier) },
  'protocol-version': { version: whole, height: whole },
  'fee-floor': { feePerOperation: coins, height: unlessAbsent(whole) },
  limits: { limits: blockLimits, height: unlessAbsent(whole) },
});
const mode = oneOf(...namespaceModes);
const operation = kinds<OperationAnswer, 'type'>('type', {
  transfer: { to: identifier, amount: coins, memo: text },
  put: { key: text, value: bytes },
  delete: { key: text },
  give: { key: text, to: identifier },
  'open-namespace': { name: text, mode, writers: each(identifier) },
  'set-namespace': {
    name: text,
    owner: orNull(identifier),
    mode: orNull(mode),
    writers: orNull(each(identifier)),
  },
  'set-keys': { keys: each(identifier), threshold: whole, force: yesOrNo },
  reserve: { to: identifier, amount: coins, expiryHeight: whole, memo: text },
  post: { reservation: identifier, amount: coins },
  void: { reservation: identifier },
  'propose-change': { change, expiryHeight: whole, validatorsHash: hash, members: bytes, replaces: yesOrNo },
  'approve-change': { proposal: hash },
});
const condition = kinds<ConditionAnswer, 'type'>('type', {
  'record-version': { key: text, version: whole },
  'record-absent': { key: text },
  'record-exists': { key: text },
  'record-hash': { key: text, hash },
  'balance-at-least': { account: identifier, amount: coins },
  'height-at-most': { height: whole },
  'time-at-most': { time: whole },
});
export const transaction = object<TransactionAnswer>({
  hash,
  chainId: hash,
  sender: identifier,
  nonce: whole,
  fee: coins,
  expiryHeight: whole,
  reference: bytes,
  conditions: each(condition),
  operations: each(operation),
  signatures: each(object<TransactionAnswer['signatures'][number]>({ signer: identifier, signature })),
  bytes,
});
const proof = object<InclusionAnswer['receiptProof']>({ index: whole, size: whole, path: each(hash) });
export const inclusion = object<InclusionAnswer>({
  ...finality,
  height: whole,
  blockHash: hash,
  receipt,
  transactionProof: proof,
  receiptProof: proof,
  transaction,
});
export const submission = kinds<SubmitAnswer, 'status'>('status', {
  accepted: { hash, missing },
  pending: { hash, missing },
  known: { hash },
  refused: { hash: orNull(hash), problem },
  gone: { hash, problem },
  unknown: { hash, problem },
  final: { hash, height: whole, blockHash: hash, receipt },
});

export const headerItem: Fields<HeaderItem> = { hash, header, transactionCount: whole };
export const recordItem = {
  key: text,
  owner: identifier,
  value: bytes,
  version: whole,
  changed: place,
  previous: orNull(place),
};
export const namespaceItem = {
  name: text,
  owner: identifier,
  mode,
  writers: each(identifier),
  entries: whole,
  root: hash,
};
export const listed = { height: whole, index: whole, timestamp: whole, transaction, receipt };
export const recordVersion = object<RecordVersionAnswer>({
  version: whole,
  made: place,
  timestamp: whole,
  transactionHash: hash,
  by: identifier,
  change: oneOf('put', 'delete', 'give'),
  value: orNull(bytes),
  to: orNull(identifier),
});
export const recordAt = object<RecordAtAnswer>({
  height: whole,
  version: whole,
  made: orNull(place),
  value: orNull(bytes),
});
