import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { type BlockHeader, type Height, toHeight } from './block.ts';
import type { BlockLimits } from './chain-change.ts';
import { type ChainParameters, parametersAt } from './chain-parameters.ts';
import type { Condition } from './condition.ts';
import { Draft } from './draft.ts';
import type { Operation } from './operation.ts';
import { type Effects, type Failure, type Receipt, receiptsCodec, type Refusal } from './receipt.ts';
import { ReceiptWriter } from './receipt-writer.ts';
import { beginHeight } from './reservation-rules.ts';
import { checkCondition, perform, transfer } from './rules.ts';
import { ineligible, type IneligibleCode, whyIneligible } from './eligibility.ts';
import { changesOf } from './state-changes.ts';
import { decodeStateValue } from './state-value.ts';
import type { Place, StateChanges } from './state-entry.ts';
import type { State } from './state.ts';
import type { Touched } from './touched.ts';
import type { Transaction } from './transaction.ts';
import { type ValidatorSet, validatorSet } from './validators.ts';

/**
 * What transactions do to a state. Deterministic: parent state, context and transactions in their
 * order decide everything.
 *
 * A transaction that may not stand in a block (see `IneligibleCode`) makes the block invalid: a correct
 * proposer never includes one. One with a condition that does not hold or an operation that cannot be done
 * (see `FailureCode`) stands, pays its fee and does nothing else. A sender pays from what it has before its
 * own transaction; the proposer gets all fees of the block after the last transaction, so what one
 * transaction does never depends on another's fee.
 */
export interface ExecutionContext {
  readonly height: Height;
  /** Of the block, in ms since 1970. */
  readonly timestamp: number;
  /** Who gets the fees: the proposer that the header names. */
  readonly proposer: PublicKey;
  readonly chainId: Hash;
  /** The validators whose certificate makes the block final, as its header names them. */
  readonly validatorsHash: Hash;
}

export interface Execution {
  /** The state after the block. */
  readonly state: State;
  /** One for each transaction, in order: read from `receiptsBytes` when it is first asked for. */
  readonly receipts: readonly Receipt[];
  readonly receiptsRoot: Hash;
  /** All of them as they are stored (`receiptsCodec`). */
  readonly receiptsBytes: Uint8Array;
  /** What they say of accounts and records. */
  readonly touched: Touched;
  /** What differs from the parent's state, for storage: each key once, and nothing that stayed as it was. */
  readonly changes: StateChanges;
  /** What counted for the block; its header has to name the protocol version. */
  readonly parameters: ChainParameters;
  /** What counts for the next block, in which `validators` are those whom the header names as the next. */
  readonly next: ChainParameters;
}

/**
 * Executes a block's transactions on its parent's state, or says why no valid block holds
 * them. Checks no signature.
 */
export function executeBlock(
  parent: State,
  context: ExecutionContext,
  transactions: readonly Transaction[],
): Execution | Problem {
  const block = new BlockExecution(parent, context);
  block.expect(transactions);
  for (let index = 0; index < transactions.length; index++) {
    const transaction = transactions[index] as Transaction;
    if (!block.fits(transaction)) return oversize(context.height, transactions.length, block.limits);
    const refusal = block.add(transaction);
    if (refusal !== undefined) return ineligible(refusal, transaction, index, context.height);
  }
  return block.finish();
}

/** Checks that a header commits to what its transactions did. */
export function checkRoots(header: BlockHeader, execution: Execution): Problem | undefined {
  const wrong = (what: string, claimed: Hash | number, computed: Hash | number): Problem =>
    new Problem('block/execution', `the block at height ${header.height} claims another ${what}`, {
      remedy:
        'The block is invalid. If several nodes disagree here, compare their versions: execution must be the same on all.',
      details: { height: header.height, what, claimed, computed },
    });
  if (header.stateRoot !== execution.state.root) {
    return wrong('state root', header.stateRoot, execution.state.root);
  }
  if (header.receiptsRoot !== execution.receiptsRoot) {
    return wrong('receipts root', header.receiptsRoot, execution.receiptsRoot);
  }
  const { protocolVersion } = execution.parameters;
  if (header.protocolVersion !== protocolVersion) {
    return wrong('protocol version', header.protocolVersion, protocolVersion);
  }
  const nextValidators = nextValidatorsOf(execution);
  if (nextValidators !== undefined && header.nextValidatorsHash !== nextValidators.hash) {
    return wrong('set of next validators', header.nextValidatorsHash, nextValidators.hash);
  }
  return undefined;
}

/** Who agrees on the next block (PBFT). In Raft the engine says so, and not the ledger: undefined. */
export function nextValidatorsOf({ next }: Pick<Execution, 'next'>): ValidatorSet | undefined {
  return next.validators.length > 0 ? validatorSet(next.validators) : undefined;
}

/**
 * One block under execution: the parent's state, and over it what the block's transactions changed so far.
 */
export class BlockExecution {
  readonly #parent: State;
  readonly #context: ExecutionContext;
  readonly #draft: Draft;
  readonly #parameters: ChainParameters;
  readonly limits: BlockLimits;
  readonly #hashes: Hash[] = [];
  readonly #place: Parameters<typeof whyIneligible>[2];
  readonly #receipts = new ReceiptWriter();
  #effects: Effects = { records: [], changes: [] };
  #bytes = 0;
  #operations = 0;
  #fees = 0n;

