import { Problem } from '../../base/problem.ts';
import type { Effect } from '../../consensus/engine.ts';
import type { Logger } from '../process/log.ts';

type Trace = Extract<Effect<object>, { readonly type: 'trace' }>;

/**
 * Others showed a vote, or a block, of this node's key that this node does not know. The first time this node
 * may have forgotten it, because its data is an old copy; its engine goes on as one whose log is lost. A vote
 * made after that comes from another process with the same key: this throws a problem, which stops the node.
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
