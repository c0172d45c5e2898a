import { Problem } from '../../base/problem.ts';
import type { Input } from '../../consensus/engine.ts';
import type { Protocol } from '../../consensus/protocol.ts';
import type { NetworkHandlers, PeerId } from '../../network/port.ts';
import type { Announcing } from '../catch-up/announcing.ts';
import type { PeerRegistry } from '../peers/peer-registry.ts';
import type { Intake } from '../peers/intake.ts';
import type { Logger } from '../process/log.ts';
import type { Messenger } from '../peers/messenger.ts';
import type { Relay } from '../peers/relay.ts';
import type { ServingQueue } from '../catch-up/serving-queue.ts';
import type { Standings } from '../peers/standing.ts';
import type { Turns } from './turns.ts';
import type { MessageVerdict, Verification } from '../peers/verification.ts';

/** Where what comes over the network goes. Each is a turn. */
export function inbound<M extends object>(parts: {
  readonly turns: Turns;
  readonly protocol: Pick<Protocol<M>, 'senderOf'>;
  readonly registry: Pick<
    PeerRegistry,
    'admit' | 'connected' | 'forget' | 'validatorOf' | 'peerOf' | 'memberKeyOf'
  >;
  readonly standings: Pick<Standings, 'connected' | 'forget'>;
  readonly verification: Pick<Verification<M>, 'directMessage' | 'relayedMessage' | 'fault' | 'muted'>;
  readonly intake: Pick<Intake, 'frame' | 'reaches'>;
  readonly announcing: Pick<Announcing, 'heard'>;
  readonly messenger: Pick<Messenger<M>, 'heardByGossip'>;
  readonly relay: Pick<Relay, 'open'>;
  readonly serving: Pick<ServingQueue, 'answer'>;
  readonly enqueue: (input: Input<M>) => void;
  readonly onMet: (peer: PeerId) => void;
  readonly log: Logger;
}): NetworkHandlers {
  const {
    turns,
    protocol,
    registry,
    standings,
    verification,
    intake,
    announcing,
    messenger,
    relay,
    serving,
  } = parts;
  const { enqueue, onMet, log } = parts;
  return {
    onHello(peer, hello, invited = false) {
      const stopping = new Problem('network/stopping', 'the node stops', { remedy: 'Try again later.' });
      return turns.answer(() => registry.admit(peer, hello, invited), stopping);
    },
    memberKeyOf: (peer) => registry.memberKeyOf(peer),
    onConnected: turns.wrap((peer) => {
      registry.connected(peer);
      standings.connected(peer);
      const validator = registry.validatorOf(peer);
      if (validator !== undefined) enqueue({ type: 'connected', validator });
      onMet(peer);
    }),
    onGossipOpen: turns.wrap((peer) => {
      const validator = registry.validatorOf(peer);
      if (validator !== undefined) intake.reaches(validator);
    }),
    onLost: turns.wrap((peer) => {
      const validator = registry.validatorOf(peer);
      registry.forget(peer);
      standings.forget(peer);
      if (validator === undefined || registry.peerOf(validator) !== undefined) return;
      enqueue({ type: 'lost', validator });
    }),
    onMessage: turns.wrap((peer, bytes) => {
      verification.directMessage(peer, bytes, (verdict) => {
        if (verdict.type === 'good') {
          const { message, direct } = verdict;
          enqueue({ type: 'message', message, direct });
        }
        // A few lines at most: after some of them the peer is not listened to for a while.
        else if (verdict.type === 'bad') {
          const { code, message: reason } = verdict.problem;
          const validator = registry.validatorOf(peer) ?? null;
          log.warn('a message was refused', { peer, validator, code, reason });
        }
      });
    }),
    onGossip: turns.wrap((topic, bytes, from, decide) => {
      switch (topic) {
        case 'transactions':
          return intake.frame(from, bytes, decide);
        case 'blocks':
          return announcing.heard(from, bytes, decide);
        case 'consensus': {
          if (verification.muted(from)) return decide('unread');
          const sealed = relay.open(bytes);
          if (sealed === 'other-epoch') return decide('ignore');
          if (sealed instanceof Problem) {
            verification.fault(from, sealed.code);
            return decide('reject');
          }
          const onVerdict = (verdict: MessageVerdict<M>): void => {
            if (verdict.type === 'bad') return decide('reject');
            if (verdict.type === 'ignored') return decide(verdict.unread === true ? 'unread' : 'ignore');
            decide('accept');
            // A message that we had before says nothing of where its sender is now: anybody may have repeated
            // it.
            if (!verdict.wanted) return;
            messenger.heardByGossip(protocol.senderOf(verdict.message), from);
            enqueue({ type: 'message', message: verdict.message });
          };
          return verification.relayedMessage(from, sealed.message, onVerdict, sealed.claim);
        }
        case 'evidence':
          // Engines send evidence as their own messages. Nobody publishes on this topic.
          verification.fault(from, 'network/no-evidence');
          return decide('reject');
      }
    }),
    onRequest: turns.wrap((peer, protocol, bytes, respond) => serving.answer(peer, protocol, bytes, respond)),
  };
}
