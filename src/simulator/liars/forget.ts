import { toHeight } from '../../ledger/block.ts';
import { draftOf, type Liar, type LiarTools } from './liar.ts';

/** Commits like everybody, and forgets its certificates when a view changes. */
export function forget(tools: LiarTools): Liar {
  return {
    outgoing: (message) => {
      if (message.kind !== 'view-change') return [message];
      tools.lied();
      const nothing = tools.chance.happens(0.5)
        ? { finalHeight: toHeight(0), finalCertificate: undefined, highest: undefined }
        : { highest: undefined };
      return [tools.sign({ ...draftOf(message), ...nothing })];
    },
  };
}
