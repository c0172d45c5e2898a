import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { Command, type CommandUnknownOpts, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { limits } from '../base/limits.ts';
import { Problem, unwrap } from '../base/problem.ts';
import { parseGenesis } from '../ledger/genesis.ts';
import { encodeAddress } from '../crypto/address.ts';
import { initDirectory, isApiHost, isNodeName, loadConfig, type NodeConfig } from '../node/process/config.ts';
import { isBarredPort } from '../client/node-address.ts';
import { keysOption, keyFileText } from './key-directory.ts';
import { parseUrl } from './node-url.ts';
import { defaultApiPort, jsonOption } from './options.ts';
import { shellWord } from './shell-word.ts';
import { answer, facts, warn } from './terminal.ts';
import { readGenesisText } from './trusted-genesis.ts';

const defaultListen = `/ip4/0.0.0.0/tcp/${defaultApiPort + 1}`;

export function initCommand(): CommandUnknownOpts {
  return new Command('init')
    .description('make the data directory of a node')
    .requiredOption('--data <directory>', 'where')
    .requiredOption('--genesis <file>', 'the chain’s genesis file')
    .option('--key <key>', 'the validator’s key: a stored key’s name, a key file, or a development name')
    .option('--observer', 'follow the chain and never vote; needs no key')
    .option('--name <text>', 'the node’s name in its log (default: that of the key)', parseName)
    .addOption(
      new Option('--listen <multiaddr...>', 'where other nodes reach it').default(
        [defaultListen],
        defaultListen,
      ),
    )
    .addOption(
      new Option('--peer <multiaddr...>', 'nodes to keep connected to').default([] as string[], 'none'),
    )
    .addOption(
      new Option('--api <host:port>', 'where it serves its API')
        .argParser(parseHostPort)
        .default({ host: '127.0.0.1', port: defaultApiPort }, `127.0.0.1:${defaultApiPort}`),
    )
    .addOption(
      new Option(
        '--advertise <url>',
        'where others reach its API; the other nodes are told (default: nothing)',
      ).argParser((text) => parseUrl(text, '--advertise')),
    )
    .addOption(keysOption)
    .addOption(jsonOption)
    .action(async (options) => {
      const { key, observer = false, listen, peer: peers, advertise } = options;
      if ((key === undefined) !== observer) {
        throw new Problem('cli/usage', `${observer ? 'an observer has no' : 'a validator needs a'} key`, {
          remedy: 'Give either --key KEY, or --observer.',
        });
      }
      const directory = resolve(options.data);
      const genesisText = await readGenesisText(
        options.genesis,
        'Check --genesis. The folder genesis/ holds examples.',
      );
      const genesis = unwrap(parseGenesis(genesisText));
      const keyFile = key === undefined ? undefined : keyFileText(options.keys, key);
      const named = keyFile !== undefined && isNodeName(keyFile.name) ? keyFile.name : 'validator';
      const name = options.name ?? (observer ? 'observer' : named);
      const role = observer ? 'observer' : 'validator';
      const api = { ...options.api, ...(advertise === undefined ? {} : { advertise }) };
      const config: NodeConfig = { name, role, listen, peers, api, log: 'info' };
      await initDirectory({
        directory,
        config,
        genesis: genesisText,
        ...(keyFile === undefined ? {} : { validatorKeyFile: keyFile.text }),
      });
      // What an observer is listed by, where only members are welcome.
      const { nodeKey } = await loadConfig(directory);
      const speaksAs = observer ? { address: encodeAddress(nodeKey.publicKey) } : {};
      const index = genesis.validators.findIndex(({ publicKey }) => publicKey === keyFile?.publicKey);
      const value = {
        directory,
        chainId: genesis.chainId,
        ...config,
        ...speaksAs,
        validator: index < 0 ? null : index,
      };
      const aheadMs = genesis.timestamp - Date.now();
      if (aheadMs > limits.maxClockAheadMs) {
        warn(
          `the time in the genesis file is ${Math.ceil(aheadMs / 1_000)} s ahead of this machine's clock. One of the two is wrong; until then blocks are a millisecond apart.`,
        );
      }
      answer(options.json, value, () =>
        facts([
          ['data', directory],
          ['chain', `${genesis.name}, ${genesis.chainId}`],
          ['role', index < 0 ? `${role}, not a validator of this chain` : `validator ${index}`],
          ...(observer ? [['address', encodeAddress(nodeKey.publicKey)] as const] : []),
          ['listens on', listen.join(', ')],
          ...(peers.length > 0 || (index === 0 && genesis.validators.length === 1)
            ? []
            : [['peers', 'none named (--peer): it waits until others connect to it'] as const]),
          [
            'API',
            `http://${isIPv6(api.host) ? `[${api.host}]` : api.host}:${api.port}${advertise === undefined ? '' : `, for others ${advertise}`}`,
          ],
          ['start it', `quorate start --data ${shellWord(directory)}`],
        ]),
      );
    });
}

function parseName(text: string): string {
  if (isNodeName(text)) return text;
  throw new InvalidArgumentError('Give 1 to 64 characters, all of them visible.');
}

function parseHostPort(text: string): { host: string; port: number } {
  // An IPv6 address stands in brackets, so that its colons are not taken for the port's
  // (RFC 3986, section 3.2.2).
  const match = /^(?:\[([0-9a-f:.]+)\]:|([a-z0-9.-]+):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2] ?? '127.0.0.1';
  const isBracketed = match?.[1] !== undefined;
  if (match === null || port > 65_535 || (isBracketed && !isIPv6(host)) || !isApiHost(host)) {
    throw new InvalidArgumentError('Write it like 127.0.0.1:4600 or [::1]:4600.');
  }
  if (isBarredPort(port)) {
    throw new InvalidArgumentError(
      `No browser and no fetch connects to port ${port}, whoever listens there. Choose another.`,
    );
  }
  return { host, port };
}
