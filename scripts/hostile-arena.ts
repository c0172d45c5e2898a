import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Problem, unwrap } from '../src/base/problem.ts';
import { logFile } from '../src/cli/testnet/node-processes.ts';
import type { HttpClient } from '../src/client/http-client.ts';
import { readKeyFile } from '../src/crypto/keystore.ts';
import type { KeyPair } from '../src/crypto/keys.ts';
import { type Height, toHeight } from '../src/ledger/block.ts';
import { paths } from '../src/node/process/config.ts';
import { peerIdOf } from './attacker/identity.ts';
import { prepare } from './demo-prepare.ts';
import { allReady, eventually, type Running, type Seat, startSeats } from './malicious-seats.ts';

const seats = [0, 1, 2, 3];
const senders = 16;

/** A block as the measurements need it. */
export interface BlockMark {
  readonly at: number;
  readonly transactions: number;
  readonly view: number;
}

/** Four honest validators, each a process, ready and connected, with accounts that can pay. */
export class Arena {
  readonly running: Running;
  readonly senders: readonly KeyPair[];
  readonly pids: readonly number[];
  readonly #peerIds: ReadonlySet<string>;

  private constructor(running: Running, keyPairs: readonly KeyPair[]) {
    this.running = running;
    this.senders = keyPairs;
    const { nodes: members } = running.processes;
    this.pids = members.flatMap((member) => {
      const life = running.processes.life(member);
      return life?.state === 'running' ? life.pid : [];
    });
    this.#peerIds = new Set(
      members.map(({ directory }) =>
        peerIdOf(unwrap(readKeyFile(readFileSync(paths.nodeKey(directory), 'utf8'))).publicKey),
      ),
    );
  }

  static async open(options: {
    readonly name: string;
    readonly deadlineMs: number;
    readonly keep: boolean;
  }): Promise<Arena> {
    const { name, deadlineMs, keep } = options;
    const running = await startSeats({
      name,
      keep,
      seats: seats.map((validator): Seat => ({ name: `validator-${validator}`, validator })),
    });
    try {
      await allReady(running, seats, deadlineMs);
      await allLinked(running.clients, deadlineMs);
      const funded = await prepare({ clients: running.clients, count: senders, senders, deadlineMs });
      return new Arena(
        running,
        funded.senders.map(({ keyPair }) => keyPair),
      );
    } catch (error) {
      await running.stop();
      throw error;
    }
  }

  get genesisFile(): string {
    return paths.genesis(join(this.running.directory, 'validator-0'));
  }

  get nodes(): readonly { readonly peers: number; readonly api: number }[] {
    return this.running.processes.nodes.map(({ ports }) => ports);
  }

  /** The first client's, which was ready a moment ago. */
  get client(): HttpClient {
    const [client] = this.running.clients;
    if (client === undefined) throw new Error('there are no nodes');
    return client;
  }

  async height(): Promise<Height> {
    return unwrap(await this.client.status()).finalHeight;
  }

  /** The final blocks from a height on, by the timestamps that their proposers gave them. */
  async blocksFrom(height: Height): Promise<BlockMark[]> {
    const marks: BlockMark[] = [];
    for (let from = height; ; from = toHeight(height + marks.length)) {
      const { headers } = unwrap(await this.client.headers(from, { deadlineMs: 30_000 }));
      for (const { header, transactionCount } of headers) {
        marks.push({ at: header.timestamp, transactions: transactionCount, view: header.view });
      }
      if (headers.length === 0) return marks;
    }
  }

  /** Where each log ends now, in bytes. */
  logEnds(): readonly number[] {
    return this.running.processes.nodes.map((member) => statSync(logFile(member)).size);
  }

  /** How often a validator lost another one since then, by their own logs. */
  linksLost(since: readonly number[]): number {
    return this.running.processes.nodes.reduce((sum, member, index) => {
      const text = readFileSync(logFile(member)).subarray(since[index]).toString();
      const lost = text.split('\n').filter((one) => one.includes('"peer lost"') || one.includes('peer lost'));
      return sum + lost.filter((one) => [...this.#peerIds].some((id) => one.includes(id))).length;
    }, 0);
  }

  async close(): Promise<void> {
    await this.running.stop();
  }
}

/** Every validator is connected to every other one, by its own word. */
export async function allLinked(clients: readonly HttpClient[], deadlineMs: number): Promise<void> {
  for (const [node, client] of clients.entries()) {
    await eventually(`validator ${node} is connected to all others`, deadlineMs, async () => {
      const answer = await client.validators({ deadlineMs: 0 });
      if (answer instanceof Problem) return answer.message;
      const missing = answer.validators.filter(({ self, connected }) => !self && !connected);
      return missing.length === 0 ? undefined : `not to ${missing.map(({ index }) => index).join(', ')}`;
    });
  }
}
