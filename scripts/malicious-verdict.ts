import { Problem, unwrap } from '../src/base/problem.ts';
import type { HttpClient } from '../src/client/http-client.ts';
import type { Hash } from '../src/crypto/hash.ts';
import { type Height, toHeight } from '../src/ledger/block.ts';
import { countOutcomes, differingHeights, headAt } from './demo-compare.ts';

/** What the honest nodes hold against whom, by validator: the kinds of contradiction. */
export type Accusations = ReadonlyMap<number, ReadonlySet<string>>;

export interface Findings {
  readonly height: Height;
  readonly view: number;
  readonly final: number;
  readonly accusations: Accusations;
  /** What did not hold; empty when all did. */
  readonly breaches: readonly string[];
}

/** Compares the honest nodes with each other and with what was submitted, when all of it should be final. */
export async function examine(options: {
  readonly honest: readonly HttpClient[];
  /** Validators that may be accused. */
  readonly liars: ReadonlySet<number>;
  readonly transactions: ReadonlySet<Hash>;
  /** No transaction stands at or below it. */
  readonly from: Height;
  readonly deadlineMs: number;
}): Promise<Findings> {
  const { honest, liars, transactions, from, deadlineMs } = options;
  const breaches: string[] = [];
  const statuses = (await Promise.all(honest.map((client) => client.status()))).map(unwrap);
  const height = toHeight(Math.max(...statuses.map(({ finalHeight }) => finalHeight)));
  const heads = await Promise.all(honest.map((client) => headAt(client, height, deadlineMs)));
  for (const head of heads) if (head instanceof Problem) breaches.push(`left behind: ${head.message}`);
  const level = heads.flatMap((head) => (head instanceof Problem ? [] : [head]));
  if (new Set(level.map(({ hash }) => hash)).size > 1) breaches.push(`two blocks final at height ${height}`);
  if (new Set(level.map(({ stateRoot }) => stateRoot)).size > 1) breaches.push(`two states at ${height}`);

  const common = toHeight(Math.min(...statuses.map(({ finalHeight }) => finalHeight)));
  const differing = await differingHeights(honest, toHeight(1), common);
  if (differing.length > 0) breaches.push(`different blocks at heights ${differing.slice(0, 5).join(', ')}`);

  const counts = await Promise.all(
    honest.map((client) => countOutcomes(client, { from: toHeight(from + 1), to: height }, transactions)),
  );
  for (const [index, { missing, twice, failed }] of counts.entries()) {
    if (missing > 0) breaches.push(`${missing} transactions are not final at honest node ${index}`);
    if (twice > 0) breaches.push(`${twice} transactions were executed twice`);
    if (failed > 0) breaches.push(`${failed} transactions failed that had no reason to`);
  }

  const accusations = await accusationsOf(honest);
  for (const [accused, kinds] of accusations) {
    if (liars.has(accused)) continue;
    breaches.push(`the honest validator ${accused} is accused (${[...kinds].join(', ')})`);
  }
  for (const client of honest) {
    const problem = await client.health();
    if (problem instanceof Problem) breaches.push(`an honest node is not well: ${problem.message}`);
  }
  const view = Math.max(...statuses.map((status) => status.view));
  const final = Math.min(...counts.map(({ applied }) => applied));
  return { height, view, final, accusations, breaches };
}

export async function accusationsOf(nodes: readonly HttpClient[]): Promise<Accusations> {
  const found = new Map<number, Set<string>>();
  for (const client of nodes) {
    const answer = await client.evidence();
    if (answer instanceof Problem) continue;
    for (const { accused, kind } of answer.evidence) {
      found.set(accused, (found.get(accused) ?? new Set()).add(kind));
    }
  }
  return found;
}

export function accusationsText(accusations: Accusations): string {
  return [...accusations]
    .sort(([a], [b]) => a - b)
    .map(([accused, kinds]) => `${accused}: ${[...kinds].sort().join(', ')}`)
    .join('; ');
}
