import {
  bool,
  boundedText,
  type Codec,
  encode,
  listOf,
  struct,
  u16,
  u32,
  u48,
  u64,
  union,
  wordOf,
} from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { encodeAddress } from '../crypto/address.ts';
import { isDevelopmentKey } from '../crypto/development-keys.ts';
import { hash, type Hash } from '../crypto/hash.ts';
import { publicKeyCodec, type PublicKey, zeroPublicKey } from '../crypto/signature.ts';
import { type BlockHeader, toHeight, toView } from './block.ts';
import {
  type ChainParameters,
  encodeParameters,
  parametersStateKey,
  widestLimits,
} from './chain-parameters.ts';
import { genesisProblem, parseGenesisFile, signatureChecks } from './genesis-file.ts';
import { canLease, shortestLeaseTimeout } from './lease.ts';
import type { Trusted } from './inclusion.ts';
import { merkleRoot } from './merkle.ts';
import {
  encodeNamespaceRules,
  fits,
  namespaceModeCodec,
  namespaceNameCodec,
  type NamespaceRules,
  writersCodec,
} from './namespace.ts';
import { State } from './state.ts';
import { accountStateKey, encodeAccount, namespaceStateKey, noAccount } from './state-entry.ts';
import { type ValidatorSet, validatorSet } from './validators.ts';

/** How the validators of a chain agree. Times in ms; `src/consensus` says what each does. */
export type ConsensusChoice = PbftChoice | RaftChoice;

export interface PbftChoice {
  readonly engine: 'pbft';
  /** Blocks in flight above the last final one. */
  readonly window: number;
  /** How long a view's first block may take; doubles with each view that made none, up to the cap. */
  readonly viewTimeoutMs: number;
  readonly viewTimeoutCapMs: number;
  /** Blocks of one primary in a row; 0 for no rotation. */
  readonly blocksPerPrimary: number;
  /** An empty block after this long without one; 0 for none. */
  readonly heartbeatMs: number;
  /** How long a transaction may be passed over before the primary is suspected. */
  readonly censorshipMs: number;
  /** The least time between two blocks. */
  readonly blockIntervalMs: number;
}

export interface RaftChoice {
  readonly engine: 'raft';
  /** How often the leader shows that it lives. */
  readonly heartbeatMs: number;
  /** The shortest silence after which a follower wants to lead. */
  readonly electionTimeoutMs: number;
  /** The least time between two blocks. */
  readonly blockIntervalMs: number;
  /** Answer reads without asking the others; trusts that all clocks run about alike. */
  readonly leaseReads: boolean;
  readonly checkSignatures: SignatureChecks;
}

/**
 * Which members of a Raft chain check a transaction's signatures: all, or only the one where it comes in,
 * whose word the others take. Others than members check all, and so does whoever gets blocks by sync.
 */
type SignatureChecks = (typeof signatureChecks)[number];

interface GenesisValidator {
  readonly name: string;
  readonly publicKey: PublicKey;
}

/** A namespace that is open from the beginning. */
export interface GenesisNamespace extends NamespaceRules {
  readonly name: string;
}

interface GenesisAccount {
  readonly publicKey: PublicKey;
  /** In the smallest unit. */
  readonly balance: bigint;
}

/** What a chain starts from, as somebody wrote it. */
export interface GenesisContent {
  readonly name: string;
  /** A test network: the keys that everybody knows may be used on it, and only on such a one. */
  readonly development: boolean;
  /** Of block 0, in ms since 1970. */
  readonly timestamp: number;
  readonly consensus: ConsensusChoice;
  /**
   * The least that a transaction pays for each of its operations, and for each signature after the first, in
   * the smallest unit. 0 unless given.
   */
  readonly feePerOperation?: bigint | undefined;
  /** The version of the rules that block 1 is under. 1 unless given. */
  readonly protocolVersion?: number | undefined;
  /** In the order that decides whose turn it is. */
  readonly validators: readonly GenesisValidator[];
  /** All coins that there will ever be. */
  readonly accounts: readonly GenesisAccount[];
  /** None unless given. */
  readonly namespaces?: readonly GenesisNamespace[] | undefined;
}

/** A checked genesis. Nodes with the same chain id agree on everything that it holds. */
export interface Genesis extends GenesisContent {
  readonly feePerOperation: bigint;
  readonly protocolVersion: number;
  readonly namespaces: readonly GenesisNamespace[];
  readonly chainId: Hash;
}

type Checked = Omit<Genesis, 'chainId'>;

const nameCodec = boundedText(limits.maxNameLength);

/**
 * What the chain id hashes: every field. The order of accounts does not matter, so they are sorted by key,
 * and namespaces by name.
 */
