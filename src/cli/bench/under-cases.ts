import { InvalidArgumentError } from '@commander-js/extra-typings';
import { strategies, type Strategy } from '../byzantine-strategies.ts';
import { trials } from '../testnet/liar-trials.ts';

/** What happens to a chain while its rate is measured. */
type Trouble =
  | { readonly kind: 'lie'; readonly strategy: Strategy }
  | { readonly kind: 'crash' }
  | { readonly kind: 'attack'; readonly attack: string };

export interface Case {
  readonly name: string;
  readonly does: string;
  readonly trouble: Trouble;
  /** The validator that lies or ends; no load is brought to it, in the clean run neither. */
  readonly seat: number;
  /** The share of the clean rate that is to be left. */
  readonly wanted: number;
}

const wantedOfMembers = 0.8;
const wantedOfFloods = 0.5;
/** A seat that does not lead at first. */
const followerSeat = 3;

const cases: readonly Case[] = [
  ...strategies.map((strategy): Case => ({
    name: strategy,
    does: trials[strategy].does,
    trouble: { kind: 'lie', strategy },
    seat: trials[strategy].liar,
    wanted: wantedOfMembers,
  })),
  {
    name: 'crash',
    does: 'follower: is killed when the load begins',
    trouble: { kind: 'crash' },
    seat: followerSeat,
    wanted: wantedOfMembers,
  },
  {
    name: 'client-flood',
    does: 'client: batches of transactions with wrong signatures, to all nodes',
    trouble: { kind: 'attack', attack: 'http-forged-batches' },
    seat: followerSeat,
    wanted: wantedOfFloods,
  },
  {
    name: 'stranger-flood',
    does: 'stranger: gossip of wrong signatures, from many identities',
    trouble: { kind: 'attack', attack: 'frames-forged' },
    seat: followerSeat,
    wanted: wantedOfFloods,
  },
];

export const caseNames: readonly string[] = cases.map(({ name }) => name);

/** `all`, or names with commas between. */
export function parseCases(text: string): readonly Case[] {
  if (text.trim() === 'all') return cases;
  return text.split(',').map((part) => {
    const found = cases.find(({ name }) => name === part.trim());
    if (found === undefined) {
      throw new InvalidArgumentError(`Give "all", or some of: ${caseNames.join(', ')}.`);
    }
    return found;
  });
}
