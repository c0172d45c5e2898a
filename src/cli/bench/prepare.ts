import { limits } from '../../base/limits.ts';
import { Problem, unwrap } from '../../base/problem.ts';
import { toHeight } from '../../ledger/block.ts';
import { newAccounts } from './accounts.ts';
import { fund } from './funding.ts';
import type { Mix } from './mix.ts';
import type { BenchNode, Testbed } from './testbed.ts';
import { Workload } from './workload.ts';

/** What the load is made of. */
export interface LoadShape {
  readonly accounts: number;
  readonly senders: number;
  readonly mix: Mix;
  readonly payload: number;
  readonly operations: number;
}

export interface Surroundings {
  readonly stop: AbortSignal;
  /** One line about what goes on, and how much of it is done. */
  readonly say: (text: string, share?: number) => void;
  /** Where the data and logs of the nodes stay, when they are to be kept. */
  readonly keptIn?: string | undefined;
}

/** A chain with accounts that can pay, and who signs for them. */
export interface Prepared {
  readonly testbed: Testbed;
  /** Those that load is brought to. */
  readonly nodes: readonly BenchNode[];
  readonly workload: Workload;
  readonly shape: LoadShape;
}

/** Ways to one node, each with senders of its own and one request at a time. */
const lanesPerNode = 4;

/** How many send: as many for each lane, so that each sender's transactions come by one way, in order. */
export function sendersOf(
  { senders, accounts }: Pick<LoadShape, 'senders' | 'accounts'>,
  nodes: number,
): number {
  const lanes = nodes * lanesPerNode;
  return Math.ceil(Math.min(senders, accounts) / lanes) * lanes;
}

/** Funds accounts, so that load can be signed. Throws problems. */
export async function prepare(
  testbed: Testbed,
  shape: LoadShape,
  { stop, say }: Surroundings,
  isBroughtTo: (node: BenchNode) => boolean = () => true,
): Promise<Prepared> {
  const nodes = testbed.nodes.filter((node) => !node.lies && isBroughtTo(node));
  const [first] = nodes;
  if (first === undefined) {
    throw new Problem('cli/usage', 'there is no node to bring load to', { remedy: 'Name one with --nodes.' });
  }
  const lanes = nodes.length * lanesPerNode;
  const senders = sendersOf(shape, nodes.length);
  say(`making the keys of ${shape.accounts} accounts`);
  const accounts = newAccounts(senders, shape.accounts);
  await fund(testbed, accounts, {
    stop,
    onProgress: (done) =>
      say(`${done} of ${Math.max(senders, shape.accounts)} accounts have coins`, done / shape.accounts),
  });
  const { finalHeight } = unwrap(await first.client.status());
  const workload = new Workload({
    chainId: testbed.chainId,
    accounts,
    lanes,
    mix: shape.mix,
    payload: shape.payload,
    operationsPerTransaction: shape.operations,
    expiryHeight: toHeight(finalHeight + limits.maxExpiryAhead / 2),
  });
  return { testbed, nodes, workload, shape };
}
