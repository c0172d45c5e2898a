import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { verifyClaimZip215 } from '../crypto/zip215.ts';
import { type BlockHeader, hashHeader, type Height } from './block.ts';
import { certificateClaims, type FinalityCertificate, leaderBytes } from './certificate.ts';
import type { EngineName } from './engine-names.ts';
import { type MerkleProof, merkleRoot, verifyMerkleProof } from './merkle.ts';
import { hashReceipt, type Receipt, receiptsRootOf } from './receipt.ts';
import type { Transaction } from './transaction.ts';
import { type ValidatorSet, validatorSet } from './validators.ts';

/** What shows that a block is final. */
export interface FinalityProof {
  readonly header: BlockHeader;
  /**
   * Headers above it up to the block that `certificate` names, lowest first; empty when the certificate is
   * the block's own. A certificate makes the ancestors of its block final too.
   */
  readonly descendants: readonly BlockHeader[];
  readonly certificate: FinalityCertificate;
}

/** All that shows offline, with the genesis file, that a transaction is final and what came of it. */
export interface Inclusion extends FinalityProof {
  readonly height: Height;
  readonly blockHash: Hash;
  readonly receipt: Receipt;
  /** The transaction's hash under `header.transactionRoot`. */
  readonly transactionProof: MerkleProof;
  /** The receipt under `header.receiptsRoot`. */
  readonly receiptProof: MerkleProof;
  /** The transaction itself. */
  readonly transaction: Transaction;
}

/** Who agrees on blocks, and the block after which they do: 0 for those of the genesis file. */
interface EpochValidators {
  readonly epoch: Height;
  readonly validators: ValidatorSet;
}

/**
 * What a verifier believes before it looks at anything: what the genesis file says, and what `trustEpochs`
 * found proven from there.
 */
export interface Trusted {
  readonly chainId: Hash;
  readonly engine: EngineName;
  /** In their order, the first from the genesis file. */
  readonly epochs: readonly [EpochValidators, ...EpochValidators[]];
}

/** What shows that the validators changed: the last block of an epoch is final, and names the next set. */
export interface EpochProof extends FinalityProof {
  /** The next set, in its order: the header commits to it. */
  readonly validators: readonly PublicKey[];
}

/** One thing that was checked and holds. */
export interface CheckedStep {
  readonly check: 'transaction' | 'receipt' | 'state' | 'headers' | 'certificate';
  /** In words, with what it was checked against. */
  readonly says: string;
}

/**
 * Checks that a block is final: the hash of each header is the parent of the next, and the last one is what a
 * quorum of the trusted validators signed (PBFT, section 4.2). In Raft a leader's signature shows who made
 * the block; that a majority stored it is taken on trust, and the step says so. A problem (`proof/…`) at the
 * first thing that does not hold. Asks nobody.
 */
export function verifyFinality(proof: FinalityProof, trusted: Trusted): readonly CheckedStep[] | Problem {
  const { header, descendants, certificate } = proof;
  let top = header;
  for (const next of descendants) {
    if (next.height !== top.height + 1 || next.parentHash !== hashHeader(top)) {
      const why = `the header at height ${next.height} does not follow on ${top.height}`;
      return unproven('proof/headers', why, header.height);
    }
    top = next;
  }
  if (certificate.engine !== trusted.engine) {
    const why = `the certificate is of ${certificate.engine}, the chain of ${trusted.engine}`;
    return unproven('proof/certificate', why, header.height);
  }
  if (certificate.height !== top.height || certificate.blockHash !== hashHeader(top)) {
    return unproven('proof/certificate', 'the certificate is of another block', header.height);
  }
  const signed =
    certificate.engine === 'raft'
      ? checkLeader(certificate, top, trusted)
      : checkQuorum(certificate, top, trusted);
  if (signed instanceof Problem) return signed;
  const above = descendants.length;
  const further = above === 0 ? '' : `, and ${above} more follow on it, up to ${top.height}`;
  const says = `block ${header.height} has hash ${hashHeader(header)}${further}`;
  return [{ check: 'headers', says }, signed];
}

/**
 * Follows a chain's validators from those of the genesis file on: each set signed the block that names the
 * next one. A problem at the first step that does not hold, so nothing is believed of those after it.
 */
export function trustEpochs(trusted: Trusted, proofs: readonly EpochProof[]): Trusted | Problem {
  let known = trusted;
  for (const proof of proofs) {
    const { header, certificate, descendants } = proof;
    const { height } = header;
    const last = known.epochs.at(-1) ?? known.epochs[0];
    if (height <= last.epoch) continue;
    if (descendants.length > 0 || !('epoch' in certificate) || certificate.epoch !== last.epoch) {
      const why = 'the last block of an epoch has a certificate of its own, by the validators of that epoch';
      return unproven('proof/certificate', why, height);
    }
    const finality = verifyFinality(proof, known);
    if (finality instanceof Problem) return finality;
    const validators = validatorSet(proof.validators);
    if (validators.hash !== header.nextValidatorsHash || validators.hash === header.validatorsHash) {
      return unproven('proof/headers', 'the header names other next validators', height);
    }
    known = { ...known, epochs: [...known.epochs, { epoch: height, validators }] };
  }
  return known;
}

/** Checks the same of a transaction: that it stands in such a block, and that this came of it. */
export function verifyInclusion(inclusion: Inclusion, trusted: Trusted): readonly CheckedStep[] | Problem {
  const places = verifyPlaces(inclusion, trusted);
  if (places instanceof Problem) return places;
  const finality = verifyFinality(inclusion, trusted);
  return finality instanceof Problem ? finality : [...places, ...finality];
}