  constructor(parent: State, context: ExecutionContext, room?: { maxCount: number; maxBytes: number }) {
    this.#parent = parent;
    this.#context = context;
    this.#draft = new Draft(parent);
    this.#parameters = parametersAt(parent.parameters, context.height);
    if (this.#parameters !== parent.parameters) this.#draft.parameters = this.#parameters;
    this.#place = { context, parameters: this.#parameters, hashes: this.#hashes };
    const { maxTransactions, maxOperations, maxBytes } = this.#parameters.limits;
    this.limits = {
      maxTransactions: Math.min(maxTransactions, room?.maxCount ?? maxTransactions),
      maxOperations,
      maxBytes: Math.min(maxBytes, room?.maxBytes ?? maxBytes),
    };
    beginHeight(this.#draft, context.height);
  }

  /** Looks up the accounts of transactions that are about to be added. */
  expect(transactions: readonly Transaction[]): void {
    const publicKeys: PublicKey[] = [];
    for (let index = 0; index < transactions.length; index++) {
      const { sender, operations } = transactions[index] as Transaction;
      publicKeys.push(sender);
      for (let at = 0; at < operations.length; at++) {
        const operation = operations[at] as Operation;
        if (operation.type === 'transfer') publicKeys.push(operation.to);
      }
    }
    this.#draft.accounts.expect(publicKeys);
  }

  fits(transaction: Transaction): boolean {
    const { maxTransactions, maxOperations, maxBytes } = this.limits;
    return (
      this.#receipts.count < maxTransactions &&
      this.#bytes + transaction.bytes.length <= maxBytes &&
      this.#operations + transaction.operations.length <= maxOperations
    );
  }

  /** Executes one more transaction, or changes nothing and says why it may not stand here. */
  add(transaction: Transaction): IneligibleCode | undefined {
    const { sender, hash, fee } = transaction;
    const refusal = whyIneligible(transaction, this.#draft.accounts.inBlock(sender), this.#place);
    if (refusal !== undefined) return refusal;
    this.#draft.accounts.pay(sender, fee);
    this.#fees += fee;
    this.#hashes.push(hash);
    this.#bytes += transaction.bytes.length;
    this.#operations += transaction.operations.length;
    this.#perform(transaction);
    return undefined;
  }

  /** Pays the fees out and closes the block. */
  finish(): Execution {
    if (this.#fees > 0n) this.#draft.accounts.credit(this.#context.proposer, this.#fees);
    const changes = changesOf(this.#draft, this.#parent);
    const { root, bytes } = this.#receipts.finish();
    let receipts: readonly Receipt[] | undefined;
    return {
      state: this.#parent.with(changes, this.#draft.accounts.seen),
      get receipts() {
        return (receipts ??= decodeStateValue(receiptsCodec, bytes, 'receipts'));
      },
      receiptsRoot: root,
      receiptsBytes: bytes,
      touched: this.#receipts.touched,
      changes,
      parameters: this.#parameters,
      next: parametersAt(this.#draft.parameters, toHeight(this.#context.height + 1)),
    };
  }

  /** All that a transaction asks, or nothing. Its fee is paid. */
  #perform(transaction: Transaction): void {
    const { sender, conditions, operations } = transaction;
    const draft = this.#draft;
    draft.begin();
    const effects = this.#noEffects();
    // Loops by index, here and wherever each transaction of a block passes: iterators allocate an object
    // for each step.
    for (let index = 0; index < conditions.length; index++) {
      const refusal = checkCondition(draft, conditions[index] as Condition, this.#context);
      if (refusal !== undefined) return this.#fail(transaction, 'condition', index, refusal);
    }
    for (let index = 0; index < operations.length; index++) {
      const operation = operations[index] as Operation;
      const refusal =
        operation.type === 'transfer'
          ? transfer(draft, sender, operation)
          : perform(draft, transaction, operation, this.#placeOf(index), effects, this.#context);
      if (refusal !== undefined) return this.#fail(transaction, 'operation', index, refusal);
    }
    this.#receipts.addApplied(transaction, draft.accounts, effects);
  }

  #placeOf(operation: number): Place {
    return { height: this.#context.height, transaction: this.#receipts.count, operation };
  }

  /** Those of the transaction before, when it had none: most have none. */
  #noEffects(): Effects {
    const { records, changes } = this.#effects;
    if (records.length + changes.length > 0) this.#effects = { records: [], changes: [] };
    return this.#effects;
  }

  /** Of what the transaction did nothing stays. */
  #fail(
    { sender, hash: transactionHash, fee }: Transaction,
    part: Failure['part'],
    index: number,
    { code, found }: Refusal,
  ): void {
    this.#draft.undo();
    const { balance, held } = this.#draft.account(sender);
    this.#receipts.addFailed({
      transactionHash,
      status: 'failed',
      code,
      failure: { part, index, found },
      fee,
      accounts: [{ publicKey: sender, balance, held }],
      records: [],
      changes: [],
    });
  }
}

function oversize(height: Height, count: number, most: BlockLimits): Problem {
  return new Problem('block/oversize', `the block at height ${height} holds more than a block may hold`, {
    remedy: `It may have ${most.maxTransactions} transactions, ${most.maxOperations} operations and ${most.maxBytes} bytes of them.`,
    details: { height, transactions: count },
  });
}
