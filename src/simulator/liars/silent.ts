import type { Liar, LiarTools } from './liar.ts';

/** Listens and says nothing. */
export function silent(tools: LiarTools): Liar {
  return {
    outgoing: () => {
      tools.lied();
      return [];
    },
    publishes: () => false,
    serves: (_asked, _response, respond) => respond(null),
  };
}
