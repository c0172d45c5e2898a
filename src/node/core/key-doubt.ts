import { Problem } from '../../base/problem.ts';
import type { Effect } from '../../consensus/engine.ts';
import type { Logger } from '../process/log.ts';

type Trace = Extract<Effect<object>, { readonly type: 'trace' }>;

/**
 * Others showed a vote, or a block, of this node's key that this node does not know. The first time it may
 * have forgotten it: its data may be an old copy, and its engine goes on as one whose log is lost. One from
 * after that is another process's: throws a problem, which stops this one.
 */
export function doubtKey(log: Logger, { data }: Trace): void {
  if (data['again'] === true) {
    throw new Problem('keys/used-elsewhere', 'another process signs with the key of this validator', {
      remedy:
        'Find it and stop it: two with one key contradict each other, and are named as a liar. Then start this one again.',
      details: data,
    });
  }
  log.error('this key signed what is not in this node’s data', {
    ...data,
    remedy:
      'If its directory was put back from a copy, "quorate why" tells when it votes again, and whether that needs anything. If not, another process uses the key: find it and stop it.',
  });
}
