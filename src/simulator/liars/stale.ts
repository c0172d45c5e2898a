import { encode } from '../../base/codec.ts';
import type { PbftMessage } from '../../consensus/pbft/message.ts';
import type { Certificate } from '../../ledger/certificate.ts';
import { announcementCodec } from '../../node/peers/wire.ts';
import type { Liar, LiarTools } from './liar.ts';

const everyMs = 30;
const remembered = 40;

/**
 * Sends what others said before and do not stand by any more: their first Status messages, their Suspects,
 * and certificates of blocks that everybody has, in messages and as announcements. All of it is signed by
 * whom it names. It takes no key.
 */
export function stale(tools: LiarTools): Liar {
  const { chance } = tools;
  const statuses: Uint8Array[] = [];
  const suspects: Uint8Array[] = [];
  const certificates: Certificate[] = [];
  return {
    incoming: (message, bytes) => {
      if (message.kind === 'status') keepOldest(statuses, bytes);
      if (message.kind === 'suspect' || message.kind === 'view-change') keep(suspects, bytes);
      const certificate = certificateOf(message);
      if (certificate !== undefined) keepOldest(certificates, certificate);
    },
    start: () => tools.after(everyMs, again),
  };

  function again(): void {
    for (const peer of tools.peers()) {
      for (const kept of [statuses, suspects, suspects]) {
        if (kept.length === 0 || !chance.happens(0.5)) continue;
        tools.lied();
        tools.send(peer, chance.pick(kept));
      }
    }
    if (certificates.length > 0 && chance.happens(0.3)) {
      tools.lied();
      const certificate = { engine: 'pbft', ...chance.pick(certificates) } as const;
      tools.publish('blocks', encode(announcementCodec, { certificate }));
    }
    tools.after(everyMs, again);
  }

  function keepOldest<T>(list: T[], item: T): void {
    if (list.length < remembered) list.push(item);
  }

  function keep<T>(list: T[], item: T): void {
    if (list.length < remembered) list.push(item);
    else list[chance.between(0, remembered - 1)] = item;
  }
}

function certificateOf(message: PbftMessage): Certificate | undefined {
  return message.kind === 'status' || message.kind === 'view-change' ? message.finalCertificate : undefined;
}
