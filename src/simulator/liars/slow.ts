import type { Liar, LiarTools } from './liar.ts';

/** As primary it waits with each proposal until just before the others would suspect it. */
export function slow(tools: LiarTools): Liar {
  return {
    outgoing: (message, to) => {
      if (message.kind !== 'pre-prepare') return [message];
      tools.lied();
      tools.after(tools.viewTimeoutMs * 0.9, () => tools.send(to, message));
      return [];
    },
  };
}
