import type { Liar, LiarTools } from './liar.ts';

/**
 * Proposes transactions that it shows to nobody: it gossips none, and answers no request
 * for them or for its blocks.
 */
export function withhold(tools: LiarTools): Liar {
  return {
    publishes: (topic) => {
      if (topic !== 'transactions') return true;
      tools.lied();
      return false;
    },
    serves: ({ protocol }, response, respond) => {
      if (protocol !== 'transactions' && protocol !== 'candidate') return respond(response);
      tools.lied();
      respond(null);
    },
  };
}
