import { Problem } from '../base/problem.ts';
import { encodeAddress } from '../crypto/address.ts';
import type { Hash } from '../crypto/hash.ts';
import { zeroPublicKey } from '../crypto/signature.ts';
import { type BlockHeader, toHeight, toView } from './block.ts';
import {
  type ChainParameters,
  encodeParameters,
  parametersStateKey,
  widestLimits,
} from './chain-parameters.ts';
import { chainIdOf, type GenesisContent, type WholeContent } from './genesis-content.ts';
import { parseGenesisFile } from './genesis-file.ts';
import { checkConsensus, checkKeys } from './genesis-rules.ts';
import type { Trusted } from './inclusion.ts';
import { merkleRoot } from './merkle.ts';
import { encodeNamespaceRules } from './namespace.ts';
import { State } from './state.ts';
import { accountStateKey, encodeAccount, namespaceStateKey, noAccount } from './state-entry.ts';
import { type ValidatorSet, validatorSet } from './validators.ts';

/** A checked genesis. Nodes with the same chain id agree on everything that it holds. */
export interface Genesis extends WholeContent {
  readonly chainId: Hash;
}

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
