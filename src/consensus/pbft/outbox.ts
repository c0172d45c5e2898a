import type { Recipients, ValidatorIndex } from '../engine.ts';
import { count, trace as traceStep } from '../shared/step.ts';
import type { Draft, PbftMessage } from './message.ts';
import { toUnsigned } from './signing.ts';
import { epochOf, type Replica } from './replica.ts';

/** Sends a signed message. */
export function send(replica: Replica, to: Recipients, message: PbftMessage): void {
  replica.out.push({ type: 'send', to, message });
}

/** Has a message that binds nothing signed and sent. */
export function post(replica: Replica, to: Recipients, draft: Draft): void {
  if (replica.self === null) return;
  replica.out.push({ type: 'post', to, message: toUnsigned(draft, epochOf(replica)) });
}

/** A line for the log, counted too. */
export function trace(
  replica: Replica,
  event: string,
  data: Record<string, string | number | boolean> = {},
): void {
  count(replica, event);
  traceStep(replica, event, data);
}

/** Says which view it is now, who leads it, and why. */
export function tellView(replica: Replica, leader: ValidatorIndex | null, reason: string): void {
  replica.out.push({ type: 'view', view: replica.state.view, leader, reason });
}
