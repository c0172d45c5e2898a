import { Problem, unwrap } from '../src/base/problem.ts';
import { type HttpClient, problemOf } from '../src/client/http-client.ts';
import type { SubmitAnswer } from '../src/client/answers.ts';
import { Transport } from '../src/client/transport.ts';
import { Wallet } from '../src/client/wallet.ts';
import { toHex } from '../src/base/bytes.ts';
import { developmentKeyPair } from '../src/crypto/development-keys.ts';
import type { Genesis } from '../src/ledger/genesis.ts';
import { toHeight } from '../src/ledger/block.ts';
import type { Transaction } from '../src/ledger/transaction.ts';
import { differingHeights } from './demo-compare.ts';
import { eventually, pause } from './malicious-seats.ts';
import type { Links } from './partition-links.ts';

/** Something that is promised, and whether it held. */
export interface Step {
  readonly what: string;
  readonly held: boolean;
}

export interface Scene {
  readonly clients: readonly HttpClient[];
  readonly genesis: Genesis;
  readonly links: Links;
  readonly deadlineMs: number;
  readonly check: (step: Step) => void;
  readonly say: (text: string) => void;
}

/** How long a partition lasts at least: some view timeouts, so that whoever could go on alone would have. */
const partitionMs = 8_000;
/** How long a client waits in a submission. */
const waitMs = 2_000;

const names = ['alice', 'bob', 'carol'] as const;
type Name = (typeof names)[number];

/** 2 | 2, healed; 3 | 1, healed; every promise checked on the way. */
export async function story(scene: Scene): Promise<void> {
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
  const transport = new Transport({ baseUrl: client(scene, node).baseUrl, deadlineMs: 0 });
  const answer = await transport.request({
    method: 'POST',
    path: `/v1/transactions?wait=final&timeoutMs=${waitMs}`,
    body: new TextEncoder().encode(JSON.stringify({ transaction: toHex(payment.bytes) })),
    contentType: 'application/json',
  });
  const status = answer instanceof Problem ? answer.message : (answer as SubmitAnswer).status;
  const held = status === 'pending';
  scene.check({ what: `node ${node} takes a payment, and says after ${waitMs / 1000} s: ${status}`, held });
}

async function checkNotReady(scene: Scene, node: number): Promise<void> {
  let says = '';
  // It takes a few of the others' idle messages that do not come.
  await eventually(`node ${node} is not ready`, scene.deadlineMs, async () => {
    const ready = await client(scene, node).ready({ deadlineMs: 0 });
    if (!(ready instanceof Problem) || ready.code !== 'node/no-quorum') return 'it takes itself for ready';
    says = ready.message;
    return undefined;
  });
  scene.check({ what: `node ${node} is not ready, so that balancers pass it by: ${says}`, held: true });
}

/** What a node answers alone may be old: it says so, and never takes it for the newest there is. */
async function checkStaleRead(scene: Scene, node: number): Promise<void> {
  const { publicKey } = developmentKeyPair('bob');
  const { consistency, height } = unwrap(await client(scene, node).account(publicKey));
  const strict = await client(scene, node).account(publicKey, { consistency: 'linearizable', deadlineMs: 0 });
  const claimed = !(strict instanceof Problem) && strict.consistency === 'linearizable';
  scene.check({
    what: `node ${node} marks what it reads: ${consistency}, of height ${height}; for the newest it ${claimed ? 'vouches' : 'does not vouch'}`,
    held: consistency === 'stale' && !claimed,
  });
}

async function checkWhy(scene: Scene, node: number): Promise<void> {
  const { why } = unwrap(await client(scene, node).why());
  scene.check({ what: `node ${node} says why: ${why}`, held: why !== '' });
}

async function checkConverged(scene: Scene): Promise<void> {
  const { clients, deadlineMs } = scene;
  await eventually('all four nodes are at one height', deadlineMs, async () => {
    const found = await heights(scene);
    return new Set(found).size === 1 ? undefined : `heights ${found.join(' ')}`;
  });
  const [height = 0] = await heights(scene);
  const blocks = await Promise.all(clients.map((one) => one.block(toHeight(height))));
  const roots = new Set(blocks.map((block) => unwrap(block).header.stateRoot));
  const differing = await differingHeights(clients, toHeight(1), toHeight(height));
  const held = roots.size === 1 && differing.length === 0;
  scene.check({ what: `all four have the same ${height} blocks and the same state`, held });
}

async function submit(scene: Scene, node: number, payment: Transaction): Promise<void> {
  const answer = unwrap(await client(scene, node).submit(payment));
  if (answer.status === 'refused') throw problemOf(answer.problem);
}

async function finalAt(scene: Scene, nodes: readonly number[], payment: Transaction): Promise<void> {
  const { deadlineMs } = scene;
  for (const node of nodes) unwrap(await client(scene, node).waitFinal(payment.hash, { deadlineMs }));
}

async function heights({ clients }: Scene): Promise<number[]> {
  const found = await Promise.all(clients.map((one) => one.status()));
  return found.map((status) => unwrap(status).finalHeight);
}

function client({ clients }: Scene, node: number): HttpClient {
  return clients[node] as HttpClient;
}

/** True for links between the nodes of one side and the rest. */
function across(side: readonly number[]): (from: number, to: number) => boolean {
  return (from, to) => side.includes(from) !== side.includes(to);
}

/** The payments of the demonstration, each sender's in order. */
class Payments {
  readonly #genesis: Genesis;
  readonly #nonces = new Map<Name, number>();

  constructor(genesis: Genesis) {
    this.#genesis = genesis;
  }

  next(from: Name, to: Name): Transaction {
    const nonce = this.#nonces.get(from) ?? 0;
    this.#nonces.set(from, nonce + 1);
    const wallet = new Wallet({ chainId: this.#genesis.chainId, keyPair: developmentKeyPair(from) });
    const terms = { nonce, fee: 1n, expiryHeight: toHeight(10_000) };
    return unwrap(wallet.transfer(developmentKeyPair(to).publicKey, 1n, terms));
  }
}
