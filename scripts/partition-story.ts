import { Problem, unwrap } from '../src/base/problem.ts';
import type { Transaction } from '../src/ledger/transaction.ts';
import { eventually, pause } from './malicious-seats.ts';
import {
  across,
  checkConverged,
  checkNotReady,
  checkStaleRead,
  checkWhy,
  client,
  finalAt,
  heights,
  Payments,
  type Scene,
  submit,
  submitAndWait,
} from './partition-scene.ts';

/** How long a partition lasts at least: some view timeouts, so that whoever could go on alone would have. */
const partitionMs = 8_000;

/** 2 | 2, healed; 3 | 1, healed; every promise checked on the way. */
export async function pbftStory(scene: Scene): Promise<void> {
  const { clients, links, say, check } = scene;
  const payments = new Payments(scene.genesis);

  say('\nBefore: all links work.');
  const first = payments.next('alice', 'bob');
  await submit(scene, 0, first);
  await finalAt(scene, [0, 1, 2, 3], first);
  check({ what: 'a payment that node 0 took is final on all four nodes', held: true });

  say('\n0 1 | 2 3: a cable is pulled, nobody is told. Neither side is a quorum (3 of 4).');
  links.cut(across([0, 1]), 'silent');
  // What was under way when the cable was pulled may still become final.
  await pause(500);
  const before = await heights(scene);
  const onLeft = payments.next('bob', 'carol');
  const onRight = payments.next('carol', 'alice');
  await checkPending(scene, 0, onLeft);
  await checkPending(scene, 3, onRight);
  await pause(partitionMs);
  const during = await heights(scene);
  check({
    what: `nothing becomes final on either side (heights ${during.join(' ')})`,
    held: during.every((height, node) => height === before[node]),
  });
  for (const node of [0, 3]) {
    await checkNotReady(scene, node);
    await checkStaleRead(scene, node);
    await checkWhy(scene, node);
  }

  say('\nThe cable is plugged in again.');
  const healed = performance.now();
  links.heal();
  await finalAt(scene, [0, 1, 2, 3], onLeft);
  await finalAt(scene, [0, 1, 2, 3], onRight);
  const seconds = ((performance.now() - healed) / 1000).toFixed(1);
  check({
    what: `what both sides took meanwhile is final on all four nodes, ${seconds} s later`,
    held: true,
  });
  await checkConverged(scene);

  say('\n0 1 2 | 3: a firewall rejects every connection of node 3. Three of four are a quorum.');
  links.cut(across([3]), 'reset');
  await eventually('node 3 has no peers', scene.deadlineMs, async () => {
    const { peers } = unwrap(await client(scene, 3).status());
    return peers === 0 ? undefined : `it has ${peers}`;
  });
  const cutAt = (await heights(scene))[3];
  const lonely = payments.next('carol', 'bob');
  await checkPending(scene, 3, lonely);
  const majority = [0, 1, 2].map(() => payments.next('alice', 'carol'));
  for (const payment of majority) {
    await submit(scene, 1, payment);
    await finalAt(scene, [0, 1, 2], payment);
  }
  const apart = await heights(scene);
  check({ what: `the majority goes on (heights ${apart.slice(0, 3).join(' ')})`, held: apart[0] !== cutAt });
  check({ what: `the minority refuses to go on alone (height ${apart[3]})`, held: apart[3] === cutAt });
  await checkNotReady(scene, 3);
  await checkStaleRead(scene, 3);
  check({
    what: 'the majority is ready for clients',
    held: !((await client(scene, 0).ready()) instanceof Problem),
  });

  say('\nThe firewall lets node 3 through again.');
  links.heal();
  await finalAt(scene, [3], majority[2] ?? first);
  check({ what: 'node 3 caught up with what it missed', held: true });
  await finalAt(scene, [0, 1, 2, 3], lonely);
  check({ what: 'the payment that node 3 took alone is final on all four nodes', held: true });
  await checkConverged(scene);
  for (const node of clients.keys()) {
    const ready = await client(scene, node).ready();
    if (ready instanceof Problem) check({ what: `node ${node} is ready: ${ready.message}`, held: false });
  }
  check({ what: 'all four nodes are ready', held: true });
}

/** Clients that submit and wait get an honest answer: taken, not final; nothing is claimed. */
async function checkPending(scene: Scene, node: number, payment: Transaction): Promise<void> {
  const waitMs = 2_000;
  const answer = await submitAndWait(scene, { node, payment, waitMs });
  const status = answer instanceof Problem ? answer.message : answer.status;
  const held = status === 'pending';
  scene.check({ what: `node ${node} takes a payment, and says after ${waitMs / 1000} s: ${status}`, held });
}
