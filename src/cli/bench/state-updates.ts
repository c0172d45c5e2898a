import { nextBelow, seedRandom } from '../../base/random.ts';
import { unwrap } from '../../base/problem.ts';
import { isCurvePoint } from '../../crypto/curve-point.ts';
import { hash } from '../../crypto/hash.ts';
import { utf8 } from '../../base/bytes.ts';
import type { PublicKey, Signature } from '../../crypto/signature.ts';
import { type Height, toHeight } from '../../ledger/block.ts';
import { executeBlock } from '../../ledger/execution.ts';
import { accountStateKey, encodeAccount, noAccount } from '../../ledger/state-entry.ts';
import { State } from '../../ledger/state.ts';
import { assembleTransaction, type Transaction } from '../../ledger/transaction.ts';

/** Transfers between two roots. */
const usualTransfers = 500;
/** Rounds before any counts: what is not compiled yet measures the compiler. */
const warmUp = 20;

export interface UpdateFigures {
  readonly accounts: number;
  /**
   * µs of processor time for each of 500 transfers between random accounts, with the root after them: the
   * median of all rounds, and the least.
   */
  readonly root: { readonly median: number; readonly least: number };
  /**
   * The same for the whole block: execution, receipts and their root, and the state's root. No signatures.
   */
  readonly block: { readonly median: number; readonly least: number };
  /** The state in memory after all of it. */
  readonly bytesPerAccount: number;
}

const chainId = hash('quorate/v1/chain', utf8('benchmark'));
const signature = 'ab'.repeat(64) as Signature;
const balance = 1_000_000n;

/** Points of the curve that nobody holds the keys of: nothing here checks a signature. */
export function benchmarkKey(index: number): PublicKey {
  // Half of all hashes are points.
  for (let attempt = 0; ; attempt++) {
    const text = utf8(`account ${index}, attempt ${attempt}`);
    const key = hash('quorate/v1/gossip-id', text) as string as PublicKey;
    if (isCurvePoint(key)) return key;
  }
}

/**
 * What changes of the state when random accounts pay each other, and what does it, on states of this size.
 */
export async function measureUpdates(
  accounts: number,
  rounds: number,
  transfers: number = usualTransfers,
): Promise<UpdateFigures> {
  const growing = State.growing();
  const value = encodeAccount({ ...noAccount, balance });
  for (let index = 0; index < accounts; index++) {
    if (value !== null) growing.add(accountStateKey(benchmarkKey(index)), value);
  }
  const random = seedRandom(accounts);
  const nonces = new Map<number, number>();
  let state = growing.finish();
  const [rootTimes, blockTimes]: [number[], number[]] = [[], []];
  for (let round = 0; round < warmUp + rounds; round++) {
    const height = toHeight(round + 1);
    const block = Array.from({ length: transfers }, (): Transaction => {
      const from = nextBelow(random, accounts);
      const nonce = nonces.get(from) ?? 0;
      nonces.set(from, nonce + 1);
      return payment(from, nonce, nextBelow(random, accounts), height);
    });
    const context = { height, timestamp: round, proposer: benchmarkKey(0), chainId, validatorsHash: chainId };
    const before = state;
    const [execution, blockTime] = timed(() => {
      const done = unwrap(executeBlock(before, context, block));
      void done.state.root;
      return done;
    });
    const [again, rootTime] = timed(() => {
      const next = before.with(execution.changes);
      void next.root;
      return next;
    });
    again.release();
    before.release();
    state = execution.state;
    rootTimes.push(rootTime / transfers);
    blockTimes.push(blockTime / transfers);
    // A node comes back to its loop between blocks, too.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return {
    accounts,
    root: summary(rootTimes.slice(warmUp)),
    block: summary(blockTimes.slice(warmUp)),
    bytesPerAccount: state.memoryBytes / accounts,
  };
}

function payment(from: number, nonce: number, to: number, height: Height): Transaction {
  return assembleTransaction(
    {
      chainId,
      sender: benchmarkKey(from),
      nonce,
      fee: 0n,
      expiryHeight: height,
      reference: new Uint8Array(),
      conditions: [],
      operations: [{ type: 'transfer', to: benchmarkKey(to), amount: 1n, memo: '' }],
      signers: [benchmarkKey(from)],
    },
    [signature],
  );
}

/**
 * With µs of processor time: what others do on the machine is not counted, though what
 * they do to its caches is.
 */
function timed<T>(work: () => T): [T, number] {
  const begin = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(begin);
  return [result, user + system];
}

function summary(times: readonly number[]): { median: number; least: number } {
  const sorted = times.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >>> 1] ?? 0, least: sorted[0] ?? 0 };
}
