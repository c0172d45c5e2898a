import { readFileSync } from 'node:fs';
import { Option } from '@commander-js/extra-typings';
import { isLoopback } from '../api/operator-guard.ts';
import { Problem, unwrap } from '../base/problem.ts';
import type { HttpClient } from '../client/http-client.ts';
import { parseApiUrl } from '../node/process/api-url.ts';
import { connect, type ConnectionOptions } from './options.ts';
import { harmless, printError } from './terminal.ts';

export const tokenFileOption = new Option(
  '--token-file <file>',
  'the operator’s token of that node is this file’s first line; otherwise QUORATE_TOKEN; none is needed on the node’s own machine',
);

export const followOption = new Option(
  '--follow',
  'when another node leads, ask that one, at the address that this one names, and with the same token',
);

interface LeaderOptions extends ConnectionOptions {
  readonly tokenFile?: string | undefined;
  readonly follow?: true | undefined;
  readonly json?: true | undefined;
}

/**
 * Whether a command may go on to another address without the operator's word (`--follow`): only from this machine to this machine,
 * and without a token. Anywhere else a node could send an operator's secret, or an order meant for its own chain, wherever it likes.
 */
export function goesByItself(from: string, to: string, token: string | undefined): boolean {
  return token === undefined && [from, to].every((url) => isLoopback(new URL(url).hostname));
}

/** Asks a node for what only the leader can do, and when it names another leader, that one: once. */
export async function askLeader<T extends object>(
  options: LeaderOptions,
  ask: (client: HttpClient, token: string | undefined) => Promise<T | Problem>,
): Promise<{ readonly result: T; readonly client: HttpClient }> {
  const token = tokenOf(options.tokenFile);
  const client = connect(options);
  const result = await ask(client, token);
  if (!(result instanceof Problem)) return { result, client };
  const leader = leaderNamedIn(result);
  if (leader === undefined) throw result;
  if (options.follow !== true && !goesByItself(options.node, leader, token)) throw result;
  if (options.json !== true) printError(`${options.node} does not lead. Asking ${harmless(leader)}.`);
  const next = connect({ ...options, node: leader });
  return { result: unwrap(await ask(next, token)), client: next };
}

function leaderNamedIn({ code, details: { leaderApi } }: Problem): string | undefined {
  return code === 'consensus/not-leader' && typeof leaderApi === 'string'
    ? parseApiUrl(leaderApi)
    : undefined;
}

function tokenOf(file: string | undefined): string | undefined {
  if (file === undefined) return process.env['QUORATE_TOKEN'];
  try {
    return readFileSync(file, 'utf8').split('\n')[0]?.trim();
  } catch (cause) {
    throw new Problem('cli/file', `${file} cannot be read: ${(cause as Error).message}`, {
      remedy: 'Check --token-file.',
      cause,
    });
  }
}
