import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { defaultExpiryAhead } from '../client/ledger-sending.ts';
import { type Height, toHeight } from '../ledger/block.ts';
import { parseAmount, wholeNumber } from './options.ts';

export type Expiry = { readonly ahead: number } | { readonly height: number };

export const fromOption = new Option(
  '--from <key>',
  'who signs: a stored key’s name, a key file, or a development name',
).makeOptionMandatory();

export const feeOption = new Option(
  '--fee <amount>',
  `paid to the block’s proposer, in the smallest unit; unless given what the chain asks for, from 1 to ${limits.unaskedFee} for each operation`,
).argParser(parseAmount);

export const nonceOption = new Option(
  '--nonce <n>',
  'the sender’s next nonce, when the node should not be asked for it',
).argParser(wholeNumber(0, 2 ** 48 - 1));

export const expiryOption = new Option(
  '--expiry <height>',
  `last height at which it may stand in a block; +N is N above the final block (at most +${limits.maxExpiryAhead})`,
)
  .default<Expiry>({ ahead: defaultExpiryAhead }, `+${defaultExpiryAhead}`)
  .argParser(parseExpiry);

export const waitOption = new Option(
  '--wait [seconds]',
  'wait until it is final, and show what came of it',
).argParser((text) => waitSeconds(text));

export const chainIdOption = new Option(
  '--chain-id <hash>',
  'refuse to sign unless the node is on this chain',
).argParser((text) => {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('Give 64 characters of lower-case hex.');
  return text;
});

export const defaultWaitSeconds = 30;

function waitSeconds(text: string): number {
  // Empty when the option came without a number (see `arguments.ts`).
  if (text === '') return defaultWaitSeconds;
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || seconds > 86_400) {
    throw new InvalidArgumentError('Give seconds, from 0 to 86400.');
  }
  return seconds;
}

/** The height that is meant, given the final height. An expiry height that is final already is refused. */
export function heightOf(expiry: Expiry, finalHeight: Height): Height {
  const height = toHeight('ahead' in expiry ? finalHeight + expiry.ahead : expiry.height);
  if (height > finalHeight) return height;
  throw new Problem('cli/usage', `height ${height} is no height to come: block ${finalHeight} is final`, {
    remedy: 'Write a later one, or how far it is above the final block: +N, from +1. Nothing was signed.',
    details: { height, finalHeight },
  });
}

/** A height, or how far it is above the final one. */
export function parseExpiry(text: string): Expiry {
  const relative = text.startsWith('+');
  const value = wholeNumber(
    0,
    relative ? limits.maxExpiryAhead : 2 ** 48 - 1,
  )(relative ? text.slice(1) : text);
  return relative ? { ahead: value } : { height: value };
}