export const contentCodec: Codec<Checked> = struct<Checked>({
  name: nameCodec,
  development: bool,
  timestamp: u48,
  consensus: union<ConsensusChoice, 'engine'>('engine', {
    pbft: [
      1,
      struct<Omit<PbftChoice, 'engine'>>({
        window: u16,
        viewTimeoutMs: u32,
        viewTimeoutCapMs: u32,
        blocksPerPrimary: u32,
        heartbeatMs: u32,
        censorshipMs: u32,
        blockIntervalMs: u32,
      }),
    ],
    raft: [
      2,
      struct<Omit<RaftChoice, 'engine'>>({
        heartbeatMs: u32,
        electionTimeoutMs: u32,
        blockIntervalMs: u32,
        leaseReads: bool,
        checkSignatures: wordOf(signatureChecks),
      }),
    ],
  }),
  feePerOperation: u64,
  protocolVersion: u16,
  validators: listOf(
    struct<GenesisValidator>({ name: nameCodec, publicKey: publicKeyCodec }),
    limits.maxValidators,
  ),
  accounts: listOf(
    struct<GenesisAccount>({ publicKey: publicKeyCodec, balance: u64 }),
    limits.maxGenesisAccounts,
  ),
  namespaces: listOf(
    struct<GenesisNamespace>({
      name: namespaceNameCodec,
      owner: publicKeyCodec,
      mode: namespaceModeCodec,
      writers: writersCodec,
    }),
    limits.maxGenesisNamespaces,
  ),
});

/**
 * A genesis from its file, or the first problem in it, which names the field and says what to write there.
 */
export function parseGenesis(json: string): Genesis | Problem {
  const content = parseGenesisFile(json);
  if (content instanceof Problem) return content;
  const { feePerOperation = 0n, protocolVersion = 1, namespaces = [] } = content;
  const checked = { ...content, feePerOperation, protocolVersion, namespaces };
  return (
    checkConsensus(content.consensus) ?? checkKeys(checked) ?? { ...checked, chainId: chainIdOf(checked) }
  );
}

/** A genesis from its content, under the same rules as a file. */
export function createGenesis(content: GenesisContent): Genesis | Problem {
  return parseGenesis(formatGenesis(content));
}

