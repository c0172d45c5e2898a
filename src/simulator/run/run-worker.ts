import { parentPort } from 'node:worker_threads';
import { defined } from '../../base/invariant.ts';
import { useNativeHash } from '../../crypto/native-hash.ts';
import { drawPlan } from '../plan/draw-plan.ts';
import type { WorkOrder } from './run-pool.ts';
import { simulate } from './simulation.ts';

useNativeHash();
const port = defined(parentPort, 'the pool that started this worker');

port.on('message', (order: WorkOrder) => {
  void (async () => {
    for (const seed of order.seeds) {
      const plan = { ...drawPlan(seed, order.engine), signatures: order.signatures };
      port.postMessage((await simulate(plan)).verdict);
    }
  })();
});
