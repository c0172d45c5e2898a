import { fromHex } from '../base/bytes.ts';
import { type Codec, decode, encode } from '../base/codec.ts';
import { Problem, unwrap } from '../base/problem.ts';
import { encodeAddress, parseAddress } from '../crypto/address.ts';
import { type PublicKey, signatureCodec, zeroPublicKey } from '../crypto/signature.ts';
import { type BlockHeader, headerCodec, heightCodec } from '../ledger/block.ts';
import { type FinalityCertificate, finalityCodec, slotCodec } from '../ledger/certificate.ts';
import type { DoubleVote } from '../ledger/contradiction.ts';
import type { EpochProof, FinalityProof, Inclusion } from '../ledger/inclusion.ts';
import { type MerkleProof, merkleProofCodec } from '../ledger/merkle.ts';
import { type Found, type Receipt, receiptCodec } from '../ledger/receipt.ts';
import type { StateReading } from '../ledger/state-reading.ts';
import { decodeTransaction, type Transaction, transactionJson } from '../ledger/transaction.ts';
import { validatorKeysCodec } from '../ledger/validators.ts';
import type {
  BlockAnswer,
  CertificateAnswer,
  EpochAnswer,
  EvidenceItem,
  FinalityAnswer,
  FoundAnswer,
  HeaderAnswer,
  InclusionAnswer,
  Origin,
  ReceiptAnswer,
  SignedWordAnswer,
  StateReadingAnswer,
  TransactionAnswer,
} from './answers.ts';

/**
 * The proof in an answer of the API, or the proof alone, from JSON that nobody vouches for; the problem
 * `proof/malformed` when it is none. What people are shown is what is read here, or a field that was compared
 * with that: all else in an answer is covered by no hash.
 */
export function inclusionFromJson(json: unknown): Inclusion | Problem {
  return reading(() => {
    const answer = insideOf(json) as InclusionAnswer;
    return {
      ...finalityFrom(answer),
      height: answer.height,
      blockHash: answer.blockHash,
      receipt: checked(receiptCodec, receiptFrom(answer.receipt)),
      transactionProof: merkleProofFrom(answer.transactionProof),
      receiptProof: merkleProofFrom(answer.receiptProof),
      transaction: transactionFrom(answer.transaction),
    };
  });
}

function insideOf(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'inclusion' in answer ? answer.inclusion : answer;
}

/** The same of a header, with the headers and the certificate that make it final. */
export function finalityFromJson(json: unknown): FinalityProof | Problem {
  return reading(() => finalityFrom(json as FinalityAnswer));
}

/** What the state after a block has under one key, with what shows it. */
export function stateReadingFromJson(json: unknown): StateReading | Problem {
  return reading(() => {
    const { entry, proof, ...answer } = json as StateReadingAnswer;
    return {
      ...finalityFrom(answer),
      entry: entry === null ? null : fromHex(entry),
      proof: fromHex(proof),
    };
  });
}

/** How the validators changed, as `GET /v1/epochs` lists it. */
export function epochsFromJson(json: unknown): readonly EpochProof[] | Problem {
  return reading(() =>
    (json as readonly EpochAnswer[]).map((answer) => ({
      ...finalityFrom(answer),
      validators: checked(validatorKeysCodec, answer.validators.map(accountFrom)),
    })),
  );
}

/** What stands in a block. */
export interface BlockBody {
  readonly transactions: readonly Transaction[];
  /** One for each transaction, in their order. */
  readonly receipts: readonly Receipt[];
}

/** The transactions and receipts of a block that was asked for in full. */
export function bodyFromJson(json: unknown): BlockBody | Problem {
  return reading(() => {
    const { transactions = [] } = json as BlockAnswer;
    return { transactions: transactions.map(transactionFrom), receipts: receiptsIn(json as BlockAnswer) };
  });
}

/** What came of each of them alone, so that nobody has to know what they did. */
export function receiptsFromJson(json: unknown): readonly Receipt[] | Problem {
  return reading(() => receiptsIn(json as BlockAnswer));
}

function receiptsIn({ receipts = [] }: BlockAnswer): readonly Receipt[] {
  return receipts.map((one) => checked(receiptCodec, receiptFrom(one)));
}

