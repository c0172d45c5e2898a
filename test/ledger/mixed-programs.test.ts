import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listed } from './changes.ts';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { encode } from '../../src/base/codec.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { nextBelow, seedRandom } from '../../src/base/random.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { ChainChange } from '../../src/ledger/chain-change.ts';
import { scheduledChange, widestLimits } from '../../src/ledger/chain-parameters.ts';
import { buildBlock } from '../../src/ledger/block-building.ts';
import { executeBlock } from '../../src/ledger/execution.ts';
import { namespaceModes } from '../../src/ledger/namespace.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { receiptsCodec, receiptsRootOf } from '../../src/ledger/receipt.ts';
import type { ReservationId } from '../../src/ledger/reservation-id.ts';
import { State } from '../../src/ledger/state.ts';
import { decodeTransaction, type Transaction } from '../../src/ledger/transaction.ts';
import { validatorSet } from '../../src/ledger/validators.ts';
import { coinsOf, executePlainly } from '../../src/simulator/checkers/plain-ledger.ts';
import { reservationsWrong } from '../../src/simulator/checkers/plain-reservations.ts';
import { plainReceiptsRoot, plainStateRoot } from '../../src/simulator/checkers/plain-roots.ts';
import { chainId, contextAt, hashOf, keyOf, plainWith, stateWith, transaction } from './samples.ts';

// Operations of all kinds in one program, near their bounds, and each block executed as those do who get it by other ways.

const names = ['alice', 'bob', 'carol', 'dave', 'eve'];
/** Nearly all coins that there can be: a sum that is out by one outgrows 64 bits. */
const start = { alice: 1_000n, bob: 1_000n, carol: 1_000n, dave: 1_000n, eve: 2n ** 64n - 4_001n };
const recordKeys = ['a', 's', 's/1', 's/1/2', 't/x', 'none/1', 'k'.repeat(128), '\ufeffa', 's/\ufeff'];
const values = [utf8(''), utf8('a'), new Uint8Array(limits.maxRecordValueBytes)];

/** The ledger, its twin with plain rules, and what a store was told. */
class Program {
  readonly #random;
  state = stateWith(start, { validators: names.slice(0, 4).map(keyOf) });
  plain = plainWith(start, { validators: names.slice(0, 4).map(keyOf) });
  readonly store = new Map([...this.state.entries()].map((entry) => [toHex(entry[0]), entry] as const));
  readonly made: { readonly id: ReservationId; readonly to: string }[] = [];
  readonly codes: string[] = [];
  height = 0;

  constructor(seed: number) {
    this.#random = seedRandom(seed);
  }

