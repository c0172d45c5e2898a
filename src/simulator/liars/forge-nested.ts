import type { PbftMessage, ViewChange } from '../../consensus/pbft/message.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { Signature } from '../../crypto/signature.ts';
import { toHeight, toView } from '../../ledger/block.ts';
import type { Certificate } from '../../ledger/certificate.ts';
import { byzantineQuorum } from '../../ledger/quorum.ts';
import { draftOf, type Liar, type LiarTools } from './liar.ts';

const everyMs = 60;

/**
 * Sends view changes, new views and Status whose own form is right and whose nested signatures nobody made.
 * Signs the outside when it can.
 */
export function forgeNested(tools: LiarTools): Liar {
  const { chance } = tools;
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
      tools.lied();
      tools.send(peer, chance.pick([newView, ownViewChange, status])());
    }
    tools.after(everyMs, burst);
  }

  function newView(): PbftMessage {
    const next = toView(view + chance.between(0, 3));
    const viewChanges = quorum().map((from) => viewChange(from, next));
    return outside({
      kind: 'new-view',
      epoch: tools.epoch,
      from: next % tools.validators,
      view: next,
      viewChanges,
      signature: forged(),
    });
  }

  function ownViewChange(): PbftMessage {
    return outside(viewChange(sender(), toView(view + chance.between(0, 2))));
  }

  function status(): PbftMessage {
    const finalCertificate = certificate('commit');
    const { height: finalHeight } = finalCertificate;
    const place = { view: toView(view), changing: false, finalHeight, finalCertificate };
    return outside({ kind: 'status', epoch: tools.epoch, from: sender(), ...place, signature: forged() });
  }

  function viewChange(from: number, next: ReturnType<typeof toView>): ViewChange {
    const finalCertificate = certificate('commit');
    return {
      kind: 'view-change',
      epoch: tools.epoch,
      from,
      view: next,
      finalHeight: finalCertificate.height,
      finalCertificate,
      highest: undefined,
      signature: forged(),
    };
  }

  function certificate(phase: Certificate['phase']): Certificate {
    return {
      phase,
      epoch: tools.epoch,
      view: toView(Math.max(0, view - 1)),
      height: toHeight(height + chance.between(0, 2)),
      blockHash: 'fe'.repeat(32) as Hash,
      signatures: quorum().map((validator) => ({ validator, signature: forged() })),
    };
  }

  /** Its own signature where the message is its own. */
  function outside(message: PbftMessage): PbftMessage {
    return message.from === tools.self ? tools.sign(draftOf(message)) : { ...message, signature: forged() };
  }

  function sender(): number {
    return tools.self < tools.validators ? tools.self : chance.between(0, tools.validators - 1);
  }

  /** As many as it takes now: the set changes, and before its node starts the liar has no place in one. */
  function quorum(): number[] {
    return Array.from({ length: byzantineQuorum(tools.validators) }, (_, index) => index);
  }

  function forged(): Signature {
    return Array.from({ length: 64 }, () => chance.between(0, 255).toString(16).padStart(2, '0')).join(
      '',
    ) as Signature;
  }
}
