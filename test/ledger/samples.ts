import { plainChainOf } from '../../src/simulator/checkers/plain-changes.ts';
import type { PlainState } from '../../src/simulator/checkers/plain-roots.ts';
import assert from 'node:assert/strict';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, toHex, utf8 } from '../../src/base/bytes.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { keyFault } from '../../src/crypto/key-fault.ts';
import type { PublicKey, Signature } from '../../src/crypto/signature.ts';
import { type BlockHeader, toHeight, toView } from '../../src/ledger/block.ts';
import {
  type ChainParameters,
  encodeParameters,
  noParameters,
  parametersStateKey,
} from '../../src/ledger/chain-parameters.ts';
import { type Execution, type ExecutionContext, executeBlock } from '../../src/ledger/execution.ts';
import { merkleRoot } from '../../src/ledger/merkle.ts';
import { accountStateKey, encodeAccount, noAccount } from '../../src/ledger/state-entry.ts';
import { State } from '../../src/ledger/state.ts';
import type { Condition } from '../../src/ledger/condition.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { assembleTransaction, type Transaction } from '../../src/ledger/transaction.ts';

/** Thirty-two bytes that belong to a name. */
export const hashOf = (name: string): Hash => toHex(sha256(utf8(name))) as Hash;

const keys = new Map<string, PublicKey>();
/** The same as a key that somebody could hold: every second text of 32 bytes is one. */
export function keyOf(name: string): PublicKey {
  let key = keys.get(name);
  for (let more = ''; key === undefined; more += ' or') {
    const made = hashOf(`key ${name}${more}`) as string as PublicKey;
    if (keyFault(made) === undefined) key = made;
  }
  keys.set(name, key);
  return key;
}

export const zeroBytes: Uint8Array = new Uint8Array(32);
/** What a branch over two others is. */
export const pairHashOf = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256(concat(left, right));

export const chainId = hashOf('chain');
export const proposer = keyOf('proposer');
/** Execution and codecs do not look at signatures. */
export const someSignature = 'ab'.repeat(64) as Signature;

export function contextAt(height: number, changes: Partial<ExecutionContext> = {}): ExecutionContext {
  return {
    height: toHeight(height),
    timestamp: 1_000 * height,
    proposer,
    chainId,
    validatorsHash: hashOf('validators'),
    ...changes,
  };
}

export interface Order {
  readonly from: string;
  readonly nonce: number;
  readonly fee?: bigint;
  readonly expiry?: number;
  readonly chain?: Hash;
  readonly signature?: Signature;
  readonly conditions?: readonly Condition[];
  readonly reference?: Uint8Array;
  /** Names; the sender alone unless given. */
  readonly signers?: readonly string[];
}

export function transaction(order: Order, ...operations: readonly Operation[]): Transaction {
  const signers = (order.signers ?? [order.from]).map(keyOf).toSorted();
  return assembleTransaction(
    {
      chainId: order.chain ?? chainId,
      sender: keyOf(order.from),
      nonce: order.nonce,
      fee: order.fee ?? 1n,
      expiryHeight: toHeight(order.expiry ?? 100),
      reference: order.reference ?? new Uint8Array(),
      conditions: order.conditions ?? [],
      operations,
      signers,
    },
    signers.map(() => order.signature ?? someSignature),
  );
}

export const transfer = (order: Order, to: string, amount: bigint, memo = ''): Transaction =>
  transaction(order, { type: 'transfer', to: keyOf(to), amount, memo });
export const put = (order: Order, key: string, value: Uint8Array | string): Transaction =>
  transaction(order, { type: 'put', key, value: typeof value === 'string' ? utf8(value) : value });
export const remove = (order: Order, key: string): Transaction => transaction(order, { type: 'delete', key });

/** A state in which each named account has its balance. */
export function stateWith(
  balances: Readonly<Record<string, bigint>>,
  parameters: Partial<ChainParameters> = {},
): State {
  const value = encodeParameters({ ...noParameters, ...parameters });
  return State.empty.with([
    { key: parametersStateKey, value },
    ...Object.entries(balances).map(([name, balance]) => ({
      key: accountStateKey(keyOf(name)),
      value: encodeAccount({ ...noAccount, balance }),
    })),
  ]);
}

/** The same by the plain rules. */
export function plainWith(
  balances: Readonly<Record<string, bigint>>,
  parameters: Parameters<typeof plainChainOf>[0] = {},
): PlainState {
  return {
    accounts: new Map(
      Object.entries(balances).map(([name, balance]) => [
        keyOf(name),
        { balance, held: 0n, nonce: 0, keys: null },
      ]),
    ),
    records: new Map(),
    reservations: [],
    namespaces: new Map(),
    chain: plainChainOf(parameters),
  };
}

/** Why something was refused. */
export function reason(result: object): string {
  assert.ok(result instanceof Problem, 'it is refused');
  return result.message;
}

/** The execution of a block that must be valid. */
export function execute(state: State, transactions: readonly Transaction[], height = 1): Execution {
  return unwrap(executeBlock(state, contextAt(height), transactions));
}

export function headerWith(changes: Partial<BlockHeader> = {}): BlockHeader {
  return {
    height: toHeight(5),
    parentHash: hashOf('parent'),
    view: toView(2),
    proposer,
    timestamp: 1_700_000_000_000,
    protocolVersion: 1,
    transactionRoot: merkleRoot([]),
    stateRoot: hashOf('state'),
    receiptsRoot: hashOf('receipts'),
    validatorsHash: hashOf('validators'),
    nextValidatorsHash: hashOf('validators'),
    ...changes,
  };
}
