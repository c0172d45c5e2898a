import { limits } from '../../base/limits.ts';
import { othersAreAsked } from '../../base/peer-faults.ts';
import { Problem } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import { type BlockHeader, changesValidators, hashHeader } from '../../ledger/block.ts';
import {
  type BlockParts,
  checkLink,
  checkProposal,
  decodePartsOf,
  proposalOfParts,
} from '../../ledger/block-body.ts';
import type { FinalityCertificate } from '../../ledger/certificate.ts';
import type { BlocksResponse } from '../peers/wire.ts';

/**
 * Blocks that link from where we are, and are final if the signatures on the certificate are good. Their
 * transactions are not decoded before that is known.
 */
export interface Segment {
  readonly blocks: readonly BlockParts[];
  readonly last: Tip;
  /** False when the certificate is for a later block. */
  readonly complete: boolean;
  readonly certificate: FinalityCertificate;
  /** Nothing more had room in the answer, or could stand in it. */
  readonly whole: boolean;
}

export interface Tip {
  readonly header: BlockHeader;
  readonly hash: Hash;
}

/**
 * Checks a response against where it was asked to go on from, and for how many blocks: forms, roots, links,
 * and that the certificate is for its end.
 */
export function readSegment(
  asked: { readonly tip: Tip; readonly count: number },
  answer: BlocksResponse,
  certificate: FinalityCertificate,
): Segment | Problem {
  if (answer.blocks.length > asked.count) return unproven('has more blocks than were asked for');
  const blocks: BlockParts[] = [];
  let last = asked.tip;
  for (const bytes of answer.blocks) {
    const block = decodePartsOf(bytes);
    if (block instanceof Problem) return block;
    const wrong = checkLink(last.header, block.header) ?? checkProposal(proposalOfParts(block));
    if (wrong !== undefined) return wrong;
    blocks.push(block);
    last = { header: block.header, hash: hashHeader(block.header) };
  }
  if (blocks.slice(0, -1).some(({ header }) => changesValidators(header))) {
    return unproven('goes on past a change of the validators');
  }
  let proven = last;
  for (const header of answer.headers) {
    const wrong = checkLink(proven.header, header);
    if (wrong !== undefined) return wrong;
    proven = { header, hash: hashHeader(header) };
  }
  if (certificate.height !== proven.header.height || certificate.blockHash !== proven.hash) {
    return unproven('is proven by a certificate for another block');
  }
  const whole = blocks.length >= asked.count || isLarge(answer) || changesValidators(last.header);
  return { blocks, last, complete: answer.headers.length === 0, certificate, whole };
}

/**
 * The next block may have been too large for what was left: the largest one takes two thirds of an answer.
 */
function isLarge({ blocks }: BlocksResponse): boolean {
  let bytes = 0;
  for (const block of blocks) bytes += block.length;
  return bytes >= limits.responseBytes - limits.maxBlockBytes - limits.responseBytes / 8;
}

export function unproven(why: string): Problem {
  return new Problem('sync/unproven', `what the peer served as final ${why}`, {
    remedy: othersAreAsked,
  });
}
