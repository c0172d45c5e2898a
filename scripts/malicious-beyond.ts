import { Problem, unwrap } from '../src/base/problem.ts';
import { styled } from '../src/cli/terminal.ts';
import type { HttpClient } from '../src/client/http-client.ts';
import { Wallet } from '../src/client/wallet.ts';
import { developmentKeyPair } from '../src/crypto/development-keys.ts';
import { toHeight } from '../src/ledger/block.ts';
import type { Transaction } from '../src/ledger/transaction.ts';
import { allReady, eventually, pause, type Running, type Seat, startSeats } from './malicious-seats.ts';
import { accusationsOf, accusationsText, examine } from './malicious-verdict.ts';
import { Links } from './partition-links.ts';

/** What came of a run with more liars than the protocol stands. */
export interface Story {
  readonly reached: 'fork' | 'standstill' | 'neither';
  readonly asExpected: boolean;
  readonly facts: readonly string[];
}

interface StoryOptions {
  readonly deadlineMs: number;
  readonly keep: boolean;
  readonly say: (text: string) => void;
}

/** How long nothing may become final until that counts as shown: some view timeouts. */
const standstillMs = 8_000;
/** How long the honest ones have to show each other what they hold, once they can. */
const confrontMs = 45_000;

/** Two of four say nothing: the other two are no quorum. Nothing becomes final, and nothing false either. */
export async function runStandstillTrial({ deadlineMs, keep, say }: StoryOptions): Promise<Story> {
  const tell = teller(say, 'Two silent liars of four (f + 1): liveness is not promised.');
  const seats = [0, 1, 2, 3].map((validator): Seat => {
    const byzantine = validator < 2 ? 'silent' : undefined;
    return { name: `validator-${validator}`, validator, byzantine };
  });
  const running = await startSeats({ name: 'two-silent', seats, keep });
  try {
    const honest = [2, 3].flatMap((seat) => running.clients[seat] ?? []);
    await connected(running, [2, 3], 3, deadlineMs);
    const [two] = honest;
    const payment = paymentTo('bob', running);
    const answer = await two?.submit(payment);
    tell(`node 2 took a payment of alice: ${answer instanceof Problem ? answer.message : answer?.status}`);
    await pause(standstillMs);
    const heights: number[] = [];
    for (const [index, client] of honest.entries()) {
      const { finalHeight } = unwrap(await client.status());
      heights.push(finalHeight);
      const why = unwrap(await client.why());
      const ready = await client.ready({ deadlineMs: 0 });
      tell(
        `node ${index + 2}, ${standstillMs / 1000} s later: final height ${finalHeight}. It says: ${why.why}`,
      );
      tell(`node ${index + 2} is ${ready instanceof Problem ? `not ready: ${ready.message}` : 'ready'}`);
    }
    const stands = heights.every((height) => height === 0);
    tell(
      stands ? 'Nothing became final anywhere: no progress, and nothing false.' : 'Something became final.',
    );
    return { reached: stands ? 'standstill' : 'neither', asExpected: stands, facts: tell.facts };
  } finally {
    await running.stop();
  }
}

/**
 * Two validators run twice each, with one key, as two colluding equivocators do that sign everything for both sides: with one honest node
 * on each side, both sides have three of four. Between the two honest nodes nothing gets through for a while, as an asynchronous network
 * may have it. Alice spends the same coins on both sides.
 */
