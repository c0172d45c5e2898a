import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from '../../base/codec.ts';
import { developmentGenesis } from '../testnet/development-genesis.ts';
import { hashHeader, headerCodec, toHeight } from '../../ledger/block.ts';
import { genesisHeader } from '../../ledger/genesis.ts';
import { receiptsCodec } from '../../ledger/receipt.ts';
import { encodeNamespaceRules } from '../../ledger/namespace.ts';
import {
  accountStateKey,
  encodeAccount,
  encodeRecord,
  namespaceStateKey,
  noAccount,
  recordStateKey,
} from '../../ledger/state-entry.ts';
import { State } from '../../ledger/state.ts';
import { Touched } from '../../ledger/touched.ts';
import { restore } from '../../node/effects/restore.ts';
import { ChainStore } from '../../storage/chain-store.ts';
import { checksummedWrite } from '../../storage/checksummed.ts';
import { keys } from '../../storage/keys.ts';
import { openLevelStore } from '../../storage/level-store.ts';
import type { Write } from '../../storage/port.ts';
import { newDirectory } from '../temporary-directory.ts';
import { benchmarkKey } from './state-updates.ts';

export interface StartFigures {
  readonly accounts: number;
  readonly records: number;
  /**
   * From opening the database to a state whose root was compared: seconds that passed, and of processor time.
   */
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const recordBytes = 100;
const entriesPerBatch = 20_000;

/**
 * Fills a database in a temporary directory with a state of this size, opens it as a
 * node does, and removes it.
 */
export async function measureStart(accounts: number, records: number): Promise<StartFigures> {
  const directory = newDirectory('bench');
  try {
    const genesis = developmentGenesis('pbft');
    const { chainId } = genesis;
    await fill(join(directory, 'db'), chainId, { accounts, records, header: genesisHeader(genesis) });
    const [begin, cpu] = [performance.now(), process.cpuUsage()];
    const store = await openLevelStore(join(directory, 'db'));
    await restore(await ChainStore.open(store, { chainId }), genesis);
    const { user, system } = process.cpuUsage(cpu);
    const seconds = (performance.now() - begin) / 1_000;
    await store.close();
    return { accounts, records, seconds, cpuSeconds: (user + system) / 1_000_000 };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function fill(
  path: string,
  chainId: Parameters<typeof ChainStore.open>[1]['chainId'],
  {
    accounts,
    records,
    header,
  }: { accounts: number; records: number; header: ReturnType<typeof genesisHeader> },
): Promise<void> {
  const store = await openLevelStore(path);
  const growing = State.growing();
  let batch: Write[] = [];
  const flush = (): Promise<void> => {
    const full = batch;
    batch = [];
    return new Promise((resolve, reject) =>
      store.write(full, (problem) => (problem === undefined ? resolve() : reject(problem))),
    );
  };
  // Through the chain's own store first: entries of a state that belong to no chain are somebody else's.
  const chain = await ChainStore.open(store, { chainId });
  for (const [key, value] of entries(accounts, records)) {
    growing.add(key, value);
    batch.push(checksummedWrite(keys.state(key), value));
    if (batch.length === entriesPerBatch) await flush();
  }
  await flush();
  const withState = { ...header, stateRoot: growing.finish().root };
  await new Promise<void>((resolve, reject) =>
    chain.commit(
      {
        height: toHeight(0),
        hash: hashHeader(withState),
        headerBytes: encode(headerCodec, withState),
        certificate: null,
        transactions: [],
        touched: new Touched(),
        receiptsBytes: encode(receiptsCodec, []),
        stateChanges: [],
        forgetRecords: [],
        forgetCandidates: [],
      },
      (problem) => (problem === undefined ? resolve() : reject(problem)),
    ),
  );
  await store.close();
}

function* entries(accounts: number, records: number): Generator<readonly [Uint8Array, Uint8Array]> {
  const account = encodeAccount({ ...noAccount, balance: 1_000n, nonce: 1 });
  for (let index = 0; index < accounts; index++) {
    if (account !== null) yield [accountStateKey(benchmarkKey(index)), account];
  }
  // All in one namespace, and so in one tree of their own.
  const owner = benchmarkKey(0);
  yield [namespaceStateKey('records'), encodeNamespaceRules({ owner, mode: 'open', writers: [] })];
  const value = new Uint8Array(recordBytes).fill(7);
  for (let index = 0; index < records; index++) {
    const record = encodeRecord({
      type: 'record',
      owner: benchmarkKey(index),
      value,
      version: 1,
      changed: { height: toHeight(1), transaction: 0, operation: 0 },
      previous: undefined,
    });
    yield [recordStateKey(`records/${index}`), record];
  }
}
