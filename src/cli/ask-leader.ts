import { Option } from '@commander-js/extra-typings';
import { isLoopback } from '../api/operator-guard.ts';
import { harmless } from '../base/harmless.ts';
import { limits } from '../base/limits.ts';
import { Problem, unwrap } from '../base/problem.ts';
import type { HttpClient } from '../client/http-client.ts';
import { parseApiUrl } from '../node/process/api-url.ts';
import { reportFailure } from './failure.ts';
import { connect, type ConnectionOptions } from './options.ts';
import { onInterrupt } from './signals.ts';
import { mayCountUnseen, notice } from './terminal.ts';
import { readTextFile } from './text-file.ts';

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
 * Whether a command may go on to another address without the operator's word (`--follow`): only from this
 * machine to this machine, and without a token. Anywhere else a node could send an operator's secret, or an
 * order meant for its own chain, wherever it likes.
 */
export function goesByItself(from: string, to: string, token: string | undefined): boolean {
  return token === undefined && [from, to].every((url) => isLoopback(new URL(url).hostname));
}

/** Asks a node for what only the leader can do, and when it names another leader, that one: once. */
export async function askLeader<T extends object>(
  options: LeaderOptions,
  ask: (client: HttpClient, token: string | undefined) => Promise<T | Problem>,
): Promise<{ readonly result: T; readonly client: HttpClient }> {
  const token = await tokenOf(options.tokenFile);
  const client = connect(options);
  onInterrupt(() => reportFailure(stoppedAsking()));
  mayCountUnseen();
  const result = await ask(client, token);
  if (!(result instanceof Problem)) return { result, client };
  const leader = leaderNamedIn(result);
  if (leader === undefined) throw leftOpen(result);
  if (options.follow !== true && !goesByItself(options.node, leader, token)) throw result;
  notice(`${options.node} does not lead. Asking ${harmless(leader)}.`);
  const next = connect({ ...options, node: leader });
  const followed = await ask(next, token);
  return { result: unwrap(followed instanceof Problem ? leftOpen(followed) : followed), client: next };
}

/** Where the question may have arrived, and no node's answer says what came of it. */
function leftOpen(problem: Problem): Problem {
  const { message, remedy, details } = problem;
  if (details['sent'] !== true) return problem;
  return problem.restated(`${message}; whether the change is made is unknown`, {
    remedy: `Look with "quorate members list" before you ask for it again. ${remedy}`,
    details: { ...details, outcome: 'unknown' },
    cause: problem,
  });
}

/** For somebody who stops waiting: the change may still be made. */
function stoppedAsking(): Problem {
  return new Problem('cli/interrupted', 'stopped while the leader was asked for a change', {
    remedy: 'It may have been made, or be made still. Look with "quorate members list".',
    details: { outcome: 'unknown' },
  });
}

function leaderNamedIn({ code, details: { leaderApi } }: Problem): string | undefined {
  return code === 'consensus/not-leader' && typeof leaderApi === 'string'
    ? parseApiUrl(leaderApi)
    : undefined;
}

/**
 * A token of the form that `operatorToken` in config.json may have. Every node would refuse any other, or no
 * header could carry it.
 */
const tokenShape = /^[\x21-\x7e]{1,128}$/;

async function tokenOf(file: string | undefined): Promise<string | undefined> {
  const source = file === undefined ? 'QUORATE_TOKEN' : file;
  const text =
    file === undefined
      ? process.env['QUORATE_TOKEN']
      : await readTextFile(file, {
          what: 'the token file',
          remedy: 'Check --token-file.',
          maxBytes: limits.secretFileBytes,
        });
  if (text === undefined) return undefined;
  const [line = ''] = text.replace(/^\ufeff/, '').split(/\r?\n/);
  if (tokenShape.test(line)) return line;
  const why = line === '' ? 'is empty' : 'holds spaces, or characters that are not ASCII';
  throw new Problem('cli/token', `${source} holds no operator’s token: its first line ${why}`, {
    remedy: 'Give the token as it stands under "operatorToken" in the node’s config.json, and nothing else.',
  });
}