  below(end: number): number {
    return nextBelow(this.#random, end);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  people(most: number): PublicKey[] {
    return [...new Set(Array.from({ length: most }, () => keyOf(this.pick(names))))].toSorted();
  }

  /** What the header of the next block names. */
  get validatorsHash() {
    const { parameters } = this.state;
    const coming = scheduledChange(parameters, 'validators');
    return validatorSet(coming?.change.validators ?? parameters.validators).hash;
  }

  /** A block of these, built, and executed from bytes on the state of a restart or a snapshot, and by the plain rules. */
  grow(candidates: readonly Transaction[]): void {
    const { state, height } = this;
    const proposer = keyOf(this.pick(names));
    const context = contextAt(height, { validatorsHash: this.validatorsHash, proposer });
    const whole = executeBlock(state, context, candidates);
    const wholePlainly = executePlainly(this.plain, context, { chainId }, candidates);
    assert.equal(whole instanceof Problem, typeof wholePlainly === 'string');
    const { transactions, execution, skipped } = buildBlock(state, context, candidates);
    this.codes.push(...skipped.map(({ code }) => code));
    const received = transactions.map(({ bytes }) => unwrap(decodeTransaction(Buffer.from(bytes))));
    const entries = height % 2 === 0 ? state.entries() : this.stored();
    const done = unwrap(executeBlock(State.fromEntries(entries), context, received));
    assert.equal(done.state.root, execution.state.root);
    assert.deepEqual(listed(done.changes), listed(execution.changes));
    assert.deepEqual(encode(receiptsCodec, execution.receipts), execution.receiptsBytes);
    assert.equal(receiptsRootOf(execution.receipts), execution.receiptsRoot);
    for (const name of names) {
      const [key, stored] = [keyOf(name), execution.state.share()];
      assert.deepEqual(execution.state.account(key), stored.account(key), 'remembered as it is stored');
    }
    const expected = executePlainly(this.plain, context, { chainId }, received);
    if (typeof expected === 'string') assert.fail(expected);
    assert.equal(execution.receiptsRoot, plainReceiptsRoot(expected.receipts));
    assert.equal(execution.state.root, plainStateRoot(expected.state));
    assert.equal(coinsOf(expected.state), 2n ** 64n - 1n);
    assert.equal(reservationsWrong(expected.state, height), undefined);
    this.codes.push(...done.receipts.map(({ code }) => code));
    for (const { key, value } of listed(execution.changes)) {
      assert.notDeepEqual(state.get(key) ?? null, value, 'a change changes something');
      if (value === null) assert.ok(this.store.delete(toHex(key)));
      else this.store.set(toHex(key), [key, value]);
    }
    this.state = execution.state;
    this.plain = expected.state;
  }

  stored() {
    return [...this.store].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  }
}

function amountIn(program: Program): bigint {
  return program.pick([1n, 2n, 50n, 300n, ...(program.below(6) > 0 ? [] : [1_001n, 2n ** 64n - 1n])]);
}

function changeIn(program: Program): ChainChange {
  const height = toHeight(program.height + program.below(6));
  const named = program.below(2) === 0 ? undefined : height;
  return program.pick<ChainChange>([
    { type: 'validators', validators: program.pick([names.slice(0, 1 + program.below(5)), []]).map(keyOf) },
    { type: 'protocol-version', version: 1 + program.below(3), height },
    { type: 'fee-floor', feePerOperation: program.pick([0n, 1n, 2n, 2n ** 60n]), height: named },
    { type: 'limits', limits: { ...widestLimits, maxTransactions: program.below(8) }, height: named },
  ]);
}

function governing(program: Program): Operation {
  const { height, state, validatorsHash } = program;
  const ids = state.proposalNames.map(({ id }) => id);
  if (ids.length > 0 && program.below(4) > 0) return { type: 'approve-change', proposal: program.pick(ids) };
  return {
    type: 'propose-change',
    change: changeIn(program),
    expiryHeight: toHeight(height + program.below(4) - (height > 1 ? 1 : 0)),
    validatorsHash: program.below(9) > 0 ? validatorsHash : hashOf('another'),
    members: new Uint8Array(),
    replaces: program.below(2) === 0,
  };
}

function ruling(program: Program): Operation {
  const mode = program.pick(namespaceModes);
  const name = program.pick(['s', 't', 'n'.repeat(limits.maxNamespaceNameBytes)]);
  const writers = mode === 'open' ? [] : program.people(3);
  if (program.below(2) === 0) return { type: 'open-namespace', name, mode, writers };
  const owner = program.below(4) > 0 ? undefined : keyOf(program.pick(names));
  return { type: 'set-namespace', name, owner, mode: program.pick([undefined, mode]), writers };
}

function operationOf(
  program: Program,
  from: string,
  place: readonly [nonce: number, index: number],
): Operation {
  const { height, made } = program;
  const key = program.pick(recordKeys);
  const to = program.pick(names);
  switch (program.below(10)) {
    case 0:
      return { type: 'transfer', to: keyOf(to), amount: amountIn(program), memo: 'm'.repeat(128) };
    case 1:
    case 2:
      return { type: 'put', key, value: program.pick(values) };
    case 3:
      return program.below(2) > 0 ? { type: 'delete', key } : { type: 'give', key, to: keyOf(to) };
    case 4:
      return ruling(program);
    case 5: {
      const ahead = program.pick([
        0,
        0,
        1,
        2,
        -1,
        limits.maxReservationAhead,
        limits.maxReservationAhead + 1,
      ]);
      made.push({ id: { sender: keyOf(from), nonce: place[0], operation: place[1] }, to });
      const expiryHeight = toHeight(height + ahead);
      return { type: 'reserve', to: keyOf(to), amount: amountIn(program), expiryHeight, memo: '' };
    }
    case 6: {
      const keys = program.people(3);
      const threshold = 1 + program.below(keys.length);
      return { type: 'set-keys', keys, threshold, force: program.below(3) === 0 };
    }
    case 7:
      return governing(program);
    default: {
      const reservation = made.at(-1 - program.below(6))?.id ?? { sender: keyOf(to), nonce: 0, operation: 0 };
      if (program.below(4) === 0) return { type: 'void', reservation };
      return { type: 'post', reservation, amount: amountIn(program) };
    }
  }
}

/** One of the many that fit into one transaction. */
function shortOf({ height }: Program, index: number): Operation {
  const to = keyOf(names[index % names.length] as string);
  if (index % 3 === 0) return { type: 'put', key: `${index % 9}`, value: utf8('a') };
  return { type: 'reserve', to, amount: 1n, expiryHeight: toHeight(height + 1), memo: '' };
}

/** As the sender would sign it, and now and then as a stranger would; undefined for what is too long. */
function transactionOf(program: Program, from: string, nonce: number): Transaction | undefined {
  const { state, height } = program;
  const isLong = program.below(30) === 0;
  const count = isLong ? limits.maxOperations - program.below(2) : 1 + program.below(3);
  const operations = Array.from({ length: count }, (_, index) =>
    isLong ? shortOf(program, index) : operationOf(program, from, [nonce, index]),
  );
  const { keys } = state.account(keyOf(from));
  const signers = new Set(keys?.keys.slice(0, keys.threshold) ?? [keyOf(from)]);
  if (program.below(3) > 0) {
    for (const one of operations) if (one.type === 'set-keys') for (const key of one.keys) signers.add(key);
  }
  if (program.below(20) === 0) signers.add(keyOf(program.pick(names)));
  const fee = state.parameters.feePerOperation * BigInt(count + signers.size - 1);
  const order = {
    from,
    nonce,
    fee: program.below(9) > 0 ? fee : BigInt(program.below(9)),
    expiry: height + program.pick([0, 1, limits.maxExpiryAhead]),
    signers: names.filter((name) => signers.has(keyOf(name))),
  };
  const made = transaction(order, ...operations);
  return made.bytes.length > limits.maxTransactionBytes ? undefined : made;
}

test('programs of all operations, near their bounds, do what the plain rules say, however a node comes to execute them', () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 16; seed++) {
    const program = new Program(seed);
    for (program.height = 1; program.height <= 14; program.height++) {
      const nonces = new Map(names.map((name) => [name, program.state.account(keyOf(name)).nonce]));
      const candidates = Array.from({ length: program.below(14) }, () => {
        const last = program.below(3) === 0 ? program.made.at(-1) : undefined;
        const from = last?.to ?? program.pick(names);
        const nonce = nonces.get(from) ?? 0;
        const made = transactionOf(program, from, nonce);
        if (made !== undefined) nonces.set(from, nonce + 1);
        return made;
      });
      program.grow(candidates.filter((candidate) => candidate !== undefined));
    }
    for (const code of program.codes) seen.add(code);
  }
  const wanted = [
    '',
    'change/already-approved',
    'change/not-a-validator',
    'change/other-validators',
    'transaction/above-reserved',
    'transaction/append-only',
    'transaction/insufficient-balance',
    'transaction/namespace-taken',
    'transaction/no-such-namespace',
    'transaction/not-recipient',
    'transaction/not-writer',
    'transaction/reservation-expired',
    'transaction/reservation-settled',
    'transaction/reservations-full',
    'transaction/unproven-keys',
    'transaction/wrong-signers',
  ];
  assert.deepEqual(
    wanted.filter((code) => !seen.has(code)),
    [],
    'all of it was exercised',
  );
});
