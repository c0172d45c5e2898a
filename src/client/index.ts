/**
 * The client's door: what an application needs to talk to a chain, in Node or in a browser, without the node
 * itself. What is not exported here may change without notice.
 */
export { Problem } from '../base/problem.ts';
export { problemCodes, type ProblemCode, type ReceivedCode } from '../base/problem-codes.ts';
export { encodeAddress, parseAddress } from '../crypto/address.ts';
export { developmentKeyPair } from '../crypto/development-keys.ts';
export type { Hash } from '../crypto/hash.ts';
export { generateKeyPair, type KeyPair, keyPairFromSeed, sign } from '../crypto/keys.ts';
export { decryptKey, encryptKey, type KeyFile, readKeyFile } from '../crypto/keystore.ts';
export type { PublicKey, Signature } from '../crypto/signature.ts';
export { type Height, toHeight } from '../ledger/block.ts';
export type { Condition } from '../ledger/condition.ts';
export { failureRemedy } from '../ledger/failure-remedies.ts';
export { type Genesis, parseGenesis } from '../ledger/genesis.ts';
export type { ProvenVersion, RecordVersions } from '../ledger/history-proof.ts';
export type { CheckedStep, Inclusion } from '../ledger/inclusion.ts';
export type { NamespaceEntry } from '../ledger/namespace-entry.ts';
export type { KeySet, Operation } from '../ledger/operation.ts';
export type { Account, RecordEntry } from '../ledger/state-entry.ts';
export type { RecordPage } from '../ledger/page-reading.ts';
export type { Reservation } from '../ledger/reservation.ts';
export { parseReservation, type ReservationId, reservationText } from '../ledger/reservation-id.ts';
export {
  decodeTransaction,
  type Transaction,
  transactionJson,
  type TransactionJson,
} from '../ledger/transaction.ts';
export type { TransactionBody } from '../ledger/transaction-body.ts';
export type * from './answers.ts';
export { proposalOf } from './chain-proposal.ts';
export type { ChainChange } from '../ledger/chain-change.ts';
export { contentFromJson } from './content-json.ts';
export { type FinalBlockEvent, finalBlocks, type FinalBlocksOptions } from './events.ts';
export type { FinalOutcome } from './final-proofs.ts';
export { type Deadline, type FinalTransaction, HttpClient, type ListOptions } from './http-client.ts';
export { type KeptProof, type VerifiedProof, verifyKeptProof } from './kept-proof.ts';
export { problemOf } from './outcomes.ts';
export { Ledger, type LedgerOptions } from './ledger.ts';
export type { LedgerAccount } from './ledger-account.ts';
export type { Reading } from './ledger-reads.ts';
export type { SendOptions } from './ledger-sending.ts';
export { isRetryable } from './transport.ts';
export {
  type VerifiedHeader,
  type VerifiedReceipt,
  verifyContradiction,
  verifyHeader,
  verifyReceipt,
} from './verify.ts';
export { verifyRecords } from './verify-records.ts';
export {
  type VerifiedState,
  verifyAccount,
  verifyNamespace,
  verifyRecord,
  verifyReservation,
} from './verify-state.ts';
export { type Content, type Signer, type Terms, Wallet, type WalletOptions } from './wallet.ts';
