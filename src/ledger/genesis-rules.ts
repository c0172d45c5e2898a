import { Problem } from '../base/problem.ts';
import { isDevelopmentKey } from '../crypto/development-keys.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { ConsensusChoice, GenesisAccount, GenesisNamespace, WholeContent } from './genesis-content.ts';
import { genesisProblem } from './genesis-file.ts';
import { canLease, shortestLeaseTimeout } from './lease.ts';
import { fits } from './namespace.ts';

/** The rules that join fields of the consensus. */
export function checkConsensus(consensus: ConsensusChoice): Problem | undefined {
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

/** Those that join names, keys and balances. */
export function checkKeys(content: WholeContent): Problem | undefined {
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
