import { Problem } from '../base/problem.ts';
import type { Height } from '../ledger/block.ts';

/** What there may be none of. */
export type NoneCode = 'api/no-such-record' | 'api/no-such-reservation' | 'api/no-such-namespace';

/** That there is none after a block is proven; `lacks` says so in words, as a `StateKind` does. */
export function provenNone(code: NoneCode, lacks: string, height: Height): Problem {
  const message = `${lacks} after block ${height}: that is proven`;
  const details = { height };
  if (code === 'api/no-such-reservation') {
    return new Problem(code, message, {
      remedy:
        'Check the name. If it was just made, wait until that transaction is final; if it ended long ago, look at the transactions of its sender.',
      details,
    });
  }
  if (code === 'api/no-such-namespace') {
    return new Problem(code, message, {
      remedy:
        'Check the name; if it was just opened, wait until that transaction is final. Whoever opens it ("quorate namespace open NAME --from KEY") owns it.',
      details,
    });
  }
  return new Problem(code, message, {
    remedy: 'Check the key; if it was just written, wait until that transaction is final.',
    details,
  });
}
