import { defined } from '../../../base/invariant.ts';
import type { Transaction } from '../../../ledger/transaction.ts';
import { decodeTransaction } from '../../../ledger/transaction.ts';
import { Driver } from '../../../node/core/driver.ts';
import { protocolOf } from '../../../node/core/protocol.ts';
import { restore } from '../../../node/effects/restore.ts';
import { silentLog } from '../../../node/process/log.ts';
import { type SimulatedChain } from '../../../simulator/plan/simulated-chain.ts';
import type { SignatureScheme } from '../../../simulator/world/fast-signatures.ts';
import { ProcessLife } from '../../../simulator/world/process-life.ts';
import type { Scheduler } from '../../../simulator/world/scheduler.ts';
import { VirtualClock } from '../../../simulator/world/virtual-clock.ts';
import type { VirtualDisk } from '../../../simulator/world/virtual-disk.ts';
import type { VirtualNetwork } from '../../../simulator/world/virtual-network.ts';
import { ChainStore } from '../../../storage/chain-store.ts';
import { copyOf, type Store } from '../../../storage/port.ts';
import type { WorkCounter } from './work-counter.ts';

interface ScaleNodeOptions {
  readonly index: number;
  readonly chain: SimulatedChain;
  readonly scheme: SignatureScheme;
  readonly scheduler: Scheduler;
  readonly network: VirtualNetwork;
  readonly disk: VirtualDisk;
  readonly counter: WorkCounter;
  /** The hashes of a block that is final here. */
  readonly onFinal: (height: number, hashes: readonly string[]) => void;
}

export interface ScaleNode {
  /** A client's. */
  submit(transactions: readonly Transaction[]): void;
  why(): string;
}

/** The shipped node on virtual ports that count, with nobody who checks what it does. */
export async function startScaleNode(options: ScaleNodeOptions): Promise<ScaleNode> {
  const { index, chain, scheme, scheduler, counter } = options;
  const { genesis } = chain;
  const life = new ProcessLife((error) => {
    throw error;
  });
  const store = await ChainStore.open(countingStore(options.disk.open(life), counter), {
    chainId: genesis.chainId,
  });
  const key = defined(chain.nodeKeys[index], 'each node has a key');
  const network = options.network.join(index, { life, hello: () => driver.hello() });
  const driver = new Driver({
    genesis,
    protocol: protocolOf(genesis),
    restored: await restore(store, genesis),
    store,
    network,
    verifier: {
      verify: (claims, _strict, done) => {
        counter.checked(claims);
        scheduler.defer(() => life.enter(() => done(claims.map((claim) => scheme.verify(claim)))));
      },
      close: async () => undefined,
    },
    clock: new VirtualClock({ scheduler, life, offsetMs: 0, rate: 1 }),
    log: silentLog,
    identity: { publicKey: key.publicKey, sign: (message) => scheme.sign(key.secretKey, message) },
    checkSignature: (claim) => scheme.verify(claim),
    trust: 'whole',
    seed: index,
    onFatal: (error) => {
      throw error;
    },
  });
  driver.listeners.final.add(({ block }) =>
    options.onFinal(
      block.header.height,
      block.transactions.map(({ hash }) => hash),
    ),
  );
  driver.start();
  await network.start(driver.handlers);
  return {
    // From bytes, as over HTTP: nodes share no objects.
    submit: (transactions) =>
      life.enter(() =>
        driver.submit(
          transactions.map(({ bytes }) => decodeTransaction(bytes)),
          () => {},
        ),
      ),
    why: () => driver.engine.why(),
  };
}

function countingStore(store: Store, counter: WorkCounter): Store {
  return {
    ...store,
    write: (changes, done) => {
      const { counts } = counter;
      const batch = copyOf(changes);
      counts.syncs += 1;
      counts.writtenEntries += batch.length;
      for (const write of batch) {
        counts.writtenBytes += write.key.length + (write.type === 'put' ? write.value.length : 0);
      }
      store.write(batch, done);
    },
  };
}
