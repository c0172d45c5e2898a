import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { HttpClient } from '../../src/client/http-client.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { encryptKey } from '../../src/crypto/keystore.ts';
import { formatGenesis, type Genesis } from '../../src/ledger/genesis.ts';
import { initDirectory, type NodeConfig } from '../../src/node/process/config.ts';
import { silentLog } from '../../src/node/process/log.ts';
import { type RunningNode, startNode, type StartNodeOptions } from '../../src/node/node.ts';
import { eventually } from '../support/eventually.ts';

/** Nodes of one chain over real connections, each with its own directory and API, for one test. */
export class Nodes {
  readonly running = new Map<number, RunningNode>();
  readonly #genesis: Genesis;
  readonly #configured: Partial<NodeConfig>;
  readonly #root = mkdtempSync(join(tmpdir(), 'quorate-nodes-'));
  readonly #made = new Set<number>();

  constructor(t: TestContext, genesis: Genesis, configured: Partial<NodeConfig> = {}) {
    this.#genesis = genesis;
    this.#configured = configured;
    t.after(() => this.end());
  }

  async end(): Promise<void> {
    await Promise.all([...this.running.values()].map((node) => node.stop()));
    await rm(this.#root, { recursive: true, force: true });
  }

  /** With the key of `validator-${index}`; it connects to all that run. */
  async start(index: number, options: Pick<StartNodeOptions, 'newestProtocolVersion'> = {}): Promise<void> {
    const directory = this.#directory(index);
    if (!this.#made.has(index)) await this.#make(index, directory);
    const peers = [...this.running.values()].flatMap(({ addresses }) => addresses);
    const node = await startNode({ directory, override: { peers }, log: silentLog, ...options });
    this.running.set(index, node);
  }

  /**
   * Before a chain's first transaction: a validator that first hears of a chain that runs already, with a key
   * that it has never used, must take itself for one that lost its log, and is silent for 2W blocks.
   */
  async allReady(): Promise<void> {
    for (const index of this.running.keys()) {
      await eventually(
        `node ${index} is ready`,
        async () => !((await this.client(index).ready()) instanceof Problem),
      );
    }
  }

  async stop(index: number): Promise<void> {
    await this.running.get(index)?.stop();
    this.running.delete(index);
  }

  /** Copies all that a node has on its disk, its key and its notes too; puts that back when called. */
  copy(index: number): () => void {
    const directory = this.#directory(index);
    const kept = `${directory}-copy`;
    cpSync(directory, kept, { recursive: true });
    return () => {
      rmSync(directory, { recursive: true });
      cpSync(kept, directory, { recursive: true });
    };
  }

  node(index: number): RunningNode {
    const node = this.running.get(index);
    assert.ok(node, `node ${index} runs`);
    return node;
  }

  client(index: number, deadlineMs = 60_000): HttpClient {
    return new HttpClient({ baseUrl: this.node(index).apiAddress, deadlineMs });
  }

  #directory(index: number): string {
    return join(this.#root, `node-${index}`);
  }

  async #make(index: number, directory: string): Promise<void> {
    const name = `validator-${index}`;
    const config: NodeConfig = {
      name,
      role: 'validator',
      listen: ['/ip4/127.0.0.1/tcp/0'],
      peers: [],
      api: { host: '127.0.0.1', port: 0 },
      log: 'silent',
      ...this.#configured,
    };
    const cost = { n: 1_024, r: 8, p: 1 };
    const validatorKeyFile = encryptKey(developmentKeyPair(name), undefined, { name, cost });
    await initDirectory({ directory, config, genesis: formatGenesis(this.#genesis), validatorKeyFile });
    this.#made.add(index);
  }
}