/** The file of a genesis: `parseGenesis` reads it back to the same chain id. */
export function formatGenesis(content: GenesisContent): string {
  const { name, development, timestamp, consensus, validators, accounts } = content;
  const { namespaces = [] } = content;
  const file = {
    name,
    development,
    timestamp,
    consensus,
    feePerOperation: `${content.feePerOperation ?? 0n}`,
    protocolVersion: content.protocolVersion ?? 1,
    validators: validators.map((validator) => ({
      name: validator.name,
      publicKey: encodeAddress(validator.publicKey),
    })),
    accounts: accounts.map((account) => ({
      publicKey: encodeAddress(account.publicKey),
      balance: account.balance.toString(),
    })),
    namespaces: namespaces.map(({ name: namespace, owner, mode, writers }) => ({
      name: namespace,
      owner: encodeAddress(owner),
      mode,
      writers: writers.map(encodeAddress),
    })),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

export function genesisValidators(genesis: Genesis): ValidatorSet {
  return validatorSet(genesis.validators.map((validator) => validator.publicKey));
}

/** What proofs are checked against by whoever has the genesis file. */
export function trustedBy(genesis: Genesis): Trusted {
  const { chainId, consensus } = genesis;
  const first = { epoch: toHeight(0), validators: genesisValidators(genesis) };
  return { chainId, engine: consensus.engine, epochs: [first] };
}

/** The state of block 0. */
export function genesisState(genesis: Genesis): State {
  const accounts = genesis.accounts.map(({ publicKey, balance }) => ({
    key: accountStateKey(publicKey),
    value: encodeAccount({ ...noAccount, balance }),
  }));
  const namespaces = genesis.namespaces.map(({ name, ...rules }) => ({
    key: namespaceStateKey(name),
    value: encodeNamespaceRules(rules),
  }));
  const parameters = { key: parametersStateKey, value: encodeParameters(genesisParameters(genesis)) };
  return State.empty.with([parameters, ...accounts, ...namespaces]);
}

/** What the first blocks are under. */
function genesisParameters(genesis: Genesis): ChainParameters {
  const { protocolVersion, feePerOperation, consensus } = genesis;
  return {
    protocolVersion,
    feePerOperation,
    limits: widestLimits,
    validators: consensus.engine === 'pbft' ? genesisValidators(genesis).keys : [],
    scheduled: [],
  };
}

/**
 * Block 0. Nobody proposed it, and its parent is the chain id, so no other chain has a block
 * in common with this one.
 */
export function genesisHeader(genesis: Genesis): BlockHeader {
  const validators = genesisValidators(genesis);
  return {
    height: toHeight(0),
    parentHash: genesis.chainId,
    view: toView(0),
    proposer: zeroPublicKey,
    timestamp: genesis.timestamp,
    protocolVersion: genesis.protocolVersion,
    transactionRoot: merkleRoot([]),
    stateRoot: genesisState(genesis).root,
    receiptsRoot: merkleRoot([]),
    validatorsHash: validators.hash,
    nextValidatorsHash: validators.hash,
  };
}

/** The bytes that the chain id hashes. */
export function genesisBytes(content: Checked): Uint8Array {
  const accounts = [...content.accounts].sort((a, b) => (a.publicKey < b.publicKey ? -1 : 1));
  const namespaces = [...content.namespaces].sort((a, b) => (a.name < b.name ? -1 : 1));
  return encode(contentCodec, { ...content, accounts, namespaces });
}

function chainIdOf(content: Checked): Hash {
  return hash('quorate/v1/chain', genesisBytes(content));
}

function checkConsensus(consensus: ConsensusChoice): Problem | undefined {
  if (consensus.engine === 'pbft' && consensus.viewTimeoutCapMs < consensus.viewTimeoutMs) {
    return genesisProblem(
      'consensus.viewTimeoutCapMs',
      `is below consensus.viewTimeoutMs (${consensus.viewTimeoutMs})`,
      'Make the cap at least as long as the first timeout; ten times as long is usual.',
    );
  }
  if (consensus.engine === 'raft' && consensus.electionTimeoutMs < 2 * consensus.heartbeatMs) {
    return genesisProblem(
      'consensus.electionTimeoutMs',
      `is shorter than two heartbeats (${2 * consensus.heartbeatMs} ms)`,
      'Make it several times consensus.heartbeatMs; ten times is usual.',
    );
  }
  if (consensus.engine === 'raft' && consensus.leaseReads && !canLease(consensus)) {
    const { heartbeatMs } = consensus;
    return genesisProblem(
      'consensus.leaseReads',
      `needs a longer consensus.electionTimeoutMs than ${consensus.electionTimeoutMs}: no lease would outlast a heartbeat`,
      `Make consensus.electionTimeoutMs ${shortestLeaseTimeout({ heartbeatMs })} or more, or write false.`,
    );
  }
  return undefined;
}

function checkKeys(content: Checked): Problem | undefined {
  const { validators, accounts, namespaces } = content;
  const names = validators.map((validator, index) => [validator.name, `validators[${index}].name`] as const);
  const signers = validators.map(
    (validator, index) => [validator.publicKey, `validators[${index}].publicKey`] as const,
  );
  const holders = accounts.map(
    (account, index) => [account.publicKey, `accounts[${index}].publicKey`] as const,
  );
  const spaces = namespaces.map(({ name }, index) => [name, `namespaces[${index}].name`] as const);
  const keepers = namespaces.flatMap(({ owner, writers }, index) => [
    [owner, `namespaces[${index}].owner`] as const,
    ...writersOf(writers, index),
  ]);
  return (
    firstRepeated(names) ??
    firstRepeated(signers) ??
    firstRepeated(holders) ??
    firstRepeated(spaces) ??
    checkNamespaces(namespaces) ??
    checkSupply(accounts) ??
    (content.development ? undefined : firstDevelopmentKey([...signers, ...holders, ...keepers]))
  );
}

function writersOf(
  writers: readonly PublicKey[],
  index: number,
): readonly (readonly [publicKey: PublicKey, path: string])[] {
  return writers.map((writer, at) => [writer, `namespaces[${index}].writers[${at}]`] as const);
}

function checkNamespaces(namespaces: readonly GenesisNamespace[]): Problem | undefined {
  for (const [index, rules] of namespaces.entries()) {
    const path = `namespaces[${index}].writers`;
    if (!fits(rules)) {
      return genesisProblem(
        path,
        rules.mode === 'open' ? 'lists writers where everybody writes' : 'lists nobody who may write',
        'List writers in the modes "writers" and "append-only", and none in mode "open".',
      );
    }
    const repeated = firstRepeated(writersOf(rules.writers, index));
    if (repeated !== undefined) return repeated;
  }
  return undefined;
}

function firstRepeated(values: readonly (readonly [value: string, path: string])[]): Problem | undefined {
  const seen = new Map<string, string>();
  for (const [value, path] of values) {
    const before = seen.get(value);
    if (before !== undefined) {
      return genesisProblem(path, `is the same as ${before}`, `Remove one of them, or correct ${path}.`);
    }
    seen.set(value, path);
  }
  return undefined;
}

/** Coins are never made later, so no balance can outgrow 64 bits when all together fit in the beginning. */
function checkSupply(accounts: readonly GenesisAccount[]): Problem | undefined {
  let supply = 0n;
  for (const [index, { balance }] of accounts.entries()) {
    supply += balance;
    if (supply >= 2n ** 64n) {
      return genesisProblem(
        `accounts[${index}].balance`,
        'brings all balances together above 2^64 - 1',
        `Lower balances until all together are at most ${2n ** 64n - 1n}.`,
      );
    }
  }
  return undefined;
}

function firstDevelopmentKey(
  keys: readonly (readonly [publicKey: PublicKey, path: string])[],
): Problem | undefined {
  for (const [publicKey, path] of keys) {
    const name = isDevelopmentKey(publicKey);
    if (name !== undefined) {
      return new Problem('genesis/development-key', `genesis: ${path} is the development key "${name}"`, {
        remedy:
          'Everybody knows its secret key. Put a key of your own there ("quorate keys new NAME"), or set "development" to true for a test network.',
        details: { path, name },
      });
    }
  }
  return undefined;
}