/**
 * Checks that the transaction and its receipt stand beside each other in the block of the header. That it is
 * final is another question.
 */
export function verifyPlaces(
  inclusion: Inclusion,
  { chainId }: Pick<Trusted, 'chainId'>,
): readonly CheckedStep[] | Problem {
  const { height, blockHash, header, receipt, transaction, transactionProof, receiptProof } = inclusion;
  if (transaction.chainId !== chainId) {
    const why = 'the transaction is for another chain than the genesis file names';
    return unproven('proof/transaction', why, height);
  }
  if (height !== header.height || blockHash !== hashHeader(header)) {
    return unproven('proof/headers', 'the header is of another block than is claimed', height);
  }
  if (!verifyMerkleProof(header.transactionRoot, transaction.hash, transactionProof)) {
    const why = 'the transaction does not stand under the block’s transaction root';
    return unproven('proof/transaction', why, height);
  }
  if (receipt.transactionHash !== transaction.hash) {
    return unproven('proof/receipt', 'the receipt is of another transaction', height);
  }
  const { index, count } = transactionProof;
  const isBeside = receiptProof.index === index && receiptProof.count === count;
  if (!isBeside || !verifyMerkleProof(header.receiptsRoot, hashReceipt(receipt), receiptProof)) {
    const why = 'the receipt does not stand under the block’s receipts root, beside the transaction';
    return unproven('proof/receipt', why, height);
  }
  return [
    { check: 'transaction', says: `it is number ${index + 1} of ${count} in block ${height}` },
    { check: 'receipt', says: `it says "${receipt.status}", and stands beside the transaction` },
  ];
}

/**
 * Checks that these are all transactions of a block, in their order, and that this is what came of each: the
 * roots of its header are theirs. That the header is final is another question.
 */
export function verifyBody(
  header: BlockHeader,
  hashes: readonly Hash[],
  receipts: readonly Receipt[],
): readonly CheckedStep[] | Problem {
  if (merkleRoot(hashes) !== header.transactionRoot) {
    return unproven('proof/transaction', 'other transactions stand in the block', header.height);
  }
  const came = verifyReceipts(header, receipts);
  if (came instanceof Problem) return came;
  return [{ check: 'transaction', says: `its ${hashes.length} transactions are those under its root` }, came];
}

/** Checks that this is what came of the transactions of a block, each of which a receipt names. */
export function verifyReceipts(
  { height, receiptsRoot }: Pick<BlockHeader, 'height' | 'receiptsRoot'>,
  receipts: readonly Receipt[],
): CheckedStep | Problem {
  if (receiptsRootOf(receipts) !== receiptsRoot) {
    return unproven('proof/receipt', 'other receipts stand in the block', height);
  }
  return { check: 'receipt', says: 'their receipts are those under its root' };
}

function checkQuorum(
  certificate: Extract<FinalityCertificate, { engine: 'pbft' }>,
  { height, validatorsHash }: BlockHeader,
  { chainId, epochs }: Trusted,
): CheckedStep | Problem {
  // The epoch decides who signs this block. A set may come back, and its signatures of another epoch mean
  // nothing here.
  const { epoch, validators } = epochs.findLast((one) => one.epoch < height) ?? epochs[0];
  if (validatorsHash !== validators.hash || certificate.epoch !== epoch) return unknownValidators(height);
  if (certificate.phase !== 'commit') {
    return unproven('proof/certificate', 'a prepare certificate makes nothing final', height);
  }
  const claims = certificateClaims(certificate, chainId, validators);
  if (claims instanceof Problem) return unproven('proof/certificate', claims.message, height);
  const forged = certificate.signatures[claims.findIndex((claim) => !verifyClaimZip215(claim))];
  if (forged !== undefined) {
    const why = `the signature of validator ${forged.validator} is not over this block`;
    return unproven('proof/certificate', why, height);
  }
  const since = epoch === 0 ? '' : `, who are the validators since block ${epoch},`;
  const says = `${claims.length} of ${validators.keys.length} validators${since} signed that it is final, in view ${certificate.view}`;
  return { check: 'certificate', says };
}

function checkLeader(
  { term, leader, signature, blockHash }: Extract<FinalityCertificate, { engine: 'raft' }>,
  { height, proposer: publicKey }: BlockHeader,
  { chainId, epochs }: Trusted,
): CheckedStep | Problem {
  if (epochs[0].validators.keys[leader] !== publicKey) return unknownValidators(height);
  const message = leaderBytes(chainId, { view: term, height, blockHash });
  if (!verifyClaimZip215({ publicKey, message, signature })) {
    const why = `the signature of leader ${leader} is not over this block`;
    return unproven('proof/certificate', why, height);
  }
  const says = `leader ${leader} of term ${term} signed it; that a majority stored it is its word`;
  return { check: 'certificate', says };
}

export function unproven(
  code: 'proof/certificate' | 'proof/headers' | 'proof/receipt' | 'proof/state' | 'proof/transaction',
  why: string,
  height: Height,
): Problem {
  return new Problem(code, `this does not prove what it should: ${why}`, {
    remedy:
      'Believe nothing of it. Ask another node for the same, and check that the genesis file is that of the chain.',
    details: { height },
  });
}

function unknownValidators(height: Height): Problem {
  return new Problem(
    'proof/unknown-validators',
    `block ${height} is signed by others than the validators that are known`,
    {
      remedy:
        'If the validators changed, the proof needs those changes too (GET /v1/epochs). Otherwise it is a forgery, or of another chain; in Raft, members who came later are not known by the genesis file.',
      details: { height },
    },
  );
}