export async function runForkTrial({ deadlineMs, keep, say }: StoryOptions): Promise<Story> {
  const tell = teller(
    say,
    'Two colluding liars of four (f + 1), each with a face for either side: safety is not promised.',
  );
  const links = new Links();
  const [left, right] = [2, 5];
  const seats: Seat[] = [
    { name: 'liar-0-left', validator: 0, dials: [1, left] },
    { name: 'liar-1-left', validator: 1, dials: [0, left] },
    { name: 'honest-2', validator: 2, dials: [0, 1, right] },
    { name: 'liar-0-right', validator: 0, dials: [4, right] },
    { name: 'liar-1-right', validator: 1, dials: [3, right] },
    { name: 'honest-3', validator: 3, dials: [3, 4, left] },
  ];
  const between = (from: number, to: number): boolean =>
    (from === left && to === right) || (from === right && to === left);
  links.cut(between, 'silent');
  let running: Running | undefined;
  try {
    running = await startSeats({
      name: 'two-twins',
      seats,
      keep,
      door: async (from, to, port) => (between(from, to) ? await links.open(from, to, port) : port),
    });
    const { clients } = running;
    const [two, three] = [clients[left], clients[right]] as [HttpClient, HttpClient];
    await allReady(running, [left, right], deadlineMs);
    const toBob = await two.submit(paymentTo('bob', running));
    const toCarol = await three.submit(paymentTo('carol', running));
    unwrap(toBob);
    unwrap(toCarol);
    const paidBob = await two.waitFinal(paymentTo('bob', running).hash, { deadlineMs });
    const paidCarol = await three.waitFinal(paymentTo('carol', running).hash, { deadlineMs });
    if (paidBob instanceof Problem || paidCarol instanceof Problem) {
      tell('Not both payments became final: no fork was shown.');
      return { reached: 'neither', asExpected: false, facts: tell.facts };
    }
    tell(`honest node 2: alice's payment number 0 went to bob, final at height ${paidBob.inclusion.height}`);
    tell(
      `honest node 3: alice's payment number 0 went to carol, final at height ${paidCarol.inclusion.height}`,
    );
    const height = toHeight(Math.min(paidBob.inclusion.height, paidCarol.inclusion.height));
    for (const [node, client] of [
      [2, two],
      [3, three],
    ] as const) {
      tell(`  node ${node}, height ${height}: ${unwrap(await client.block(height)).hash}`);
    }
    // The comparison that judges every run with one liar must see it.
    const { breaches } = await examine({
      honest: [two, three],
      liars: new Set([0, 1]),
      transactions: new Set(),
      from: height,
      deadlineMs,
    });
    const forked = breaches.some((breach) => breach.startsWith('different blocks'));
    tell(
      forked
        ? styled(
            'yellow',
            `Two different blocks are final at height ${height} on honest nodes: with 2 liars of 4 safety is not promised.`,
          )
        : 'No fork was found.',
    );
    links.heal();
    const innocent = await confront([two, three], tell);
    return { reached: forked ? 'fork' : 'neither', asExpected: forked && innocent, facts: tell.facts };
  } finally {
    await running?.stop();
    links.close();
  }
}

/** The honest ones can talk again: who is accused of what? False when one of them is. */
async function confront(honest: readonly HttpClient[], tell: (text: string) => void): Promise<boolean> {
  tell('The honest nodes can talk to each other again.');
  const convicted = eventually('both liars are convicted', confrontMs, async () => {
    const accused = await accusationsOf(honest);
    return accused.has(0) && accused.has(1) ? undefined : 'not yet';
  });
  await convicted.catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error;
  });
  const accusations = await accusationsOf(honest);
  tell(
    accusations.size === 0
      ? 'They hold no evidence.'
      : `They hold evidence, which names the liars and stays: ${accusationsText(accusations)}.`,
  );
  const falsely = [2, 3].filter((validator) => accusations.has(validator));
  if (falsely.length > 0) tell(styled('red', `Honest validators are accused: ${falsely.join(', ')}.`));
  return falsely.length === 0;
}

function paymentTo(name: 'bob' | 'carol', { genesis }: Running): Transaction {
  const alice = new Wallet({ chainId: genesis.chainId, keyPair: developmentKeyPair('alice') });
  const terms = { nonce: 0, fee: 1n, expiryHeight: toHeight(1_000) };
  return unwrap(alice.transfer(developmentKeyPair(name).publicKey, 100n, terms));
}

async function connected(
  { clients }: Running,
  seats: readonly number[],
  peers: number,
  deadlineMs: number,
): Promise<void> {
  for (const seat of seats) {
    await eventually(`node ${seat} is connected`, deadlineMs, async () => {
      const status = await clients[seat]?.status({ deadlineMs: 0 });
      if (status === undefined || status instanceof Problem) return 'it does not answer';
      return status.peers >= peers ? undefined : `it has ${status.peers} peers`;
    });
  }
}

function teller(say: (text: string) => void, title: string) {
  const facts: string[] = [];
  say(styled('bold', title));
  const tell = (text: string): void => {
    facts.push(text);
    say(`  ${text}`);
  };
  return Object.assign(tell, { facts });
}
