import type { Problem } from '../../base/problem.ts';
import type { Engine, Input } from '../../consensus/engine.ts';
import type { Verifier } from '../../crypto/signature.ts';
import type { Network } from '../../network/port.ts';
import type { Clock } from '../process/clock.ts';
import type { Listeners } from './listeners.ts';
import type { StorePort } from './turn-ports.ts';
import type { Turns } from './turns.ts';

/** What the parts have of the loop. */
export interface Loop<M extends object> {
  readonly turns: Turns;
  /** The ports as turns. */
  readonly ports: {
    readonly clock: Clock;
    readonly network: Network;
    readonly verifier: Verifier;
    readonly chainStore: StorePort;
  };
  readonly listeners: Listeners;
  readonly engine: () => Pick<Engine<M>, 'wants' | 'status'>;
  readonly enqueue: (input: Input<M>) => void;
  readonly workChanged: () => void;
}

/** A part met what the node cannot go on after: the turn that it is in ends the node. */
export function end(problem: Problem): never {
  throw problem;
}
