import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { hashHeader, type Height } from '../ledger/block.ts';
import { genesisHeader } from '../ledger/genesis.ts';
import type { HttpClient } from './http-client.ts';
import type { ProofChecker } from './proof-checker.ts';
import type { VerifiedHeader } from './verify.ts';

/** The header of a block, with what was checked of it. */
export interface CertifiedBlock extends Pick<VerifiedHeader, 'header' | 'steps'> {
  /**
   * What makes it final, and all that proves it, to be kept. Undefined for block 0, which the genesis file
   * says.
   */
  readonly by: (Pick<VerifiedHeader, 'certificate'> & { readonly proof: object }) | undefined;
}

/** The header of the block that is meant, and no other: by its certificate, against the genesis file. */
export async function certifiedBlock(
  node: Pick<HttpClient, 'finality'>,
  checker: ProofChecker,
  name: Height | Hash | 'latest',
): Promise<CertifiedBlock | Problem> {
  const first = genesisHeader(checker.genesis);
  if (name === 0 || name === hashHeader(first)) {
    const says = `block 0 has hash ${hashHeader(first)}, as the genesis file says`;
    return { header: first, steps: [{ check: 'headers', says }], by: undefined };
  }
  const answer = await node.finality(name);
  if (answer instanceof Problem) return answer;
  const verified = await checker.header(answer);
  if (verified instanceof Problem) return verified;
  const { header, certificate, steps } = verified;
  if (name !== 'latest' && name !== header.height && name !== hashHeader(header)) {
    return new Problem('proof/headers', `this is block ${header.height}, and not block ${name}`, {
      remedy: 'Ask another node for the block that is meant.',
      details: { wanted: name, height: header.height },
    });
  }
  return { header, steps, by: { certificate, proof: { ...answer, epochs: checker.epochs } } };
}
