import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../../base/problem.ts';
import { developmentKeyPair } from '../../crypto/development-keys.ts';
import { encryptKey } from '../../crypto/keystore.ts';
import { formatGenesis, type Genesis } from '../../ledger/genesis.ts';
import { initDirectory, loadConfig, type NodeConfig, paths } from '../../node/config.ts';
import { writeDurably } from '../../node/durable-file.ts';
import type { Strategy } from '../byzantine-strategies.ts';
import type { Member } from './cluster.ts';
import type { NodePorts } from './ports.ts';

const host = '127.0.0.1';

/**
 * A data directory for each validator, below one directory. Those that are there from an earlier run go on with their chain, on
 * the ports of this run; another chain's are a problem.
 */
export async function prepareMembers(options: {
  readonly directory: string;
  readonly genesis: Genesis;
  readonly ports: readonly NodePorts[];
  /** Who lies, and how. */
  readonly byzantine?: ReadonlyMap<number, Strategy> | undefined;
}): Promise<Member[]> {
  const { directory, genesis, ports, byzantine } = options;
  const members = ports.map((own, index): Member => {
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
  for (const member of members) {
    const config: NodeConfig = {
      name: member.name,
      role: 'validator',
      listen: [peerAddress(member)],
      peers: members.filter((one) => one !== member).map(peerAddress),
      api: { host, port: member.ports.api, advertise: member.apiUrl },
      log: 'info',
    };
    if (existsSync(paths.config(member.directory))) await goOn(member, genesis, config);
    else {
      const keyPair = developmentKeyPair(member.name);
      const validatorKeyFile = encryptKey(keyPair, undefined, { name: member.name });
      const { directory } = member;
      await initDirectory({ directory, config, genesis: formatGenesis(genesis), validatorKeyFile });
    }
  }
  return members;
}

async function goOn(member: Member, genesis: Genesis, config: NodeConfig): Promise<void> {
  const found = await loadConfig(member.directory);
  if (found.genesis.chainId !== genesis.chainId) {
    const { validators, consensus } = found.genesis;
    throw new Problem(
      'cli/testnet-other',
      `${member.directory} belongs to another chain: ${found.genesis.name}, ${validators.length} validators, ${consensus.engine}`,
      {
        remedy: `Use --nodes ${validators.length} --engine ${consensus.engine}, or another directory with --data.`,
        details: { data: member.directory, found: found.genesis.chainId, wanted: genesis.chainId },
      },
    );
  }
  await writeDurably(paths.config(member.directory), `${JSON.stringify(config, null, 2)}\n`);
}

function peerAddress({ ports }: Member): string {
  return `/ip4/${host}/tcp/${ports.peers}`;
}
