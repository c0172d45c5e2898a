import { Problem } from '../base/problem.ts';
import { encodeAddress, parseAddress } from '../crypto/address.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Height } from '../ledger/block.ts';
import { engineNames } from '../ledger/engine-names.ts';
import { parseReservation, reservationText } from '../ledger/reservation-id.ts';
import type { ProblemAnswer } from './answers.ts';
import { coins, fieldsOf, list, text, whole, Wrong } from './json-fields.ts';
import { type Look, object, oneOf, problemCode } from './looks.ts';

/**
 * The fields that the client itself relies on when it signs, waits or asks for the next page. All other
 * fields of an answer are for its reader.
 */
export const shapes = {
  status: (answer) => void whole(fieldsOf(answer, 'it')['finalHeight'], 'finalHeight'),
  genesis: (answer) => void text(fieldsOf(answer, 'it')['genesis'], 'genesis'),
  chainParameters: (answer) => {
    const { feePerOperation, scheduled } = fieldsOf(answer, 'it');
    coins(feePerOperation, 'feePerOperation');
    for (const [index, one] of list(scheduled, 'scheduled').entries()) {
      const at = `scheduled[${index}].change`;
      const change = fieldsOf(fieldsOf(one, `scheduled[${index}]`)['change'], at);
      if (change['type'] === 'fee-floor') coins(change['feePerOperation'], `${at}.feePerOperation`);
    }
  },
  account: (answer) => void whole(fieldsOf(answer, 'it')['pendingNonce'], 'pendingNonce'),
  transaction: (answer) => {
    const { status, inclusion, problem } = fieldsOf(answer, 'it');
    oneOf('pending', 'final', 'gone', 'unknown')(status, 'status');
    if (status === 'gone') problemIn(problem, 'problem');
    if (status !== 'final') return;
    const { height, receipt } = fieldsOf(inclusion, 'inclusion');
    whole(height, 'inclusion.height');
    fieldsOf(receipt, 'inclusion.receipt');
  },
  submitted: (answer) => submission(answer, ''),
  block: (answer) => {
    const { transactionHashes, receipts = [] } = fieldsOf(answer, 'it');
    list(transactionHashes, 'transactionHashes');
    for (const [index, one] of list(receipts, 'receipts').entries()) {
      text(fieldsOf(one, `receipts[${index}]`)['transactionHash'], `receipts[${index}].transactionHash`);
    }
  },
  finality: (answer) => heightOf(fieldsOf(answer, 'it')['header'], 'header'),
  headers: (answer) => heights(answer, 'headers'),
  epochs: (answer) => heights(answer, 'epochs'),
} satisfies Readonly<Record<string, Look>>;

/** One answer for each transaction of a submission, in their order. */
export function submissionsOf(transactions: readonly { readonly hash: Hash }[]): Look {
  return (answer) => {
    const results = list(fieldsOf(answer, 'it')['results'], 'results');
    const { length } = transactions;
    if (results.length !== length) throw new Wrong(`it has ${results.length} results for ${length}`);
    for (const [index, { hash }] of transactions.entries()) {
      const at = `results[${index}]`;
      submission(results[index], `${at}.`);
      about({ hash }, `${at}.`)(results[index], at);
    }
  };
}

/**
 * That it is about what was asked for, as far as it says what it is about: who answers may mix up requests.
 */
export function about(wanted: Readonly<Record<string, string | number>>, at = ''): Look {
  return (answer) => {
    for (const [name, one] of Object.entries(wanted)) {
      const path = name.split('.');
      const said = path.reduce<unknown>(
        (json, field) => (json as Answer | null | undefined)?.[field],
        answer,
      );
      if (said === undefined || said === null || said === one) continue;
      throw new Wrong(`${at}${name} is not ${one}, which was asked for`);
    }
  };
}

type Answer = Readonly<Record<string, unknown>>;

/** That it is about a transaction. */
export function aboutTransaction(hash: Hash): Look {
  return about({
    hash,
    'inclusion.transaction.hash': hash,
    'inclusion.receipt.transactionHash': hash,
  });
}

/** That it is about an account, however that was named. */
export function aboutAccount(account: string): Look {
  const publicKey = parseAddress(account);
  return publicKey instanceof Problem
    ? () => undefined
    : about({ address: encodeAddress(publicKey), publicKey });
}

/** That it is about a reservation, however its sender was named. */
export function aboutReservation(reservation: string): Look {
  const id = parseReservation(reservation);
  return id instanceof Problem ? () => undefined : about({ reservation: reservationText(id) });
}

/** That it is about a block. */
export function aboutBlock(name: Height | Hash | 'latest'): Look {
  if (name === 'latest') return () => undefined;
  return about(typeof name === 'number' ? { 'header.height': name } : { hash: name });
}

/** The page after a cursor. One that names itself as the next would be read for ever. */
export function pageAfter(cursor: string | undefined): Look {
  return (answer) => {
    const { next } = fieldsOf(answer, 'it');
    if (next !== null) text(next, 'next');
    if (next !== null && next === cursor) throw new Wrong('its next page is the page itself');
  };
}

/** What is wrong with an answer, as a problem. */
export function misshapen(
  answer: unknown,
  all: readonly (Look | undefined)[],
  url: string,
): Problem | undefined {
  try {
    origin(answer);
    for (const look of all) look?.(answer, '');
    return undefined;
  } catch (failure) {
    if (!(failure instanceof Wrong)) throw failure;
    return new Problem('api/answer', `the answer of ${url} is not understood: ${failure.message}`, {
      remedy: 'Check that this is the address of a Quorate node of the same version.',
      // It came from the node that was asked.
      details: { url, sent: true },
    });
  }
}

const submitted = oneOf('accepted', 'known', 'refused', 'pending', 'unknown', 'gone', 'final');
const problemIn = object<Pick<ProblemAnswer, 'code' | 'detail' | 'remedy'>>({
  code: problemCode,
  detail: text,
  remedy: text,
});

/** What every answer of a node begins with. */
function origin(answer: unknown): void {
  const { engine, chainId } = fieldsOf(answer, 'it');
  oneOf(...engineNames)(engine, 'its engine');
  text(chainId, 'its chain');
}

function submission(answer: unknown, at: string): void {
  const { status, height, problem } = fieldsOf(answer, at === '' ? 'it' : at.slice(0, -1));
  submitted(status, `${at}status`);
  if (status === 'refused' || status === 'gone') problemIn(problem, `${at}problem`);
  if (status === 'final') whole(height, `${at}height`);
}

function heights(answer: unknown, name: string): void {
  for (const [index, item] of list(fieldsOf(answer, 'it')[name], name).entries()) {
    heightOf(fieldsOf(item, `${name}[${index}]`)['header'], `${name}[${index}].header`);
  }
}

function heightOf(header: unknown, at: string): void {
  whole(fieldsOf(header, at)['height'], `${at}.height`);
}
