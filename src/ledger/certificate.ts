import { concat } from '../base/bytes.ts';
import { boundedBytes, encode, listOf, struct, u16, union, wordOf } from '../base/codec.ts';
import { defined } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { domainPrefix, hashCodec, hashToBytes, type Hash } from '../crypto/hash.ts';
import { signatureCodec, type Signature, type SignatureClaim } from '../crypto/signature.ts';
import { type Height, heightCodec, type View, viewCodec } from './block.ts';
import { byzantineQuorum } from './quorum.ts';
import type { ValidatorSet } from './validators.ts';

/**
 * A PBFT vote's kind. A pre-prepare is its primary's vote for proposing; certificates
 * are made of the other two.
 */
export type VotePhase = 'pre-prepare' | 'prepare' | 'commit';

/** What a vote is about: one block at one place. */
export interface Slot {
  readonly view: View;
  readonly height: Height;
  readonly blockHash: Hash;
}

export const slotCodec = struct<Slot>({ view: viewCodec, height: heightCodec, blockHash: hashCodec });

/**
 * What ties a signature to one chain and to one epoch of it: the height of the block after which the
 * validator set is in force, and the hash of the set. The hash alone would not do, because the same set may
 * come back later, when its old signatures must mean nothing.
 */
export interface Epoch {
  readonly chainId: Hash;
  /** 0 for the validators of the genesis file. Blocks of this epoch stand above. */
  readonly epoch: Height;
  readonly validatorsHash: Hash;
}

export const epochCodec = struct<Epoch>({
  chainId: hashCodec,
  epoch: heightCodec,
  validatorsHash: hashCodec,
});

/** The bytes of an epoch, as they stand in front of whatever is signed in it. */
export const epochBytes = (epoch: Epoch): Uint8Array =>
  encode(epochCodec, {
    chainId: epoch.chainId,
    epoch: epoch.epoch,
    validatorsHash: epoch.validatorsHash,
  });

/** The exact bytes that a vote signs: domain with version and kind, chain, epoch, place and block. */
export function voteBytes(phase: VotePhase, epoch: Epoch, slot: Slot): Uint8Array {
  return concat(
    domainPrefix(`quorate/v1/pbft/${phase}`),
    epochBytes(epoch),
    encode(slotCodec, { view: slot.view, height: slot.height, blockHash: slot.blockHash }),
  );
}

interface ValidatorSignature {
  /** The validator's index in the set that the header names. */
  readonly validator: number;
  readonly signature: Signature;
}

/**
 * A quorum's signatures on one block in one view. A prepare certificate protects the block in view
 * changes; a commit certificate makes it and all its ancestors final.
 */
export interface Certificate extends Slot {
  readonly phase: 'prepare' | 'commit';
  /** Of the set that signed, as in `Epoch`: the signatures cover it. */
  readonly epoch: Height;
  /** Strictly ascending by validator, exactly a quorum of them: one encoding for one set of signers. */
  readonly signatures: readonly ValidatorSignature[];
}

export const certificateCodec = struct<Certificate>({
  phase: wordOf(['prepare', 'commit']),
  epoch: heightCodec,
  view: viewCodec,
  height: heightCodec,
  blockHash: hashCodec,
  signatures: listOf(
    struct<ValidatorSignature>({ validator: u16, signature: signatureCodec }),
    limits.maxValidators,
  ),
});

/**
 * Checks everything about a certificate but its signatures; costs no more than a look at each (PBFT, section
 * 4.2: 2f matching prepares and the pre-prepare; here q prepares).
 */
export function checkCertificate(certificate: Certificate, validators: ValidatorSet): Problem | undefined {
  const quorum = byzantineQuorum(validators.keys.length);
  const wrong = (why: string): Problem =>
    new Problem('certificate/invalid', `the ${certificate.phase} certificate ${why}`, {
      remedy: 'Ask another node for it, and check that both nodes use the same genesis file.',
      details: { view: certificate.view, height: certificate.height, blockHash: certificate.blockHash },
    });
  if (certificate.signatures.length !== quorum) {
    return wrong(`has ${certificate.signatures.length} signatures and needs exactly ${quorum}`);
  }
  if (certificate.height <= certificate.epoch)
    return wrong('is for a block before its validators were in force');
  let previous = -1;
  for (const { validator } of certificate.signatures) {
    if (validators.keys[validator] === undefined)
      return wrong(`names validator ${validator}, and there are ${validators.keys.length}`);
    if (validator <= previous) return wrong('does not list its validators in strictly ascending order');
    previous = validator;
  }
  return undefined;
}

/** The signatures of a certificate that remain to be checked, or what is wrong with it whatever they say. */
export function certificateClaims(
  certificate: Certificate,
  chainId: Hash,
  validators: ValidatorSet,
): SignatureClaim[] | Problem {
  const wrong = checkCertificate(certificate, validators);
  if (wrong !== undefined) return wrong;
  const { epoch } = certificate;
  const message = voteBytes(
    certificate.phase,
    { chainId, epoch, validatorsHash: validators.hash },
    certificate,
  );
  return certificate.signatures.map(({ validator, signature }) => ({
    publicKey: defined(validators.keys[validator], 'the key of a validator that was checked'),
    message,
    signature,
  }));
}

/**
 * Raft: the leader's signature on the block. It proves authorship; that a majority stored the
 * block is taken on trust.
 */
export interface LeaderSignature {
  readonly term: View;
  readonly height: Height;
  readonly blockHash: Hash;
  /** The leader's index among the members; its key is the header's proposer. */
  readonly leader: number;
  readonly signature: Signature;
  /**
   * The members from the next height on, encoded, when this block changes them or is the block of a snapshot
   * (its header names their hash). Otherwise empty.
   */
  readonly configuration: Uint8Array;
}

/** The exact bytes that a Raft leader signs for a block: domain, chain, place and block. */
export function leaderBytes(chainId: Hash, slot: Slot): Uint8Array {
  return concat(
    domainPrefix('quorate/v1/raft/block'),
    hashToBytes(chainId),
    encode(slotCodec, { view: slot.view, height: slot.height, blockHash: slot.blockHash }),
  );
}

/**
 * What stands beside a final block to show that it is one. It names the engine, so that nobody
 * mistakes one for the other.
 */
export type FinalityCertificate =
  | ({ readonly engine: 'pbft' } & Certificate)
  | ({ readonly engine: 'raft' } & LeaderSignature);

export const finalityCodec = union<FinalityCertificate, 'engine'>('engine', {
  pbft: [1, certificateCodec],
  raft: [
    2,
    struct<LeaderSignature>({
      term: viewCodec,
      height: heightCodec,
      blockHash: hashCodec,
      leader: u16,
      signature: signatureCodec,
      configuration: boundedBytes(limits.raftConfigurationBytes, 'configuration'),
    }),
  ],
});
