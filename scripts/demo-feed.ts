import { Problem } from '../src/base/problem.ts';
import type { HttpClient } from '../src/client/http-client.ts';
import { problemOf } from '../src/client/outcomes.ts';
import { isRetryable } from '../src/client/transport.ts';
import type { Sender } from './demo-workload.ts';

/** Transactions in one request: large enough to share its cost, small enough that a node answers at once. */
const batchSize = 250;
/** Of one sender, submitted and not final: below the mempool's cap for one sender. */
const maxOutstandingPerSender = 2_000;
/** Of all senders: below the mempool's cap, and enough that no block waits for work. */
const maxOutstanding = 30_000;
/** How often a sender without room looks again, and how often all ask what is final. */
const feedPauseMs = 20;
const watchPauseMs = 100;
/** With this few missing they ask sooner: the rate ends with the last one, and not with the next look. */
const nearlyAll = 2_000;
const lastPauseMs = 20;
/** A sender submits again what is not final when nothing of it became final for this long: a node may have died with it. */
const stuckMs = 5_000;

/** Where a sender is in its list. */
interface Lane {
  readonly sender: Sender;
  /** The node that it talks to: an index, which moves on when that node cannot be reached. */
  node: number;
  submitted: number;
  final: number;
  /** When `final` last grew. */
  movedAt: number;
}

interface Run {
  readonly clients: readonly HttpClient[];
  readonly lanes: readonly Lane[];
  readonly until: number;
  stopped: boolean;
}

/**
 * Submits everything, each sender in order, the senders spread over the nodes, and keeps the mempools fed without passing
 * their caps, until all of it is final or the deadline passes.
 */
export async function feed(options: {
  readonly clients: readonly HttpClient[];
  readonly senders: readonly Sender[];
  readonly deadlineMs: number;
  readonly onProgress: (submitted: number, final: number) => void;
}): Promise<Problem | undefined> {
  const { clients, senders, deadlineMs, onProgress } = options;
  const now = performance.now();
  const lanes = senders.map((sender, index): Lane => ({
    sender,
    node: index % clients.length,
    submitted: 0,
    final: 0,
    movedAt: now,
  }));
  const run: Run = { clients, lanes, until: now + deadlineMs, stopped: false };
  const watching = watchFinal(run, onProgress);
  const problems = await Promise.all(lanes.map((lane) => feedLane(run, lane)));
  const refused = problems.find((problem) => problem !== undefined);
  if (refused !== undefined) run.stopped = true;
  return (await watching) ?? refused;
}

async function feedLane(run: Run, lane: Lane): Promise<Problem | undefined> {
  const { transactions } = lane.sender;
  while (lane.final < transactions.length && !run.stopped) {
    if (performance.now() - lane.movedAt > stuckMs) submitAgain(run, lane);
    const batch = transactions.slice(lane.submitted, lane.submitted + batchSize);
    const room = Math.min(
      maxOutstandingPerSender - (lane.submitted - lane.final),
      maxOutstanding - outstanding(run),
    );
    if (batch.length === 0 || room < batch.length) {
      await pause(feedPauseMs);
      continue;
    }
    const before = lane.submitted;
    // Counted before the answer comes, so that the other senders see that the room is taken.
    lane.submitted += batch.length;
    const answers = await clientOf(run, lane).submitBatch(batch, { deadlineMs: 0 });
    const first = answers.findIndex(({ status }) => status === 'refused');
    const answer = answers[first];
    if (answer?.status !== 'refused') continue;
    lane.submitted = before + first;
    const problem = problemOf(answer.problem);
    // A full pool has room again when blocks are final; a gap closes when what is missing is sent again.
    if (problem.code.endsWith('/nonce-gap') || problem.code.startsWith('api/')) submitAgain(run, lane);
    else if (!isRetryable(problem) && !/^mempool\/(?:full|sender-full|busy)$/.test(problem.code))
      return problem;
    await pause(feedPauseMs);
  }
  return undefined;
}

/** All that is not final, at the next node: what is known there already counts only once. */
function submitAgain(run: Run, lane: Lane): void {
  lane.node = (lane.node + 1) % run.clients.length;
  lane.submitted = lane.final;
  lane.movedAt = performance.now();
}

async function watchFinal(
  run: Run,
  onProgress: (submitted: number, final: number) => void,
): Promise<Problem | undefined> {
  const { lanes } = run;
  const total = sum(lanes, ({ sender }) => sender.transactions.length);
  while (!run.stopped) {
    await Promise.all(lanes.map((lane) => lookAt(run, lane)));
    const final = sum(lanes, (lane) => lane.final);
    onProgress(
      sum(lanes, (lane) => lane.submitted),
      final,
    );
    if (final === total) return undefined;
    if (performance.now() > run.until) {
      run.stopped = true;
      return new Problem('api/not-final', `${total - final} of ${total} transactions are not final in time`, {
        remedy: 'Ask the nodes what progress waits for (quorate why), or give more time with --timeout.',
        details: { total, final },
      });
    }
    await pause(total - final < nearlyAll ? lastPauseMs : watchPauseMs);
  }
  return undefined;
}

/** An account's nonce in the final state tells how many of its transactions are final. */
async function lookAt(run: Run, lane: Lane): Promise<void> {
  if (lane.final === lane.sender.transactions.length) return;
  const account = await clientOf(run, lane).account(lane.sender.keyPair.publicKey, { deadlineMs: 0 });
  if (account instanceof Problem || account.nonce <= lane.final) return;
  lane.final = account.nonce;
  lane.submitted = Math.max(lane.submitted, lane.final);
  lane.movedAt = performance.now();
}

function clientOf(run: Run, lane: Lane): HttpClient {
  return run.clients[lane.node] as HttpClient;
}

function outstanding({ lanes }: Run): number {
  return sum(lanes, (lane) => lane.submitted - lane.final);
}

function sum(lanes: readonly Lane[], of: (lane: Lane) => number): number {
  return lanes.reduce((total, lane) => total + of(lane), 0);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
