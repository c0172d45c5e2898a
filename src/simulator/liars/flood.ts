import type { PbftMessage } from '../../consensus/pbft/message.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { Signature } from '../../crypto/signature.ts';
import { toHeight, toView } from '../../ledger/block.ts';
import type { Liar, LiarTools } from './liar.ts';

const everyMs = 40;
const perPeer = 6;

/**
 * Sends without end what costs its receivers memory or signature checks: places far ahead,
 * forged signatures, noise.
 */
export function flood(tools: LiarTools): Liar {
  const { chance } = tools;
  const hash = 'ef'.repeat(32) as Hash;
  const forged = '12'.repeat(64) as Signature;
  let view = 0;
  let height = 0;
  return {
    incoming: (message) => {
      if ('view' in message) view = Math.max(view, message.view);
      if ('height' in message) height = Math.max(height, message.height);
    },
    start: () => tools.after(everyMs, burst),
  };

  function burst(): void {
    for (const peer of tools.peers()) {
      for (let i = 0; i < perPeer; i++) {
        tools.lied();
        tools.send(peer, missile());
      }
    }
    tools.after(everyMs, burst);
  }

  function missile(): PbftMessage | Uint8Array {
    const near = {
      view: toView(view + chance.between(0, 3)),
      // Around the window, or as far above it as anybody keeps a message.
      height: toHeight(height + chance.between(0, chance.pick([12, 72]))),
    };
    const far = {
      view: toView(2 ** 47 + chance.between(0, 9)),
      height: toHeight(2 ** 47 + chance.between(0, 9)),
    };
    const kind = chance.pick(['prepare', 'commit'] as const);
    switch (chance.between(0, 5)) {
      case 0:
        return tools.sign({ kind, from: tools.self, blockHash: hash, ...far });
      case 1:
        return tools.sign({ kind, from: tools.self, blockHash: hash, ...near });
      case 2:
        return {
          kind,
          epoch: tools.epoch,
          from: (tools.self + 1) % tools.validators,
          blockHash: hash,
          ...near,
          signature: forged,
        };
      case 3:
        return tools.sign({
          kind: 'view-change',
          from: tools.self,
          view: chance.pick([far.view, near.view]),
          finalHeight: toHeight(0),
          finalCertificate: undefined,
          highest: undefined,
        });
      case 4:
        return tools.sign({
          kind: 'suspect',
          from: tools.self,
          reason: 'no-progress',
          sequence: chance.between(1, 1_000),
          ...near,
        });
      default:
        return Uint8Array.from({ length: chance.between(1, 200) }, () => chance.between(0, 255));
    }
  }
}
