import { unwrap } from '../base/problem.ts';
import { developmentKeyPair } from '../crypto/development-keys.ts';
import { createGenesis, type Genesis } from './genesis.ts';
import type { ConsensusChoice, GenesisNamespace, PbftChoice, RaftChoice } from './genesis-content.ts';

/** 1 January 2026, 00:00 UTC. Fixed, so that the chain id of a development network is the same everywhere. */
const developmentTimestamp = 1_767_225_600_000;

/** What each of alice, bob and carol starts with: enough for any test, and three of it fit into 64 bits. */
export const developmentBalance = 10n ** 18n;

export const developmentPbft: PbftChoice = {
  engine: 'pbft',
  window: 8,
  viewTimeoutMs: 2_000,
  viewTimeoutCapMs: 30_000,
  blocksPerPrimary: 0,
  heartbeatMs: 0,
  censorshipMs: 10_000,
  blockIntervalMs: 50,
};

export const developmentRaft: RaftChoice = {
  engine: 'raft',
  heartbeatMs: 100,
  electionTimeoutMs: 1_000,
  blockIntervalMs: 20,
  leaseReads: false,
  checkSignatures: 'entry',
};

/** Namespaces of a test network, all alice's: two for everybody, and one in which she writes what stays. */
const developmentNamespaces: readonly GenesisNamespace[] = (
  [
    ['demo', 'open'],
    ['journal', 'append-only'],
    ['order', 'open'],
  ] as const
).map(([name, mode]) => {
  const owner = developmentKeyPair('alice').publicKey;
  return { name, owner, mode, writers: mode === 'open' ? [] : [owner] };
});

/** A test network of well-known keys: validator-0 and on, and the accounts alice, bob and carol. */
export function developmentGenesis(options: {
  readonly name: string;
  readonly validators: number;
  readonly consensus: ConsensusChoice;
}): Genesis {
  const names = Array.from({ length: options.validators }, (_, index) => `validator-${index}`);
  return unwrap(
    createGenesis({
      name: options.name,
      development: true,
      timestamp: developmentTimestamp,
      consensus: options.consensus,
      validators: names.map((name) => ({ name, publicKey: developmentKeyPair(name).publicKey })),
      accounts: ['alice', 'bob', 'carol'].map((name) => ({
        publicKey: developmentKeyPair(name).publicKey,
        balance: developmentBalance,
      })),
      namespaces: developmentNamespaces,
    }),
  );
}
