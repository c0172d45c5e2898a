import { concat } from '../../../base/bytes.ts';
import { decode } from '../../../base/codec.ts';
import { limits } from '../../../base/limits.ts';
import { Problem } from '../../../base/problem.ts';
import type { Effect, Input, Recipients, Unsigned } from '../../../consensus/engine.ts';
import { messageCodec } from '../../../consensus/pbft/message-codec.ts';
import type { PbftMessage } from '../../../consensus/pbft/message.ts';
import type { PbftState } from '../../../consensus/pbft/state.ts';
import type { Hash } from '../../../crypto/hash.ts';

/** Where a replica is between two steps: what an operator could read off it. */
export interface Place {
  readonly view: number;
  /** It takes part in the view, and is not on the way to it. */
  readonly normal: boolean;
  readonly final: number;
  readonly finalHash: Hash;
  /** The final block is the last of its epoch, and not on the disk yet: nothing is left to do in that. */
  readonly over: boolean;
  /** Nothing keeps it from voting: no guard, and no disk that does not keep up. */
  readonly votes: boolean;
  /** At heights up to here it may not, whatever comes: its log was lost once. */
  readonly mute: number;
  /** Height of the highest-ranked certificate that it knows. */
  readonly certified: number;
}

/** One step of a replica, as seen from outside. */
export interface Step {
  readonly now: number;
  readonly input: Input<PbftMessage>;
  readonly before: Place;
  readonly after: Place;
  /** Messages that count from this step on: another's that arrived, or its own that are on disk. */
  readonly heard: readonly PbftMessage[];
  readonly done: Done;
}

/** What came of it. */
export interface Done {
  readonly effects: readonly Effect<PbftMessage>[];
  /** What it has signed and written. */
  readonly signs: readonly PbftMessage[];
  readonly sends: readonly { readonly message: PbftMessage; readonly to: Recipients }[];
  /** What it sends without writing it. */
  readonly posts: readonly { readonly message: PbftMessage; readonly to: Recipients }[];
}

export function placeOf(state: Readonly<PbftState>): Place {
  return {
    view: state.view,
    normal: state.phase.name === 'normal',
    final: state.final.height,
    finalHash: state.final.blockHash,
    over: state.final.isLast,
    votes:
      state.guard.name === 'off' &&
      !state.final.isLast &&
      state.final.height - state.appliedHeight <= limits.pbftUnstored,
    mute: state.forgottenUpTo,
    certified: state.highest?.height ?? 0,
  };
}

export function stepOf(
  input: Input<PbftMessage>,
  effects: readonly Effect<PbftMessage>[],
  places: { readonly before: Place; readonly after: Place; readonly now: number; readonly epoch: number },
): Step {
  const done: Done = { effects, signs: [], sends: [], posts: [] };
  const [signs, sends, posts] = [done.signs, done.sends, done.posts] as [PbftMessage[], object[], object[]];
  for (const effect of effects) {
    if (effect.type === 'send') sends.push({ message: effect.message, to: effect.to });
    else if (effect.type === 'persist') signs.push(...effect.sign.flatMap(read));
    else if (effect.type === 'post') {
      posts.push(...read(effect.message).map((message) => ({ message, to: effect.to })));
    }
  }
  const all = input.type === 'message' ? [input.message] : input.type === 'persisted' ? input.signed : [];
  // What is of another epoch is nothing to this one.
  const heard = all.filter(({ epoch }) => epoch === places.epoch);
  return { ...places, input, heard, done };
}

const noSignature = new Uint8Array(64);

function read({ bytes }: Unsigned): PbftMessage[] {
  const message = decode(messageCodec, concat(bytes, noSignature), 'unsigned message');
  return message instanceof Problem ? [] : [message];
}

/** True when a message goes to this validator. */
export function reaches(to: Recipients, validator: number): boolean {
  return to === 'all' || to.includes(validator);
}
