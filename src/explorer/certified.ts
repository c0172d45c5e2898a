import { Problem } from '../base/problem.ts';
import type { VerifiedHeader } from '../client/verify.ts';
import type { Hash } from '../crypto/hash.ts';
import { hashHeader, type Height } from '../ledger/block.ts';
import { genesisHeader } from '../ledger/genesis.ts';
import { node } from './node.ts';
import { knownChecker } from './trust.ts';

/** The header of a block, with what this page checked of it. */
interface Certified extends Pick<VerifiedHeader, 'header' | 'steps'> {
  /** What makes it final, with the proof as a file; block 0 is what the genesis file says. */
  readonly by: (Pick<VerifiedHeader, 'certificate'> & { readonly proof: object }) | undefined;
}

/** The header of the block that is meant, and no other: by its certificate, against the genesis file. */
export async function certified(name: Height | Hash): Promise<Certified | Problem> {
  const checker = await knownChecker();
  if (checker instanceof Problem) return checker;
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
  if (name !== header.height && name !== hashHeader(header)) {
    return new Problem('proof/headers', `this is block ${header.height}, and not block ${name}`, {
      remedy: 'Ask another node for the block that is meant.',
      details: { wanted: name, height: header.height },
    });
  }
  return { header, steps, by: { certificate, proof: { ...answer, epochs: checker.epochs } } };
}
