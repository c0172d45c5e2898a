import { toHeight } from '../../ledger/block.ts';
import { draftOf, type Liar, type LiarTools } from './liar.ts';

/** Says that it is far ahead, with an old proof or none, and answers whoever asks for blocks with rubbish. */
export function lieAboutHeight(tools: LiarTools): Liar {
  const { chance } = tools;
  return {
    outgoing: (message) => {
      if (message.kind !== 'status' || chance.happens(0.3)) return [message];
      tools.lied();
      const finalHeight = toHeight(chance.pick([message.finalHeight + 1, 1_000_000_000, 2 ** 48 - 1]));
      return [tools.sign({ ...draftOf(message), finalHeight } as typeof message)];
    },
    serves: ({ protocol }, response, respond) => {
      if (protocol !== 'blocks' || response === null || response.length === 0) return respond(response);
      tools.lied();
      const bytes = response.slice();
      const place = chance.between(0, bytes.length - 1);
      switch (chance.pick(['flip', 'cut', 'noise', 'nothing'] as const)) {
        case 'flip':
          bytes[place] = (bytes[place] ?? 0) ^ (1 << chance.between(0, 7));
          return respond(bytes);
        case 'cut':
          return respond(bytes.slice(0, place));
        case 'noise':
          return respond(bytes.map(() => chance.between(0, 255)));
        case 'nothing':
          return respond(null);
      }
    },
  };
}
