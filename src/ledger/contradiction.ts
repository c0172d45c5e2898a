import { Problem } from '../base/problem.ts';
import type { PublicKey, Signature } from '../crypto/signature.ts';
import { verifyClaimZip215 } from '../crypto/zip215.ts';
import type { Height } from './block.ts';
import { type Slot, voteBytes, type VotePhase } from './certificate.ts';
import type { Trusted } from './inclusion.ts';

/** Two votes of one kind for different blocks at one place: no correct validator signs both. */
export interface DoubleVote {
  /** Of the validators that it was one of. */
  readonly epoch: Height;
  readonly accused: PublicKey;
  readonly phase: VotePhase;
  readonly first: SignedSlot;
  readonly second: SignedSlot;
}

interface SignedSlot extends Slot {
  readonly signature: Signature;
}

/** Checks offline, against what is trusted, that one validator signed both votes, and says what it found. */
export function verifyDoubleVote(
  { epoch, accused, phase, first, second }: DoubleVote,
  { chainId, epochs }: Trusted,
): string | Problem {
  const signers = epochs.find((one) => one.epoch === epoch)?.validators;
  if (signers === undefined) return unknownEpoch(epoch);
  if (!signers.keys.includes(accused)) return unproven('its signer was no validator then', epoch);
  if (first.view !== second.view || first.height !== second.height)
    return unproven('the two are for different places', epoch);
  if (first.blockHash === second.blockHash) return unproven('the two are for the same block', epoch);
  const place = { chainId, epoch, validatorsHash: signers.hash };
  for (const { signature, ...slot } of [first, second]) {
    const claim = { publicKey: accused, message: voteBytes(phase, place, slot), signature };
    if (!verifyClaimZip215(claim)) return unproven('it did not sign one of the two', epoch);
  }
  return `one key signed a ${phase} for each of two blocks at height ${first.height} in view ${first.view}`;
}

function unproven(why: string, epoch: Height): Problem {
  return new Problem(
    'proof/contradiction',
    `this does not prove that a validator contradicted itself: ${why}`,
    {
      remedy: 'Hold nothing of it against anybody, and ask another node.',
      details: { epoch },
    },
  );
}

function unknownEpoch(epoch: Height): Problem {
  return new Problem('proof/unknown-validators', `the validators since block ${epoch} are not known`, {
    remedy:
      'If the validators changed there, those changes are needed too (GET /v1/epochs); otherwise it is a forgery.',
    details: { epoch },
  });
}
