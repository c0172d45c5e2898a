import { type Codec, decode } from '../base/codec.ts';
import { invariant } from '../base/invariant.ts';
import { Problem } from '../base/problem.ts';

/** What a state value holds, which proofs and storage have vouched for. `what` names it. */
export function decodeStateValue<T>(codec: Codec<T>, value: Uint8Array, what: string): T {
  const decoded = decode(codec, value, what);
  invariant(!(decoded instanceof Problem), `what the state holds as ${what} has the form of it`);
  return decoded;
}
