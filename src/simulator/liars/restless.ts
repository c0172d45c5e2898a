import { toHeight, toView } from '../../ledger/block.ts';
import type { Liar, LiarTools } from './liar.ts';

/**
 * Wants another view all the time: it suspects every primary, and sends view changes for the
 * next views, without grounds.
 */
export function restless(tools: LiarTools): Liar {
  let view = 0;
  let height = 0;
  let sequence = 0;
  return {
    incoming: (message) => {
      if ('view' in message && message.view < view + 10) view = Math.max(view, message.view);
      if ('height' in message) height = Math.max(height, message.height);
    },
    start: () => tools.after(tools.viewTimeoutMs, complain),
  };

  function complain(): void {
    const suspect = tools.sign({
      kind: 'suspect',
      from: tools.self,
      view: toView(view),
      reason: tools.chance.pick(['no-progress', 'invalid-proposal', 'censorship']),
      height: toHeight(height + 1),
      sequence: (sequence += 1),
    });
    const change = tools.sign({
      kind: 'view-change',
      from: tools.self,
      view: toView(view + tools.chance.between(1, 2)),
      finalHeight: toHeight(0),
      finalCertificate: undefined,
      highest: undefined,
    });
    for (const peer of tools.peers()) {
      tools.lied();
      tools.send(peer, suspect);
      tools.send(peer, change);
    }
    tools.after(tools.viewTimeoutMs, complain);
  }
}
