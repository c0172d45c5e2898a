import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../../base/problem.ts';
import { developmentKeyPair } from '../../crypto/development-keys.ts';
import { encryptKey } from '../../crypto/keystore.ts';
import { formatGenesis, type Genesis } from '../../ledger/genesis.ts';
import { initDirectory, loadConfig, type NodeConfig, paths } from '../../node/process/config.ts';
import { writeDurably } from '../../node/process/durable-file.ts';
import type { Strategy } from '../byzantine-strategies.ts';
import type { TestnetNode } from './node-processes.ts';
import type { NodePorts } from './ports.ts';

const host = '127.0.0.1';

/**
 * A data directory for each validator, below one directory. Those that are there from an earlier run go on
 * with their chain, on the ports of this run, and with everything else that their `config.json` says;
 * another chain's are a problem.
 */
export async function prepareNodes(options: {
  readonly directory: string;
  readonly genesis: Genesis;
  readonly ports: readonly NodePorts[];
  /** Who lies, and how. */
  readonly byzantine?: ReadonlyMap<number, Strategy> | undefined;
}): Promise<TestnetNode[]> {
  const { directory, genesis, ports, byzantine } = options;
  const nodes = ports.map((own, index): TestnetNode => {
    const name = genesis.validators[index]?.name ?? `validator-${index}`;
    const apiUrl = `http://${host}:${own.api}`;
    const lie = byzantine?.get(index);
    return {
      index,
      name,
      directory: join(directory, name),
      ports: own,
      apiUrl,
      ...(lie === undefined ? {} : { byzantine: lie }),
    };
  });
  const found = await Promise.all(nodes.map((node) => configThere(node, genesis)));
  const before = new Set([...found.flatMap((config) => config?.listen ?? []), ...ofTheMissing(found)]);
  for (const node of nodes) {
    const { name, directory } = node;
    const fresh: NodeConfig = {
      name,
      role: 'validator',
      listen: [peerAddress(node)],
      peers: nodes.filter((one) => one !== node).map(peerAddress),
      api: { host, port: node.ports.api, advertise: node.apiUrl },
      log: 'info',
    };
    const there = found[node.index];
    if (there !== undefined) await writeConfig(directory, onNewPorts(there, fresh, before));
    else {
      const validatorKeyFile = encryptKey(developmentKeyPair(name), undefined, { name });
      await initDirectory({ directory, config: fresh, genesis: formatGenesis(genesis), validatorKeyFile });
    }
  }
  // Where one has nothing beside others that have, its database was lost, and its key was used.
  const firstUse = !nodes.some(({ directory }) => wasStarted(directory));
  return nodes.map((node) => ({ ...node, firstUse }));
}

function wasStarted(directory: string): boolean {
  return existsSync(paths.usedKey(directory, 'validator')) || existsSync(paths.database(directory));
}

/** Of an earlier run of the same chain; undefined when there was none. */
async function configThere(node: TestnetNode, genesis: Genesis): Promise<NodeConfig | undefined> {
  if (!existsSync(paths.config(node.directory))) return undefined;
  const found = await loadConfig(node.directory);
  if (found.genesis.chainId === genesis.chainId) return found.config;
  const { name, validators, consensus } = found.genesis;
  const isOtherwiseTheSame =
    validators.length === genesis.validators.length && consensus.engine === genesis.consensus.engine;
  throw new Problem(
    'cli/testnet-other',
    `${node.directory} belongs to another chain: ${name}, ${validators.length} validators, ${consensus.engine}`,
    {
      remedy: isOtherwiseTheSame
        ? 'Name another directory with --data, or take this one away when nobody needs it any more: another version of the program made it.'
        : `Use --nodes ${validators.length} --engine ${consensus.engine}, or another directory with --data.`,
      details: { data: node.directory, found: found.genesis.chainId, wanted: genesis.chainId },
    },
  );
}

/**
 * What follows from the ports is as in `fresh`; the rest stays, and so do addresses that were added.
 * `before`: where the nodes listened.
 */
function onNewPorts(there: NodeConfig, fresh: NodeConfig, before: ReadonlySet<string>): NodeConfig {
  const { api } = there;
  const isOurs = api.advertise === undefined || api.advertise === `http://${host}:${api.port}`;
  return {
    ...there,
    listen: [...new Set([...fresh.listen, ...there.listen.slice(1)])],
    peers: [...new Set([...fresh.peers, ...there.peers.filter((peer) => !before.has(peer))])],
    api: {
      ...api,
      port: fresh.api.port,
      advertise: isOurs ? fresh.api.advertise : api.advertise,
    },
  };
}

/** Where those whose directories are gone listened: the others name them first, before what was added. */
function ofTheMissing(found: readonly (NodeConfig | undefined)[]): readonly string[] {
  const there = found.filter((config) => config !== undefined);
  const [first, ...rest] = there.map(({ peers }) => peers.slice(0, found.length - 1));
  if (first === undefined || there.length === found.length) return [];
  return first.filter((address) => rest.every((peers) => peers.includes(address)));
}

function writeConfig(directory: string, config: NodeConfig): Promise<void> {
  return writeDurably(paths.config(directory), `${JSON.stringify(config, null, 2)}\n`);
}

function peerAddress({ ports }: TestnetNode): string {
  return `/ip4/${host}/tcp/${ports.peers}`;
}
