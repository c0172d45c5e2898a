import { lasting, newDirectory, temporaryDirectory } from '../src/cli/temporary-directory.ts';
import { join } from 'node:path';
import { Problem } from '../src/base/problem.ts';
import type { Strategy } from '../src/cli/byzantine-strategies.ts';
import { NodeProcesses, logTail, type TestnetNode } from '../src/cli/testnet/node-processes.ts';
import { choosePorts } from '../src/cli/testnet/ports.ts';
import { forPrograms, print, toJson } from '../src/cli/terminal.ts';
import { HttpClient } from '../src/client/http-client.ts';
import { developmentKeyPair } from '../src/crypto/development-keys.ts';
import { encryptKey } from '../src/crypto/keystore.ts';
import { developmentGenesis, developmentPbft, developmentRaft } from '../src/ledger/development-genesis.ts';
import { formatGenesis, type Genesis } from '../src/ledger/genesis.ts';
import { initDirectory } from '../src/node/process/config.ts';

/** A process to run: which validator's key it has, how it lies, and which seats it dials. */
export interface Seat {
  readonly name: string;
  readonly validator: number;
  readonly byzantine?: Strategy | undefined;
  /** Numbers of seats; all others when absent. */
  readonly dials?: readonly number[];
}

export interface Running {
  readonly processes: NodeProcesses;
  readonly genesis: Genesis;
  /** Where the seats have their data and logs. */
  readonly directory: string;
  /** By seat. A call tries again for some seconds before it gives up. */
  readonly clients: readonly HttpClient[];
  /** Seats whose process ended by itself, and how. */
  readonly ended: ReadonlyMap<number, string>;
  /** Stops everything, and removes the data unless it is to be kept. */
  stop(): Promise<void>;
}

/** A port that stands for another's peer port: the door of a link that can be cut. */
export type Door = (from: number, to: number, port: number) => Promise<number>;

const host = '127.0.0.1';

/** Clocks that let a test see a view change without a long wait, and no election on a machine that is merely busy. */
const consensusOf = {
  pbft: { ...developmentPbft, censorshipMs: 4_000 },
  raft: { ...developmentRaft, electionTimeoutMs: 2_000 },
};

export function testGenesis(
  name: string,
  {
    engine = 'pbft',
    validators = 4,
  }: { readonly engine?: 'pbft' | 'raft'; readonly validators?: number } = {},
): Genesis {
  return developmentGenesis({ name, validators, consensus: consensusOf[engine] });
}

/** Starts one process for each seat, each with a data directory of its own. */
export async function startSeats(options: {
  readonly name: string;
  readonly seats: readonly Seat[];
  /** `testGenesis(name)` unless told. */
  readonly genesis?: Genesis;
  readonly door?: Door;
  /** The data and logs of the nodes stay, and it is said where. */
  readonly keep?: boolean;
}): Promise<Running> {
  const { name, seats, keep = false, door = async (_from, _to, port) => port } = options;
  const { genesis = testGenesis(name) } = options;
  const place = keep ? lasting(newDirectory(name)) : temporaryDirectory(name);
  const directory = place.path;
  if (keep) print(forPrograms ? toJson({ event: 'kept', directory }) : `Data and logs: ${directory}`);
  const { remove } = place;
  try {
    const ports = await choosePorts(0, seats.length);
    const members: TestnetNode[] = [];
    for (const [index, seat] of seats.entries()) {
      const own = ports[index] ?? { api: 0, peers: 0 };
      const dials = seat.dials ?? [...seats.keys()].filter((other) => other !== index);
      const peers = await Promise.all(
        dials.map(async (to) => `/ip4/${host}/tcp/${await door(index, to, ports[to]?.peers ?? 0)}`),
      );
      const member = { index, name: seat.name, directory: join(directory, seat.name), ports: own };
      const validator = `validator-${seat.validator}`;
      await initDirectory({
        directory: member.directory,
        config: {
          name: seat.name,
          role: 'validator',
          listen: [`/ip4/${host}/tcp/${own.peers}`],
          peers,
          api: { host, port: own.api },
          log: 'info',
        },
        genesis: formatGenesis(genesis),
        validatorKeyFile: encryptKey(developmentKeyPair(validator), undefined, { name: validator }),
      });
      const { byzantine } = seat;
      members.push({
        ...member,
        apiUrl: `http://${host}:${own.api}`,
        ...(byzantine === undefined ? {} : { byzantine }),
      });
    }
    const ended = new Map<number, string>();
    const processes = new NodeProcesses(members, (member, how) => {
      ended.set(member.index, [how, ...logTail(member, 2)].join('\n    '));
    });
    const clients = members.map(({ apiUrl }) => new HttpClient({ baseUrl: apiUrl, attemptMs: 5_000 }));
    processes.start();
    const stop = async (): Promise<void> => {
      await processes.stop();
      remove();
    };
    return { processes, genesis, directory, clients, ended, stop };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Waits until each of these seats says that it is ready. */
export async function allReady(
  { clients, ended }: Running,
  seats: readonly number[],
  deadlineMs: number,
): Promise<void> {
  for (const seat of seats) {
    const client = clients[seat];
    await eventually(`node ${seat} is ready`, deadlineMs, async () => {
      const end = ended.get(seat);
      if (end !== undefined) throw broken(`node ${seat} ended before it was ready: ${end}`);
      const answer = await client?.ready({ deadlineMs: 0 });
      return answer instanceof Problem ? answer.message : undefined;
    });
  }
}

/** Asks again until the answer is undefined; an answer says what is still missing. */
export async function eventually(
  what: string,
  deadlineMs: number,
  missing: () => Promise<string | undefined>,
): Promise<void> {
  const until = performance.now() + deadlineMs;
  for (;;) {
    const reason = await missing();
    if (reason === undefined) return;
    if (performance.now() > until) {
      throw broken(`waited ${Math.round(deadlineMs / 1000)} s in vain until ${what}: ${reason}`);
    }
    await pause(100);
  }
}

/** A promise of the protocol that did not hold. */
export function broken(message: string): Problem {
  return new Problem('simulator/promise-broken', message, {
    remedy: 'Run it again with --keep, and look at the log of each node.',
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Stops a process in its place, and lets it go on; it notices nothing but the clock. */
export function signal({ processes }: Running, seat: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  const member = processes.nodes[seat];
  const life = member === undefined ? undefined : processes.life(member);
  if (life?.state === 'running') process.kill(life.pid, name);
}
