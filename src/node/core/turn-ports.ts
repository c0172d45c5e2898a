import type { Verifier } from '../../crypto/signature.ts';
import type { Network } from '../../network/port.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import type { Clock } from '../process/clock.ts';
import type { Turns } from './turns.ts';

/** The parts of the store that call back. */
export type StorePort = Pick<
  ChainStore,
  'persist' | 'commitRun' | 'blockBytes' | 'certificateAt' | 'firstBlock' | 'prune' | 'install'
> & { readonly snapshot: Pick<ChainStore['snapshot'], 'head' | 'part' | 'begin' | 'add' | 'clear'> };

/**
 * The same ports, with every answer and timer as a turn, so that no part of the core has to think of it. Once
 * turns have ended they accept nothing more: what a part still hands over then is neither sent nor written.
 */
export function turnPorts(
  turns: Turns,
  ports: {
    readonly clock: Clock;
    readonly network: Network;
    readonly verifier: Verifier;
    readonly store: ChainStore;
  },
): { clock: Clock; network: Network; verifier: Verifier; chainStore: StorePort } {
  const { clock, network, verifier, store } = ports;
  const unlessEnded = (act: () => void): void => {
    if (!turns.ended) act();
  };
  return {
    clock: {
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, call) => clock.after(delayMs, turns.wrap(call)),
    },
    network: {
      get self() {
        return network.self;
      },
      start: (handlers) => network.start(handlers),
      stop: () => network.stop(),
      addresses: () => network.addresses(),
      peers: () => network.peers(),
      send: (peer, bytes, urgent) => !turns.ended && network.send(peer, bytes, urgent),
      publish: (topic, bytes) => unlessEnded(() => network.publish(topic, bytes)),
      askForGossip: (peer) => unlessEnded(() => network.askForGossip(peer)),
      request: (peer, protocol, bytes, done) =>
        unlessEnded(() => network.request(peer, protocol, bytes, turns.wrap(done))),
      penalise: (peer, reason, banMs) => network.penalise(peer, reason, banMs),
      stats: () => network.stats(),
      unreached: () => network.unreached?.() ?? [],
    },
    verifier: {
      verify: (claims, strict, done, urgent) => verifier.verify(claims, strict, turns.wrap(done), urgent),
      close: () => verifier.close(),
    },
    chainStore: {
      blockBytes: (hash) => store.blockBytes(hash),
      persist: (request, done) => unlessEnded(() => store.persist(request, turns.wrap(done))),
      commitRun: (requests, done) => unlessEnded(() => store.commitRun(requests, turns.wrap(done))),
      certificateAt: (height) => store.certificateAt(height),
      get firstBlock() {
        return store.firstBlock;
      },
      prune: (request, done) => unlessEnded(() => store.prune(request, turns.wrap(done))),
      install: (request, done) => unlessEnded(() => store.install(request, turns.wrap(done))),
      snapshot: {
        head: () => store.snapshot.head(),
        part: (index) => store.snapshot.part(index),
        begin: (head, done) => store.snapshot.begin(head, turns.wrap(done)),
        add: (part, done) => store.snapshot.add(part, turns.wrap(done)),
        clear: (done) => store.snapshot.clear(turns.wrap(done)),
      },
    },
  };
}
