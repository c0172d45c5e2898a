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
import { hash, type Hash } from '../crypto/hash.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';
import { signatureChecks } from './genesis-file.ts';
import { namespaceModeCodec, namespaceNameCodec, type NamespaceRules, writersCodec } from './namespace.ts';

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
  /** The least time between two proposals while one is in flight; without one nobody waits. */
  readonly blockIntervalMs: number;
}

export interface RaftChoice {
  readonly engine: 'raft';
  /** How often the leader shows that it lives. */
  readonly heartbeatMs: number;
  /** The shortest silence after which a follower wants to lead. */
  readonly electionTimeoutMs: number;
  /** The least time between the starts of two blocks. */
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

export interface GenesisAccount {
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

/** The same with every field. */
export interface WholeContent extends GenesisContent {
  readonly feePerOperation: bigint;
  readonly protocolVersion: number;
  readonly namespaces: readonly GenesisNamespace[];
}

const nameCodec = boundedText(limits.maxNameLength);

/**
 * What the chain id hashes: every field. The order of accounts does not matter, so they are sorted by key,
 * and namespaces by name.
 */
export const contentCodec: Codec<WholeContent> = struct<WholeContent>({
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

/** The bytes that the chain id hashes. */
export function genesisBytes(content: WholeContent): Uint8Array {
  const accounts = [...content.accounts].sort((a, b) => (a.publicKey < b.publicKey ? -1 : 1));
  const namespaces = [...content.namespaces].sort((a, b) => (a.name < b.name ? -1 : 1));
  return encode(contentCodec, { ...content, accounts, namespaces });
}

export function chainIdOf(content: WholeContent): Hash {
  return hash('quorate/v1/chain', genesisBytes(content));
}
