import { Problem, unwrap } from '../../base/problem.ts';
import { HttpClient } from '../../client/http-client.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { Height } from '../../ledger/block.ts';
import type { EngineName } from '../../ledger/engine-names.ts';
import type { Strategy } from '../byzantine-strategies.ts';
import { NodeProcesses, logTail } from '../testnet/node-processes.ts';
import { developmentGenesis } from '../testnet/development-genesis.ts';
import { choosePorts } from '../testnet/ports.ts';
import { prepareNodes } from '../testnet/prepare-nodes.ts';
import { waitUntil } from './clock.ts';
import { lasting, temporaryDirectory } from '../temporary-directory.ts';

export interface BenchNode {
  readonly index: number;
  readonly name: string;
  readonly url: string;
  readonly client: HttpClient;
  /** Of a process that was started here. */
  readonly pid?: number | undefined;
  readonly directory?: string | undefined;
  readonly peerPort?: number | undefined;
  /** Nothing is asked of it, and nothing brought to it. */
  readonly lies: boolean;
}

/** The nodes that are measured: processes that were started here, or others that run already. */
export interface Testbed {
  readonly engine: EngineName;
  readonly chainId: Hash;
  readonly chainName: string;
  readonly nodes: readonly BenchNode[];
  /** Nodes that ended and that nobody stopped, by their index, and how. */
  readonly ended: ReadonlyMap<number, string>;
  /** How many lies a node told, by its own count. */
  lies(node: number): number;
  /** Stops a process in its place, lets it go on, or ends it; only where it was started here. */
  signal(node: number, name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void;
  /** Stops what was started, and removes its data. */
  close(): Promise<void>;
}

const readyMs = 90_000;
/** Nodes that run already answer in this time. */
const attachMs = 10_000;
/** A node that stands still is given up by whoever brings load to it, and asked again by whoever needs it. */
const patience = { attemptMs: 5_000, deadlineMs: 60_000 };

/** One process for each validator, on free ports, ready. Throws problems. */
export async function startTestbed(options: {
  readonly engine: EngineName;
  readonly nodes?: number | undefined;
  readonly byzantine?: ReadonlyMap<number, Strategy> | undefined;
  /** Where the data and logs of the nodes stay. Without it they are removed in the end. */
  readonly keptIn?: string | undefined;
  readonly stop: AbortSignal;
}): Promise<Testbed> {
  const { engine, byzantine = new Map<number, Strategy>(), keptIn, stop } = options;
  const genesis = developmentGenesis(engine, options.nodes);
  const directory = keptIn === undefined ? temporaryDirectory('bench') : lasting(keptIn);
  const ended = new Map<number, string>();
  let processes: NodeProcesses | undefined;
  const close = async (): Promise<void> => {
    for (const { pid } of nodesOf(processes)) if (pid !== undefined) signalProcess(pid, 'SIGCONT');
    await processes?.stop();
    directory.remove();
  };
  try {
    const ports = await choosePorts(0, genesis.validators.length);
    const members = await prepareNodes({ directory: directory.path, genesis, ports, byzantine });
    processes = new NodeProcesses(members, (member, how) => {
      ended.set(member.index, [how, ...logTail(member, 3)].join('\n    '));
    });
    processes.start();
    const started = processes;
    const testbed: Testbed = {
      engine,
      chainId: genesis.chainId,
      chainName: genesis.name,
      nodes: nodesOf(started),
      ended,
      lies: (node) =>
        members.filter(({ index }) => index === node).reduce((sum, one) => sum + started.lies(one), 0),
      signal: (node, name) => {
        const life = members[node] === undefined ? undefined : started.life(members[node]);
        if (life?.state === 'running') signalProcess(life.pid, name);
      },
      close,
    };
    await allReady(testbed, stop);
    return testbed;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Nodes that somebody else runs. Throws a problem when one does not answer, or is of another chain. */
export async function attach(urls: readonly string[]): Promise<Testbed> {
  const clients = urls.map((baseUrl) => new HttpClient({ baseUrl, ...patience }));
  const statuses = await Promise.all(
    clients.map(async (client) => unwrap(await client.status({ deadlineMs: attachMs }))),
  );
  const [first] = statuses;
  if (first === undefined)
    throw new Problem('cli/usage', 'no node is named', { remedy: 'Name one with --nodes.' });
  const { engine, chainId, chainName, development } = first;
  const other = statuses.findIndex((status) => status.chainId !== chainId);
  if (other >= 0) {
    throw new Problem('cli/other-chain', `${urls[other]} is on another chain than ${urls[0]}`, {
      remedy: 'Name the nodes of one chain with --nodes.',
      details: { found: statuses[other]?.chainId ?? null, wanted: chainId },
    });
  }
  if (!development) {
    throw new Problem('cli/development-key', `${chainName} is not a development chain`, {
      remedy: 'Run it against a test network: the load is paid from what everybody can spend there.',
    });
  }
  const nodes = clients.map((client, index): BenchNode => ({
    index,
    name:
      statuses[index]?.validator === null
        ? `observer-${index}`
        : `validator-${statuses[index]?.validator?.index ?? index}`,
    url: client.baseUrl,
    client,
    lies: false,
  }));
  return {
    engine,
    chainId,
    chainName,
    nodes,
    ended: new Map(),
    lies: () => 0,
    signal: () => {
      throw notOurs('processes that were not started here are not stopped');
    },
    close: async () => {},
  };
}

/** What cannot be asked for of nodes that somebody else runs. */
export function notOurs(why: string): Problem {
  return new Problem('cli/usage', why, {
    remedy: 'Let the benchmark start its own nodes: leave --nodes out, or give a number.',
  });
}

function nodesOf(processes: NodeProcesses | undefined): BenchNode[] {
  return (processes?.nodes ?? []).map((member) => {
    const life = processes?.life(member);
    return {
      index: member.index,
      name: member.name,
      url: member.apiUrl,
      client: new HttpClient({ baseUrl: member.apiUrl, ...patience }),
      pid: life?.state === 'running' ? life.pid : undefined,
      directory: member.directory,
      peerPort: member.ports.peers,
      lies: member.byzantine !== undefined,
    };
  });
}

function signalProcess(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended a moment ago.
  }
}

/** Waits until a node has the final block of a height. Throws a problem past the deadline. */
export async function reaches(
  { name, client }: BenchNode,
  height: Height,
  patient: { readonly deadlineMs: number; readonly stop: AbortSignal },
): Promise<void> {
  await waitUntil({
    what: `${name} is not at height ${height}`,
    ...patient,
    missing: async () => {
      const status = await client.status({ deadlineMs: 0 });
      if (status instanceof Problem) return status.message;
      return status.finalHeight >= height ? undefined : `it is at ${status.finalHeight}`;
    },
  });
}

/** Who leads, as a node tells; null when it does not. */
export async function primaryOf([node]: readonly BenchNode[]): Promise<number | null> {
  const answer = await node?.client.status();
  return answer === undefined || answer instanceof Problem ? null : answer.primary;
}

async function allReady({ nodes, ended }: Testbed, stop: AbortSignal): Promise<void> {
  for (const { index, name, client, lies } of nodes) {
    if (lies) continue;
    await waitUntil({
      what: `${name} is not ready`,
      deadlineMs: readyMs,
      stop,
      missing: async () => {
        const end = ended.get(index);
        if (end !== undefined) {
          throw new Problem('cli/testnet-start', `${name} ended before the network was ready: ${end}`, {
            remedy: 'Run it again with --keep, and look at the node.log in its data directory.',
            details: { node: index },
          });
        }
        const answer = await client.ready({ deadlineMs: 0 });
        return answer instanceof Problem ? answer.message : undefined;
      },
    });
  }
}
