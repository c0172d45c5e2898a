import { Option } from '@commander-js/extra-typings';
import { harmless } from '../base/harmless.ts';
import { Problem, unwrap } from '../base/problem.ts';
import type { Address, ValidatorsAnswer } from '../client/answers.ts';
import type { HttpClient } from '../client/http-client.ts';
import { byzantineQuorum } from '../ledger/quorum.ts';
import { warn } from './terminal.ts';

/** The same word as for Raft's members, where the leader itself refuses. */
export const forceOption = new Option('--force', 'also when what is left is no working quorum');

/**
 * Refuses a set of validators of which too few are there to decide, as far as the node that is asked can
 * tell; by force it only warns. Nobody could undo it: that takes a quorum of the new set.
 */
export async function judgeQuorumAhead(
  client: HttpClient,
  next: readonly Address[],
  force: boolean,
): Promise<void> {
  const known = unwrap(await client.validators());
  const missing = missingOf(known, next);
  const there = next.length - missing.length;
  const needed = byzantineQuorum(next.length);
  if (there >= needed) return;
  const not = known.strangers === undefined ? 'does not hear, or is too old to say so,' : 'does not hear';
  const what = `${needed} of the ${next.length} validators would have to decide, and the node that was asked knows ${there} of them to be there: it ${not} ${missing.map(harmless).join(', ')}`;
  if (force) return warn(`${what}. If they do not come, nothing is decided any more.`);
  throw new Problem('consensus/quorum-loss', what, {
    remedy:
      'Start their nodes first, and see that the node that is asked is connected to them ("quorate validators list", "quorate why"); or ask one that hears them (quorate: --node URL). By force (quorate: --force) it is done all the same: if they do not come, nothing is decided any more. Nothing was signed.',
    details: { needed, there },
  });
}

/** Whom the node does not hear, or does not say so, by name where it knows one. */
function missingOf(
  { validators, strangers = [] }: ValidatorsAnswer,
  next: readonly Address[],
): readonly string[] {
  return next.flatMap((address) => {
    const now = validators.find((one) => one.address === address);
    const isThere = now === undefined ? strangers.includes(address) : (now.heard ?? now.connected);
    return isThere ? [] : [now?.name ?? address];
  });
}
