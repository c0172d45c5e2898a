import { Problem, unwrap } from '../src/base/problem.ts';
import { developmentKeyPair } from '../src/crypto/development-keys.ts';
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

const all = [0, 1, 2, 3, 4];
/** How long a client is ready to wait; who loses the lead tells it long before. */
const waitMs = 20_000;

/** Five nodes: the leader and one follower cut off from the other three, and healed; every promise checked on the way. */
export async function raftStory(scene: Scene): Promise<void> {
  const { links, say, check } = scene;
  const payments = new Payments(scene.genesis);

  say('\nBefore: all links work.');
  const first = payments.next('alice', 'bob');
  await submit(scene, 0, first);
  await finalAt(scene, all, first);
  check({ what: 'a payment that node 0 took is final on all five nodes', held: true });
  const leader = await leaderAmong(scene, all);
  const follower = leader === 0 ? 1 : 0;
  const minority = [leader, follower];
  const majority = all.filter((node) => !minority.includes(node));

  say(
    `\n${minority.join(' ')} | ${majority.join(' ')}: a cable is pulled, nobody is told. Node ${leader} leads.`,
  );
  links.cut(across(minority), 'silent');
  const held = payments.next('bob', 'carol');
  await checkOutcomeUnknown(scene, leader, held);
  const before = await heights(scene);
  for (const node of minority) {
    await checkRefused(scene, node, payments);
    await checkNotReady(scene, node);
    await checkStaleRead(scene, node);
    await checkWhy(scene, node);
  }

  const next = await leaderAmong(scene, majority);
  check({ what: `the other side elected node ${next}`, held: majority.includes(next) });
  const meanwhile = payments.next('alice', 'carol');
  await submit(scene, next, meanwhile);
  await finalAt(scene, majority, meanwhile);
  await checkLinearizableRead(scene, majority.find((node) => node !== next) ?? next);
  const during = await heights(scene);
  check({
    what: `it goes on, and the minority does not (heights ${during.join(' ')})`,
    held:
      minority.every((node) => during[node] === before[node]) &&
      majority.every((node) => (during[node] ?? 0) > (before[leader] ?? 0)),
  });

  say('\nThe cable is plugged in again.');
  links.heal();
  await finalAt(scene, all, meanwhile);
  check({ what: 'the minority caught up with what it missed, by itself', held: true });
  await submit(scene, next, held);
  await finalAt(scene, all, held);
  const counted = unwrap(await client(scene, leader).account(developmentKeyPair('bob').publicKey));
  check({
    what: `the payment whose outcome was unknown, sent again, counts once (bob's next nonce: ${counted.nonce})`,
    held: counted.nonce === 1,
  });
  const refused = unwrap(await client(scene, next).account(developmentKeyPair('carol').publicKey));
  check({
    what: `what was refused was not taken (carol's next nonce: ${refused.nonce})`,
    held: refused.nonce === 0,
  });
  await checkConverged(scene);

  say('\nA firewall rejects every connection of one follower, which asks nobody to elect it.');
  const { view } = unwrap(await client(scene, next).status());
  const lonely = all.find((node) => node !== next) ?? 0;
  links.cut(across([lonely]), 'reset');
  await checkNotReady(scene, lonely);
  await pause(3_000);
  links.heal();
  const late = payments.next('carol', 'bob');
  await submit(scene, next, late);
  await finalAt(scene, all, late);
  const after = unwrap(await client(scene, next).status());
  check({
    what: `it came back without raising anybody's term (${view}, then ${after.view})`,
    held: after.view === view && after.primary === next,
  });
  await checkConverged(scene);
}

async function leaderAmong(scene: Scene, nodes: readonly number[]): Promise<number> {
  let leader = -1;
  await eventually(`one of ${nodes.join(' ')} leads`, scene.deadlineMs, async () => {
    const seen = await Promise.all(
      nodes.map(async (node) => unwrap(await client(scene, node).status()).primary),
    );
    leader = seen[0] ?? -1;
    return nodes.includes(leader) && seen.every((one) => one === leader)
      ? undefined
      : `they say ${seen.join(' ')}`;
  });
  return leader;
}

/** A client that waits at the old leader is told when it loses the lead, and does not wait in vain. */
async function checkOutcomeUnknown(
  scene: Scene,
  node: number,
  payment: Parameters<typeof submit>[2],
): Promise<void> {
  const begin = performance.now();
  const answer = await submitAndWait(scene, { node, payment, waitMs });
  const seconds = (performance.now() - begin) / 1000;
  const says = answer instanceof Problem ? `${answer.code}: ${answer.message}` : answer.status;
  scene.check({
    what: `node ${node} took a payment, and told its client after ${seconds.toFixed(1)} s: ${says}`,
    held:
      answer instanceof Problem && answer.code === 'consensus/outcome-unknown' && seconds * 1000 < waitMs / 2,
  });
}

/** Nothing is taken that nobody can decide on, and nothing is claimed to be the newest. */
async function checkRefused(scene: Scene, node: number, payments: Payments): Promise<void> {
  await eventually(`node ${node} knows that it has no leader`, scene.deadlineMs, async () => {
    const { primary } = unwrap(await client(scene, node).status());
    return primary === null ? undefined : `it follows node ${primary}`;
  });
  const answer = await client(scene, node).submit(payments.peek('carol', 'alice'), { deadlineMs: 0 });
  scene.check({
    what: `node ${node} refuses a payment: ${answer instanceof Problem ? answer.message : answer.status}`,
    held: answer instanceof Problem && answer.code === 'consensus/no-leader',
  });
  const { publicKey } = developmentKeyPair('bob');
  const read = await client(scene, node).account(publicKey, { consistency: 'linearizable', deadlineMs: 0 });
  scene.check({
    what: `node ${node} refuses a linearizable read: ${read instanceof Problem ? read.message : 'it does not'}`,
    held: read instanceof Problem && read.code === 'consensus/no-leader',
  });
}

async function checkLinearizableRead(scene: Scene, node: number): Promise<void> {
  const { publicKey } = developmentKeyPair('alice');
  const read = unwrap(await client(scene, node).account(publicKey, { consistency: 'linearizable' }));
  scene.check({
    what: `node ${node} serves linearizable reads: alice's next nonce is ${read.nonce}`,
    held: read.nonce === 2 && read.consistency === 'linearizable',
  });
}
