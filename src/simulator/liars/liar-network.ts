import { Problem } from '../../base/problem.ts';
import { decode, encode } from '../../base/codec.ts';
import type { PbftMessage } from '../../consensus/pbft/message.ts';
import { messageCodec } from '../../consensus/pbft/message-codec.ts';
import type { Network, NetworkHandlers } from '../../network/port.ts';
import type { Liar } from './liar.ts';

/**
 * Puts a liar between an honest node and its network. The node knows nothing of it, so one wrapper serves the
 * simulator and real processes.
 */
export function liarNetwork(network: Network, liar: Liar): Network {
  return {
    self: network.self,
    start: (handlers) => {
      liar.start?.({
        // As from a validator: of a stranger its node would take little.
        hear: (topic, bytes) =>
          handlers.onGossip(topic, bytes, network.peers()[0] ?? network.self, () => undefined),
      });
      return network.start(listening(handlers, liar));
    },
    stop: () => network.stop(),
    addresses: () => network.addresses(),
    peers: () => network.peers(),
    send: (peer, bytes, urgent) => {
      const message = liar.outgoing === undefined ? undefined : read(bytes);
      if (liar.outgoing === undefined || message === undefined) return network.send(peer, bytes, urgent);
      let taken = true;
      for (const instead of liar.outgoing(message, peer)) {
        taken =
          network.send(peer, instead === message ? bytes : encode(messageCodec, instead), urgent) && taken;
      }
      return taken;
    },
    publish: (topic, bytes) => {
      if (liar.publishes?.(topic, bytes) ?? true) network.publish(topic, bytes);
    },
    askForGossip: (peer) => network.askForGossip(peer),
    request: (peer, protocol, bytes, done) => network.request(peer, protocol, bytes, done),
    penalise: (peer, reason, banMs) => network.penalise(peer, reason, banMs),
    stats: () => network.stats(),
    unreached: () => network.unreached?.() ?? [],
  };
}

function listening(handlers: NetworkHandlers, liar: Liar): NetworkHandlers {
  return {
    ...handlers,
    onHello: (peer, hello, invited) => handlers.onHello(peer, hello, invited),
    onConnected: (peer) => handlers.onConnected(peer),
    onLost: (peer) => handlers.onLost(peer),
    onMessage: (peer, bytes) => {
      if (liar.incoming !== undefined) {
        const message = read(bytes);
        if (message !== undefined) liar.incoming(message, bytes, peer);
      }
      handlers.onMessage(peer, bytes);
    },
    onGossip: (topic, bytes, from, decide) => {
      const verdict = liar.hears?.(topic, bytes);
      if (verdict === undefined) handlers.onGossip(topic, bytes, from, decide);
      else decide(verdict);
    },
    onRequest: (peer, protocol, bytes, respond) => {
      handlers.onRequest(peer, protocol, bytes, (response) => {
        if (liar.serves === undefined) respond(response);
        else liar.serves({ protocol, request: bytes, from: peer }, response, respond);
      });
    },
  };
}

/** Undefined for what is no PBFT message: a liar passes it on as it is. */
function read(bytes: Uint8Array): PbftMessage | undefined {
  const message = decode(messageCodec, bytes, 'message');
  return message instanceof Problem ? undefined : message;
}
