import type { Effect, Engine, Input } from '../../consensus/engine.ts';
import type { EngineStart, Protocol } from '../../consensus/protocol.ts';

/** Looks at everything that passes between one node's driver and its engine, and changes nothing. */
export interface EngineObserver<M> {
  started(start: EngineStart, engine: Engine<M>): void;
  input(input: Input<M>, engine: Engine<M>): void;
  /** What came of an input. */
  effects(effects: readonly Effect<M>[], engine: Engine<M>, input: Input<M>): void;
}

/** The protocol with somebody looking over its engine's shoulder. */
export function observedProtocol<M>(protocol: Protocol<M>, observer: EngineObserver<M>): Protocol<M> {
  return {
    engine: protocol.engine,
    authentication: protocol.authentication,
    capabilities: protocol.capabilities,
    senderOf: (message) => protocol.senderOf(message),
    decode: (bytes) => protocol.decode(bytes),
    encode: (message) => protocol.encode(message),
    contradictionIn: (evidence) => protocol.contradictionIn(evidence),
    partsIn: (message) => protocol.partsIn(message),
    epochOf: (message) => protocol.epochOf(message),
    claims: (message, roster) => protocol.claims(message, roster),
    certificateClaims: (certificate, roster) => protocol.certificateClaims(certificate, roster),
    snapshotRoster: (certificate, roster) => protocol.snapshotRoster(certificate, roster),
    snapshotCertificate: (certificate, members) => protocol.snapshotCertificate(certificate, members),
    start: (start) => {
      const engine = protocol.start(start);
      observer.started(start, engine);
      return {
        step: (input) => {
          observer.input(input, engine);
          const effects = engine.step(input);
          observer.effects(effects, engine, input);
          return effects;
        },
        status: () => engine.status(),
        why: () => engine.why(),
        wants: (message, direct) => engine.wants(message, direct),
      };
    },
  };
}
