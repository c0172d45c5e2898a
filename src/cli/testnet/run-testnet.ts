import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../../base/problem.ts';
import type { EngineName } from '../../ledger/engine-names.ts';
import { maxFaulty } from '../../ledger/quorum.ts';
import type { Strategy } from '../byzantine-strategies.ts';
import { defaultApiPort } from '../options.ts';
import { shellWord } from '../shell-word.ts';
import { stopOnSignals } from '../signals.ts';
import { lasting, temporaryDirectory } from '../temporary-directory.ts';
import { print, styled, surviveClosedOutput, table, toJson } from '../terminal.ts';
import { buildExplorer } from '../build-explorer.ts';
import { NodeProcesses, logFile, logTail, type TestnetNode } from './node-processes.ts';
import { developmentGenesis } from './development-genesis.ts';
import { choosePorts } from './ports.ts';
import { prepareNodes } from './prepare-nodes.ts';
import { type NotReady, Readiness } from './readiness.ts';
import { secondLine, Overview } from './overview.ts';

interface TestnetOptions {
  readonly nodes?: number | undefined;
  readonly engine: EngineName;
  readonly byzantine?: ReadonlyMap<number, Strategy> | undefined;
  readonly data?: string | undefined;
  readonly basePort: number;
  readonly json?: true | undefined;
}

const readyDeadlineMs = 90_000;
const readyPauseMs = 150;
/** The nodes have their own deadline (see `node-processes.ts`); then their data is removed. */
const stopDeadlineMs = 30_000;
const secondMs = 1_000;

/**
 * Runs the network until a signal comes, then stops every node. A node that dies is
 * reported, and the others go on.
 */
export async function runTestnet(options: TestnetOptions): Promise<void> {
  surviveClosedOutput();
  const stop = stopOnSignals(stopDeadlineMs);
  const { engine, json } = options;
  const say = (event: object, text: () => string): void => print(json === true ? toJson(event) : text());

  // Without it the network is as good; its nodes say how to build it.
  await buildExplorer().catch((failure: Error) =>
    say({ event: 'no-explorer', why: failure.message }, () =>
      styled('yellow', `The explorer could not be built: ${failure.message}`),
    ),
  );
  const genesis = developmentGenesis(engine, options.nodes);
  checkByzantine(options, genesis.validators.length);
  const ports = await choosePorts(options.basePort, genesis.validators.length);
  const temporary = options.data === undefined;
  const place = temporary ? temporaryDirectory('testnet') : lasting(resolve(options.data));
  const directory = place.path;
  try {
    const { byzantine } = options;
    const members = await prepareNodes({ directory, genesis, ports, byzantine });
    const processes = new NodeProcesses(members, (member, how) =>
      say({ event: 'ended', node: member.index, name: member.name, how }, () => endedText(member, how)),
    );
    const about = { engine, chainId: genesis.chainId, directory, temporary };
    const liars = members.filter((member) => member.byzantine !== undefined);
    const lying = liars.map(({ index, byzantine: strategy }) => ({ node: index, strategy }));
    say({ event: 'starting', ...about, nodes: members.length, byzantine: lying }, () =>
      [
        `Starting ${members.length} nodes (${engine}) of chain ${genesis.name}, ${genesis.chainId.slice(0, 16)}…`,
        ...liars.map((one) => styled('yellow', `${one.name} lies: ${one.byzantine}.`)),
        `Data: ${directory}${temporary ? ' (removed at the end; --data DIR keeps it)' : ''}`,
      ].join('\n'),
    );
    processes.start();
    try {
      await watchUntil(stop, { processes, say, engine });
    } finally {
      const { forced } = await processes.stop();
      const names = forced.map(({ name }) => name);
      say({ event: 'stopped', forced: names }, () =>
        names.length === 0 ? 'All nodes stopped.' : `All nodes stopped; forced: ${names.join(', ')}.`,
      );
    }
  } finally {
    place.remove();
  }
}

function checkByzantine({ engine, byzantine = new Map() }: TestnetOptions, nodes: number): void {
  if (byzantine.size === 0) return;
  if (engine !== 'pbft') {
    throw new Problem('cli/byzantine', 'only a validator of a PBFT chain can be made to lie', {
      remedy: 'Use --engine pbft: Raft does not claim to withstand liars.',
    });
  }
  const missing = [...byzantine.keys()].find((node) => node >= nodes);
  if (missing === undefined) return;
  throw new Problem('cli/byzantine', `there is no node ${missing}: they are 0 to ${nodes - 1}`, {
    remedy: 'Name one of them in --byzantine, or ask for more with --nodes.',
    details: { node: missing, nodes },
  });
}

