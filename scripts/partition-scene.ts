import { toHex } from '../src/base/bytes.ts';
import { Problem, unwrap } from '../src/base/problem.ts';
import type { TransactionStatusAnswer } from '../src/client/answers.ts';
import type { HttpClient } from '../src/client/http-client.ts';
import { problemOf } from '../src/client/outcomes.ts';
import { Transport } from '../src/client/transport.ts';
import { Wallet } from '../src/client/wallet.ts';
import { developmentKeyPair } from '../src/crypto/development-keys.ts';
import { toHeight } from '../src/ledger/block.ts';
import type { Genesis } from '../src/ledger/genesis.ts';
import type { Transaction } from '../src/ledger/transaction.ts';
import { differingHeights } from './demo-compare.ts';
import { eventually } from './malicious-seats.ts';
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

type Name = 'alice' | 'bob' | 'carol';

/** One request that waits until the payment is final, at most this long. */
export async function submitAndWait(
  scene: Scene,
  {
    node,
    payment,
    waitMs,
  }: { readonly node: number; readonly payment: Transaction; readonly waitMs: number },
): Promise<TransactionStatusAnswer | Problem> {
  const transport = new Transport({ baseUrl: client(scene, node).baseUrl, deadlineMs: 0 });
  return transport.request({
    method: 'POST',
    path: `/v1/transactions?wait=final&timeoutMs=${waitMs}`,
    body: new TextEncoder().encode(JSON.stringify({ transaction: toHex(payment.bytes) })),
    contentType: 'application/json',
  }) as Promise<TransactionStatusAnswer | Problem>;
}

export async function checkNotReady(scene: Scene, node: number): Promise<void> {
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
export async function checkStaleRead(scene: Scene, node: number): Promise<void> {
  const { publicKey } = developmentKeyPair('bob');
  const { consistency, height } = unwrap(await client(scene, node).account(publicKey));
  const strict = await client(scene, node).account(publicKey, { consistency: 'linearizable', deadlineMs: 0 });
  const claimed = !(strict instanceof Problem) && strict.consistency === 'linearizable';
  scene.check({
    what: `node ${node} marks what it reads: ${consistency}, of height ${height}; for the newest it ${claimed ? 'vouches' : 'does not vouch'}`,
    held: consistency === 'stale' && !claimed,
  });
}

export async function checkWhy(scene: Scene, node: number): Promise<void> {
  const { why } = unwrap(await client(scene, node).why());
  scene.check({ what: `node ${node} says why: ${why}`, held: why !== '' });
}

export async function checkConverged(scene: Scene): Promise<void> {
  const { clients, deadlineMs } = scene;
  await eventually('all nodes are at one height', deadlineMs, async () => {
    const found = await heights(scene);
    return new Set(found).size === 1 ? undefined : `heights ${found.join(' ')}`;
  });
  const [height = 0] = await heights(scene);
  const blocks = await Promise.all(clients.map((one) => one.block(toHeight(height))));
  const roots = new Set(blocks.map((block) => unwrap(block).header.stateRoot));
  const differing = await differingHeights(clients, toHeight(1), toHeight(height));
  const held = roots.size === 1 && differing.length === 0;
  scene.check({ what: `all have the same ${height} blocks and the same state`, held });
}

export async function submit(scene: Scene, node: number, payment: Transaction): Promise<void> {
  const answer = unwrap(await client(scene, node).submit(payment));
  if (answer.status === 'refused') throw problemOf(answer.problem);
}

export async function finalAt(scene: Scene, nodes: readonly number[], payment: Transaction): Promise<void> {
  const { deadlineMs } = scene;
  for (const node of nodes) unwrap(await client(scene, node).waitFinal(payment.hash, { deadlineMs }));
}

export async function heights({ clients }: Scene): Promise<number[]> {
  const found = await Promise.all(clients.map((one) => one.status()));
  return found.map((status) => unwrap(status).finalHeight);
}

export function client({ clients }: Scene, node: number): HttpClient {
  return clients[node] as HttpClient;
}

/** True for links between the nodes of one side and the rest. */
export function across(side: readonly number[]): (from: number, to: number) => boolean {
  return (from, to) => side.includes(from) !== side.includes(to);
}

/** The payments of the demonstration, each sender's in order. */
export class Payments {
  readonly #genesis: Genesis;
  readonly #nonces = new Map<Name, number>();

  constructor(genesis: Genesis) {
    this.#genesis = genesis;
  }

  next(from: Name, to: Name): Transaction {
    const payment = this.peek(from, to);
    this.#nonces.set(from, payment.nonce + 1);
    return payment;
  }

  /** The next one, which stays the next one. */
  peek(from: Name, to: Name): Transaction {
    const nonce = this.#nonces.get(from) ?? 0;
    const wallet = new Wallet({ chainId: this.#genesis.chainId, keyPair: developmentKeyPair(from) });
    const terms = { nonce, fee: 1n, expiryHeight: toHeight(10_000) };
    return unwrap(wallet.transfer(developmentKeyPair(to).publicKey, 1n, terms));
  }
}
