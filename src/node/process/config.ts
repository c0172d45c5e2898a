import { isIP } from 'node:net';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { harmless } from '../../base/harmless.ts';
import { limits } from '../../base/limits.ts';
import { machineFault, nameOfFault } from '../../base/machine-fault.ts';
import { Problem, unwrap } from '../../base/problem.ts';
import { strictText } from '../../base/strict-text.ts';
import { parseStrictJson } from '../../base/strict-json.ts';
import { parseAddress } from '../../crypto/address.ts';
import { isDevelopmentKey } from '../../crypto/development-keys.ts';
import { generateKeyPair, type KeyPair } from '../../crypto/keys.ts';
import { decryptKey, encryptKey, readKeyFile } from '../../crypto/keystore.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { type Genesis, parseGenesis } from '../../ledger/genesis.ts';
import { checkListenAddress, parsePeerAddress } from '../../network/peer-address.ts';
import { readLocalFile, UnfitFile } from '../../storage/local-file.ts';
import { makeDirectory } from '../../storage/make-directory.ts';
import { parseApiUrl } from './api-url.ts';
import { asMachineFault } from './as-machine-fault.ts';
import { writeDurably } from './durable-file.ts';

/**
 * What an operator chooses for one node. Everything that all nodes must agree on stands in the genesis file
 * instead.
 */