async function watchUntil(
  stop: AbortSignal,
  context: {
    readonly processes: NodeProcesses;
    readonly say: (event: object, text: () => string) => void;
    readonly engine: EngineName;
  },
): Promise<void> {
  const { processes, say, engine } = context;
  const overview = new Overview(processes.nodes);

  const ready = await becomeReady({ processes, overview, stop });
  if (ready === undefined) return;
  const silent = ready.missing.map(({ node }) => node);
  const nodes = processes.nodes.map((member) => {
    const life = processes.life(member);
    const pid = life?.state === 'running' ? life.pid : null;
    return { node: member.index, name: member.name, api: member.apiUrl, pid, data: member.directory };
  });
  const notVoting = silent.length === 0 ? {} : { notVoting: silent.map(({ index }) => index) };
  say({ event: 'ready', nodes, ...notVoting }, () => readyText(processes.nodes, silent));
  while (!stop.aborted) {
    const begin = performance.now();
    const second = await overview.look();
    if (stop.aborted) break;
    say({ event: 'second', ...second }, () => secondLine(second, engine, new Date()));
    await pause(Math.max(0, secondMs - (performance.now() - begin)), stop);
  }
}

/**
 * Resolves when the nodes are ready, with those that do not vote yet, or nothing when a signal came first.
 * Others that do not get there are a problem.
 */
async function becomeReady(context: {
  readonly processes: NodeProcesses;
  readonly overview: Overview;
  readonly stop: AbortSignal;
}): Promise<{ readonly missing: readonly NotReady[] } | undefined> {
  const { processes, overview, stop } = context;
  const until = performance.now() + readyDeadlineMs;
  const { nodes } = processes;
  const liars = nodes.filter(({ byzantine }) => byzantine !== undefined).length;
  // Of a liar nothing is expected; with too many of them it is enough that the others answer.
  const readiness = new Readiness(maxFaulty(nodes.length) - liars, () => performance.now());
  const isExpected = ({ node, problem }: NotReady): boolean =>
    node.byzantine === undefined && (liars <= maxFaulty(nodes.length) || problem.code.startsWith('api/'));
  while (!stop.aborted) {
    const dead = nodes.find((node) => processes.life(node)?.state === 'ended');
    const missing = (await overview.notReady()).filter((one) => isExpected(one));
    if (stop.aborted) return undefined;
    if (readiness.isReached(missing)) return { missing };
    if (dead !== undefined) {
      throw new Problem('cli/testnet-start', `${dead.name} ended before the network was ready`, {
        remedy: `The end of its log is above; with --data DIR all of it is kept, in DIR/${dead.name}/node.log.`,
        details: { node: dead.index, data: dead.directory },
      });
    }
    if (performance.now() > until) {
      const [first] = missing;
      throw new Problem(
        'cli/testnet-start',
        `${missing.map(({ node }) => node.name).join(', ')} not ready after ${readyDeadlineMs / 1000} s: ${first?.problem.message}`,
        { remedy: `Look at ${first === undefined ? 'the logs' : logFile(first.node)}.` },
      );
    }
    await pause(readyPauseMs, stop);
  }
  return undefined;
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(() => {});
}

function readyText(members: readonly TestnetNode[], silent: readonly TestnetNode[]): string {
  const usual = members.every(({ index, ports }) => ports.api === defaultApiPort + 2 * index);
  const node = usual ? '' : ` --node ${members[0]?.apiUrl}`;
  const nodes = usual ? '' : ` -- --nodes ${members.map(({ apiUrl }) => apiUrl).join(',')}`;
  const liars = members.filter(({ byzantine }) => byzantine !== undefined).length;
  const honest = members.length - liars;
  const head =
    liars <= maxFaulty(members.length)
      ? styled(
          'green',
          silent.length > 0
            ? `${honest - silent.length} of ${members.length} nodes are ready.`
            : liars === 0
              ? `All ${honest} nodes are ready.`
              : `The ${honest} honest nodes are ready.`,
        )
      : styled('yellow', `${liars} of ${members.length} nodes lie: nothing is promised.`);
  return [
    '',
    head,
    ...silent.map(({ name, apiUrl }) =>
      styled(
        'yellow',
        `${name} does not know what its key signed before, and votes again some blocks later: npm run quorate -- why --node ${apiUrl}`,
      ),
    ),
    table(
      ['node', 'API', 'data'],
      members.map((member) => [
        member.name + (member.byzantine === undefined ? '' : ` (${member.byzantine})`),
        member.apiUrl,
        member.directory,
      ]),
    ),
    '',
    `See it: ${members[0]?.apiUrl}/`,
    '',
    'Try, in another terminal:',
    `  npm run quorate -- tx transfer bob 100 --from alice --wait${node}`,
    `  npm run demo${nodes}`,
    'Ctrl-C stops all.',
    '',
  ].join('\n');
}

function endedText(member: TestnetNode, how: string): string {
  return [
    styled('red', `${member.name} ${how}. The others go on.`),
    ...logTail(member, 14).map((line) => `    ${line}`),
    `  Start it again with: npm run quorate -- start --data ${shellWord(member.directory)}`,
  ].join('\n');
}