/** Two votes in an item of `HttpClient.evidence`. */
export function doubleVoteFromJson(json: unknown): DoubleVote | Problem {
  return reading(() => {
    const { address, contradiction } = json as EvidenceItem;
    if (contradiction === null || contradiction === undefined) throw new Error('nobody could read it');
    const [first, second, ...more] = contradiction.messages;
    const phase = phases.find((one) => one === first?.kind);
    if (first === undefined || second === undefined || more.length > 0 || phase === undefined)
      throw new Error('these are not two votes');
    if (second.kind !== phase) throw new Error('the two votes are not of one kind');
    const read = ({ view, height, blockHash, signature }: SignedWordAnswer): DoubleVote['first'] => {
      if (blockHash === null) throw new Error('a vote names a block');
      return {
        ...checked(slotCodec, { view, height, blockHash }),
        signature: checked(signatureCodec, signature),
      };
    };
    const epoch = checked(heightCodec, contradiction.epoch);
    return { epoch, accused: accountFrom(address), phase, first: read(first), second: read(second) };
  });
}

const phases = ['pre-prepare', 'prepare', 'commit'] as const;

/** A header that is shown, so that its hash can be taken. */
export function headerFromJson(json: unknown): BlockHeader | Problem {
  return reading(() => headerFrom(json as HeaderAnswer));
}

function finalityFrom(answer: Omit<FinalityAnswer, 'hash' | keyof Origin>): FinalityProof {
  return {
    header: headerFrom(answer.header),
    descendants: answer.descendants.map(headerFrom),
    certificate: checked(finalityCodec, certificateFrom(answer.certificate)),
  };
}

function headerFrom(answer: HeaderAnswer): BlockHeader {
  const { proposer } = answer;
  return checked(headerCodec, {
    ...answer,
    // Nobody proposed the genesis.
    proposer: proposer === encodeAddress(zeroPublicKey) ? zeroPublicKey : accountFrom(proposer),
  });
}

function certificateFrom(answer: CertificateAnswer): FinalityCertificate {
  // The signature does not cover what it says of later members.
  return answer.engine === 'raft' ? { ...answer, configuration: new Uint8Array() } : answer;
}

function receiptFrom(answer: ReceiptAnswer): Receipt {
  const { failure } = answer;
  return {
    ...(answer as Pick<Receipt, 'transactionHash' | 'status' | 'code'>),
    failure: failure === null ? undefined : { ...failure, found: foundFrom(failure.found) },
    fee: amountFrom(answer.fee),
    accounts: answer.accounts.map(({ address, balance, held }) => ({
      publicKey: accountFrom(address),
      balance: amountFrom(balance),
      held: amountFrom(held),
    })),
    records: answer.records.map((record) => ({ ...record, previous: record.previous ?? undefined })),
    changes: answer.changes.map((change) => ({
      ...change,
      effectiveFrom: change.effectiveFrom ?? undefined,
    })),
  };
}

function foundFrom(answer: FoundAnswer | null): Found | undefined {
  if (answer === null) return undefined;
  const { type } = answer;
  if (type === 'balance') return { type, balance: amountFrom(answer.balance) };
  return type === 'reserved' ? { type, amount: amountFrom(answer.amount) } : answer;
}

function merkleProofFrom({ index, size, path }: InclusionAnswer['receiptProof']): MerkleProof {
  return checked(merkleProofCodec, { index, count: size, siblings: path });
}

function transactionFrom(answer: TransactionAnswer): Transaction {
  const transaction = decodeTransaction(fromHex(answer.bytes));
  if (transaction instanceof Problem) throw transaction;
  if (sorted(answer) !== sorted(transactionJson(transaction))) {
    throw new Error('the transaction’s fields are not those in its bytes');
  }
  return transaction;
}

/** In one form only: people see the text, and the proof is about the number. */
function amountFrom(text: string): bigint {
  const amount = BigInt(text);
  if (`${amount}` !== text) throw new Error(`${JSON.stringify(text)} is no amount`);
  return amount;
}

function accountFrom(address: string): PublicKey {
  const publicKey = parseAddress(address);
  if (publicKey instanceof Problem) throw publicKey;
  return publicKey;
}

/**
 * What can be encoded has the form of its type, down to each field; and what is read from that encoding has
 * no field that a hash of it does not cover, so all of it may be shown.
 */
function checked<T>(codec: Codec<T>, value: T): T {
  return unwrap(decode(codec, encode(codec, value), 'a part of the proof'));
}

/** JSON with the names of each object in order. */
function sorted(json: unknown): string {
  return JSON.stringify(json, (_name, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** What `read` returns; `proof/malformed` when it throws, as it does where something is missing. */
export function reading<T>(read: () => T): T | Problem {
  try {
    return read();
  } catch (cause) {
    // The runtime's own error for a missing value would not name the field.
    const why = cause instanceof TypeError ? 'something is missing in it' : (cause as Error).message;
    return new Problem('proof/malformed', `this is no proof: ${why}`, {
      remedy:
        'Give what the API answered, or the file that a command wrote (quorate: --proof FILE), unchanged.',
      cause,
    });
  }
}
