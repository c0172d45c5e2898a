import { type CommandUnknownOpts, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { Problem } from '../base/problem.ts';
import { HttpClient } from '../client/http-client.ts';
import { wholeShapes } from '../client/whole-shapes.ts';
import { parseUrl } from './node-url.ts';

/** Where the first node of `quorate testnet` and a node with the default configuration serve their API. */
export const defaultApiPort = 4600;

export const jsonOption = new Option(
  '--json',
  'print nothing but JSON, for programs; problems and warnings too, on standard error',
);

export const nodeOption = new Option('--node <url>', 'address of a node’s API')
  .env('QUORATE_NODE')
  .default(`http://127.0.0.1:${defaultApiPort}`)
  .argParser((text) => parseUrl(text));

export const timeoutOption = new Option(
  '--timeout <seconds>',
  'how long to try to reach the node, retries included; 0 tries once',
)
  .default(10)
  .argParser(parseSeconds);

export const consistencyOption = new Option(
  '--consistency <kind>',
  'stale: the node’s own final state; linearizable: not older than anything acknowledged before; ' +
    'lease: the same and faster, as long as clocks run about alike (only where the chain gives leases)',
).choices(['stale', 'lease', 'linearizable'] as const);

export interface ConnectionOptions {
  readonly node: string;
  readonly timeout: number;
}

/**
 * The least time for one attempt, however short the whole deadline is. Less would only measure how busy the
 * machine is.
 */
const shortestAttemptMs = 2_000;

/** How long a node has for its answer to one request, at most. */
export function answerMsOf({ timeout }: Pick<ConnectionOptions, 'timeout'>): number {
  return timeout === 0 ? shortestAttemptMs : timeout * 1000;
}

export function connect({ node, timeout }: ConnectionOptions): HttpClient {
  const deadlineMs = timeout * 1000;
  return new HttpClient({
    baseUrl: node,
    deadlineMs,
    attemptMs: Math.max(deadlineMs, shortestAttemptMs),
    // Whatever is missing in an answer is the fault of whoever gave it, and told before it is shown.
    shapes: wholeShapes,
  });
}

export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || seconds > 86_400) {
    throw new InvalidArgumentError('Give seconds, from 0 to 86400.');
  }
  return seconds;
}

/** A parser of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,15}$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** The options of a command that stand on its line. */
export function givenOf(command: CommandUnknownOpts): readonly Option[] {
  return command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
}

/** Refuses options that were given and do nothing, because another one is missing. */
export function refuseInVain(
  command: CommandUnknownOpts,
  isThere: boolean,
  { without, options }: { readonly without: string; readonly options: readonly string[] },
): void {
  const given = givenOf(command).find((option) => options.includes(option.attributeName()));
  if (isThere || given === undefined) return;
  throw new Problem('cli/usage', `${given.long} does nothing without ${without}`, {
    remedy: `Give ${without} too, or leave ${given.long} out. Nothing was tried.`,
    details: { option: given.long ?? null },
  });
}

const maxAmount = 2n ** 64n - 1n;

/** An amount in the smallest unit; underscores may group its digits. */
export function parseAmount(text: string): bigint {
  const digits = text.replaceAll('_', '');
  if (!/^\d{1,20}$/.test(digits) || BigInt(digits) > maxAmount) {
    throw new InvalidArgumentError(`Give a whole number of the smallest unit, at most ${maxAmount}.`);
  }
  return BigInt(digits);
}