export interface NodeConfig {
  /** For the log and for people. */
  readonly name: string;
  /** A validator speaks with `keys/validator.json`; an observer follows and never votes. */
  readonly role: 'validator' | 'observer';
  /** Multiaddrs to listen on for other nodes, such as `/ip4/0.0.0.0/tcp/7000`. */
  readonly listen: readonly string[];
  /** Multiaddrs of nodes to keep connected to. */
  readonly peers: readonly string[];
  /**
   * Who may connect besides the validators (in Raft mode all who are in the configuration) and the `peers`
   * that this node dials: nobody, the holders of these keys (addresses, or hex), or anybody. Unless given:
   * anybody on a development chain, and nobody on others.
   */
  readonly observers?: 'members' | 'open' | readonly PublicKey[] | undefined;
  /** Where the HTTP API listens. Port 0 picks a free one. */
  readonly api: {
    readonly host: string;
    readonly port: number;
    /**
     * What operators show to change members and leader. Without one only this machine may, and only while
     * `host` is its own (127.0.0.1).
     */
    readonly operatorToken?: string | undefined;
    /**
     * Where others reach it: told to the other nodes, so that each can say where the leader is. Nobody is
     * told anything without it.
     */
    readonly advertise?: string | undefined;
  };
  /** When a node of a Raft chain deletes old blocks: never, without it. */
  readonly snapshots?:
    | {
        /** A snapshot is made every this many blocks. */
        readonly everyBlocks: number;
        /** This many blocks below a snapshot stay. */
        readonly keepBlocks: number;
      }
    | undefined;
  /**
   * Whether the node can be asked for the transactions of an account or with a reference, and for the history
   * of a record: yes unless given. Switched on again, they begin with the next block.
   */
  readonly indexes?: boolean | undefined;
  readonly log: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/**
 * A data directory:
 *
 * | path | holds |
 * | --- | --- |
 * | `config.json` | `NodeConfig` |
 * | `genesis.json` | the chain's genesis file |
 * | `keys/node.json` | the key of the peer id, made by `initDirectory` |
 * | `keys/validator.json` | the validator's key file, usually encrypted; none for an observer |
 * | `keys/validator.used.json` | where that key was used: chains, databases, how much was written |
 * | `keys/node.used.json` | the same of the node's key, where an observer speaks with it |
 * | `db/` | the chain |
 */
export const paths = {
  config: (directory: string): string => join(directory, 'config.json'),
  genesis: (directory: string): string => join(directory, 'genesis.json'),
  nodeKey: (directory: string): string => join(directory, 'keys', 'node.json'),
  validatorKey: (directory: string): string => join(directory, 'keys', 'validator.json'),
  usedKey: (directory: string, role: NodeConfig['role']): string =>
    join(directory, 'keys', role === 'validator' ? 'validator.used.json' : 'node.used.json'),
  database: (directory: string): string => join(directory, 'db'),
} as const;

export interface LoadedConfig {
  readonly directory: string;
  readonly config: NodeConfig;
  readonly genesis: Genesis;
  readonly nodeKey: KeyPair;
  /** The text of the validator's key file; null for an observer. */
  readonly validatorKeyFile: string | null;
}

const text = z
  .string('a text')
  .check(z.minLength(1, 'a text that is not empty'), z.maxLength(256, 'a shorter text'));
const nameText = 'a text of 1 to 64 characters, all of them visible';
const hostText = 'an address like 127.0.0.1 or ::1, or the name of a machine';
const addresses = z.array(text, 'a list of multiaddrs').check(z.maxLength(256, 'a list of at most 256'));
const portText = 'a port from 0 to 65535';
const tokenText = 'a token of 16 to 128 visible ASCII characters';
const advertiseText = 'an address like https://node-1.example:4600, of at most 200 characters';
const everyText = 'a number of blocks from 1 to 1000000000';
const keepText = 'a number of blocks from 0 to 1000000000';

const observersText = `"members", "open", or a list of at most ${limits.listedObservers} addresses (qr1…) or public keys in hex`;
const observerKey = z.pipe(
  z.string(observersText),
  z.transform((key, context): PublicKey => {
    const parsed = key.length > 128 ? undefined : parseAddress(key);
    if (typeof parsed === 'string') return parsed;
    context.issues.push({
      code: 'custom',
      message: parsed === undefined ? observersText : `${observersText}: ${parsed.message}`,
      input: key,
    });
    return z.NEVER;
  }),
);

const configSchema = z.strictObject({
  // It stands in each line of the log, and on terminals.
  name: z.string(nameText).check(z.refine(isNodeName, nameText)),
  role: z.enum(['validator', 'observer'], '"validator" or "observer"'),
  listen: addresses,
  peers: addresses,
  observers: z.optional(
    z.union(
      [
        z.enum(['members', 'open'], observersText),
        z.array(observerKey, observersText).check(z.maxLength(limits.listedObservers, observersText)),
      ],
      observersText,
    ),
  ),
  api: z.strictObject({
    host: z.string(hostText).check(z.refine(isApiHost, hostText)),
    port: z.int(portText).check(z.minimum(0, portText), z.maximum(65_535, portText)),
    operatorToken: z.optional(z.string(tokenText).check(z.regex(/^[\x21-\x7e]{16,128}$/, tokenText))),
    advertise: z.optional(
      z.string(advertiseText).check(z.refine((url) => parseApiUrl(url) !== undefined, advertiseText)),
    ),
  }),
  snapshots: z.optional(
    z.strictObject({
      everyBlocks: z.int(everyText).check(z.minimum(1, everyText), z.maximum(1_000_000_000, everyText)),
      keepBlocks: z.int(keepText).check(z.minimum(0, keepText), z.maximum(1_000_000_000, keepText)),
    }),
  ),
  indexes: z.optional(z.boolean('true or false')),
  log: z.enum(['debug', 'info', 'warn', 'error', 'silent'], '"debug", "info", "warn", "error" or "silent"'),
});

/**
 * Makes a data directory, which may exist but must hold no node yet. Throws problems: `config/exists`, those
 * of the genesis and of the key file, and `config/development-key`.
 */
export async function initDirectory(options: {
  readonly directory: string;
  readonly config: NodeConfig;
  /** The text of the genesis file. */
  readonly genesis: string;
  /** The text of the validator's key file; needed for a validator. */
  readonly validatorKeyFile?: string;
}): Promise<void> {
  const { directory, genesis: genesisText, validatorKeyFile } = options;
  const config = checkConfig(options.config);
  const genesis = unwrap(parseGenesis(genesisText));
  if (config.role === 'validator') checkValidatorKey(validatorKeyFile ?? null, genesis, directory);
  if ((await readIfThere(paths.config(directory), limits.nodeFileBytes)) !== undefined) {
    throw new Problem('config/exists', `${directory} holds a node already`, {
      remedy:
        'Choose another directory. Delete nothing in this one while its chain or its keys may be needed.',
      details: { directory },
    });
  }
  const validatorKey = await keyToStore(directory, validatorKeyFile);
  const keys = join(directory, 'keys');
  await asMachineFault(keys, () => makeDirectory(keys, { mode: 0o700 }));
  await writeDurably(paths.genesis(directory), genesisText);
  // Where config.json was lost, the others know the node by the key that it has.
  if ((await readIfThere(paths.nodeKey(directory), limits.keyFileBytes)) === undefined) {
    const nodeKeyFile = encryptKey(generateKeyPair(), undefined, { name: 'node' });
    await writeDurably(paths.nodeKey(directory), nodeKeyFile, { secret: true });
  }
  if (config.role === 'validator' && validatorKey !== undefined) {
    await writeDurably(paths.validatorKey(directory), validatorKey, { secret: true });
  }
  // Last: a directory with it is complete.
  await writeDurably(paths.config(directory), `${JSON.stringify(config, null, 2)}\n`);
}

/** The key file that is given. It may be the only one of its key, so none of another is replaced by it. */
async function keyToStore(directory: string, given: string | undefined): Promise<string | undefined> {
  const path = paths.validatorKey(directory);
  const there = await readIfThere(path, limits.keyFileBytes);
  if (there === undefined || given === undefined) return given;
  const before = readKeyFile(there);
  if (!(before instanceof Problem) && before.publicKey === unwrap(readKeyFile(given)).publicKey) return given;
  throw new Problem('config/exists', `${path} is there already, and another validator's key`, {
    remedy:
      'Make the node with that file (quorate: --key FILE), choose another directory, or move the file away: never delete a key that may be the only copy.',
    details: { directory },
  });
}

/** Whether a node may be called that. */
export function isNodeName(name: string): boolean {
  return name.trim() !== '' && name.length <= 64 && harmless(name) === name;
}

/** Whether an API may be served there, as far as can be told without asking: digits alone are an address. */
export function isApiHost(host: string): boolean {
  return isIP(host) !== 0 || (/^[a-z0-9._-]{1,255}$/i.test(host) && !/^[\d.]+$/.test(host));
}

/**
 * Reads a data directory but not its database; `override` counts instead of what its config.json says. Throws
 * problems that name the file and what to do.
 */
export async function loadConfig(
  directory: string,
  override: Partial<NodeConfig> = {},
): Promise<LoadedConfig> {
  const configText = await readIfThere(paths.config(directory), limits.nodeFileBytes);
  if (configText === undefined) {
    throw new Problem('config/missing', `there is no node in ${directory}: it has no config.json`, {
      remedy: 'Check its name (quorate: --data DIR), or make a node there ("quorate init --help").',
      details: { directory },
    });
  }
  const config = checkConfig({ ...parseConfig(configText, paths.config(directory)), ...override });
  const genesis = unwrap(
    parseGenesis(
      await readNeeded(paths.genesis(directory), {
        what: 'the genesis file',
        remedy: 'Copy it from another node of the chain: each has the same.',
        maxBytes: limits.maxGenesisBytes,
      }),
    ),
  );
  const nodeKey = unwrap(
    decryptKey(
      await readNeeded(paths.nodeKey(directory), {
        what: "the node's key",
        remedy:
          'Restore it from a backup. Or make a node in another directory ("quorate init --help") and copy that one: the node then has another peer id.',
        maxBytes: limits.keyFileBytes,
      }),
      undefined,
    ),
  );
  const validatorKeyFile =
    config.role === 'validator'
      ? ((await readIfThere(paths.validatorKey(directory), limits.keyFileBytes)) ?? null)
      : null;
  if (config.role === 'validator') checkValidatorKey(validatorKeyFile, genesis, directory);
  return { directory, config, genesis, nodeKey, validatorKeyFile };
}

function checkValidatorKey(keyFile: string | null, genesis: Genesis, directory: string): void {
  if (keyFile === null) {
    throw new Problem('config/missing-key', `the validator in ${directory} has no key`, {
      remedy:
        'Put its own key file back at keys/validator.json: another key is another validator. Or set "role" to "observer" in config.json.',
      details: { directory },
    });
  }
  const { publicKey } = unwrap(readKeyFile(keyFile));
  const development = isDevelopmentKey(publicKey);
  if (development !== undefined && !genesis.development) {
    throw new Problem(
      'config/development-key',
      `the validator's key is the development key "${development}"`,
      {
        remedy:
          'Everybody knows it. Make one with "quorate keys new NAME"; development keys are for development chains.',
        details: { name: development },
      },
    );
  }
}

function parseConfig(json: string, path: string): NodeConfig {
  let value: unknown;
  try {
    value = parseStrictJson(json);
  } catch (cause) {
    throw new Problem('config/malformed', `${path} cannot be read as JSON: ${(cause as Error).message}`, {
      remedy:
        'Correct it at that place; "quorate init --help" says how to make another one to compare it with.',
      details: { path },
      cause,
    });
  }
  return checkConfig(value);
}

function checkConfig(value: unknown): NodeConfig {
  const parsed = z.safeParse(configSchema, value);
  if (parsed.success) {
    for (const address of parsed.data.listen) checkListenAddress(address);
    for (const address of parsed.data.peers) parsePeerAddress(address);
    return parsed.data;
  }
  const { issues } = parsed.error;
  // A name that is misspelt is missing as well.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const field = issue?.path.join('.') ?? '';
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : undefined;
  const wrong =
    unknown === undefined
      ? `${field === '' ? 'it' : `"${field}"`} must be ${issue?.message}`
      : `"${unknown}" is no field of it`;
  throw new Problem('config/malformed', `config.json: ${wrong}`, {
    remedy:
      unknown === undefined
        ? `Correct it in config.json; src/README.md lists every field.`
        : `Remove "${unknown}" from config.json, or correct its name.`,
    details: { field: unknown ?? field },
  });
}

async function readNeeded(
  path: string,
  { what, remedy, maxBytes }: { readonly what: string; readonly remedy: string; readonly maxBytes: number },
): Promise<string> {
  const content = await readIfThere(path, maxBytes);
  if (content !== undefined) return content;
  throw new Problem('config/missing', `${what} is missing: ${path}`, {
    remedy,
    details: { path },
  });
}

async function readIfThere(path: string, maxBytes: number): Promise<string | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readLocalFile(path, maxBytes);
  } catch (cause) {
    if (nameOfFault(cause) === 'ENOENT') return undefined;
    if (!(cause instanceof UnfitFile)) throw machineFault(cause, path) ?? cause;
    throw new Problem('config/unreadable', `${path} cannot be read: ${cause.message}`, {
      remedy: 'Put the file itself in its place, as it was made or from a backup.',
      details: { path },
    });
  }
  const read = strictText(bytes);
  if ('text' in read) return read.text;
  throw new Problem('config/unreadable', `${path} cannot be read: ${read.fault}`, {
    remedy: 'Save it as UTF-8, or copy it again as a file and not as text.',
    details: { path },
  });
}
