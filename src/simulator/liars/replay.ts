import type { Liar, LiarTools } from './liar.ts';

const remembered = 300;

/** Keeps every message it ever saw, and sends old ones again, its own and others', to whoever is there. */
export function replay(tools: LiarTools): Liar {
  const kept: Uint8Array[] = [];
  return {
    incoming: (_message, bytes) => {
      if (kept.length < remembered) kept.push(bytes);
      else kept[tools.chance.between(0, remembered - 1)] = bytes;
    },
    outgoing: (message, to) => {
      if (kept.length > 0 && tools.chance.happens(0.5)) {
        tools.lied();
        tools.send(to, tools.chance.pick(kept));
      }
      return [message];
    },
  };
}
