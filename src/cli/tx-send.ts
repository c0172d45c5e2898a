import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { utf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { Problem, unwrap } from '../base/problem.ts';
import type { MissingNonceAnswer, StatusAnswer } from '../client/answers.ts';
import { floorIn, unaskedFee } from '../client/fee-floor.ts';
import type { HttpClient } from '../client/http-client.ts';
import { problemOf, untilExpiry } from '../client/outcomes.ts';
import { type Content, contentOf, type Terms, Wallet } from '../client/wallet.ts';
import { encodeAddress } from '../crypto/address.ts';
import { type Hash, isHash } from '../crypto/hash.ts';
import type { KeyPair } from '../crypto/keys.ts';
import { toHeight } from '../ledger/block.ts';
import type { Condition } from '../ledger/condition.ts';
import type { Operation } from '../ledger/operation.ts';
import { reservationText } from '../ledger/reservation-id.ts';
import type { Transaction } from '../ledger/transaction.ts';
import { reportFailure } from './failure.ts';
import { refuseNeedlessPassword } from './key-directory.ts';
import { accountNamed, signerNamed } from './names.ts';
import { connect } from './options.ts';
import { whileWaiting } from './progress.ts';
import { onInterrupt } from './signals.ts';
import { answer, mayCountUnseen } from './terminal.ts';
import { defaultWaitSeconds, type Expiry, heightOf } from './transaction-terms.ts';
import { showFinal } from './tx-status.ts';

export interface SendOptions {
  readonly from: string;
  readonly sender?: string | undefined;
  readonly cosign: readonly string[];
  readonly fee?: bigint | undefined;
  readonly nonce?: number | undefined;
  readonly expiry: Expiry;
  readonly if: readonly string[];
  readonly reference: string;
  readonly wait?: number | true | undefined;
  readonly chainId?: string | undefined;
  readonly keys: string;
  readonly passwordFile?: string | undefined;
  readonly node: string;
  readonly timeout: number;
  readonly json?: true | undefined;
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export const senderOption = new Option(
  '--sender <account>',
  'whose transaction it is, when that is not the account of --from’s own key: one whose keys were changed',
);

export const cosignOption = new Option(
  '--cosign <key>',
  'another key that signs too; may be given several times',
)
  .argParser(collect)
  .default([], 'none');

export const conditionOption = new Option(
  '--if <condition>',
  'do it only when this holds, and nothing otherwise; may be given several times: absent:KEY, exists:KEY, version:KEY=N, hash:KEY=SHA256, balance:ACCOUNT=AMOUNT, height:N (at most), time:ISO (at most, like 2026-01-01T12:00:00Z; from protocol version 2 on)',
)
  .argParser(collect)
  .default([], 'none');

/** Of what moves coins. */
export const memoOption = new Option('--memo <text>', 'a note that everybody can read').default('', 'none');

export const referenceOption = new Option(
  '--reference <text>',
  `a number or name of your own that stays with the transaction, up to ${limits.maxReferenceBytes} bytes`,
)
  .argParser((text) => {
    parseReference(text);
    return text;
  })
  .default('', 'none');

export function parseReference(text: string): Uint8Array {
  const bytes = utf8(text);
  if (bytes.length === 0 || bytes.length > limits.maxReferenceBytes) {
    throw new InvalidArgumentError(`Give 1 to ${limits.maxReferenceBytes} bytes.`);
  }
  return bytes;
}

/** A node of the chain that is meant, and who signs there. */
export async function openWallet(
  options: Pick<
    SendOptions,
    'node' | 'timeout' | 'chainId' | 'keys' | 'passwordFile' | 'from' | 'cosign' | 'sender'
  >,
): Promise<{ readonly client: HttpClient; readonly status: StatusAnswer; readonly wallet: Wallet }> {
  const client = connect(options);
  const status = unwrap(await client.status());
  if (options.chainId !== undefined && options.chainId !== status.chainId) {
    throw new Problem('cli/other-chain', `${options.node} is on chain ${status.chainId}`, {
      remedy: 'Ask a node of the chain that you named, or correct --chain-id. Nothing was signed.',
      details: { wanted: options.chainId, found: status.chainId },
    });
  }
  const { keys: directory, passwordFile } = options;
  const { keyPair, kind } = await signerNamed(options.from, { directory, status, passwordFile });
  const cosigners: KeyPair[] = [];
  const kinds = [kind];
  for (const name of options.cosign) {
    const other = await signerNamed(name, { directory, status, passwordFile });
    cosigners.push(other.keyPair);
    kinds.push(other.kind);
  }
  refuseNeedlessPassword(passwordFile, kinds);
  const account =
    options.sender === undefined
      ? keyPair.publicKey
      : await accountNamed(options.sender, { directory, client });
  return { client, status, wallet: new Wallet({ chainId: status.chainId, keyPair, account, cosigners }) };
}

/** The terms of the next transaction of a wallet; what it pays may depend on what it does. */
export async function termsOf(
  { client, status, wallet }: Awaited<ReturnType<typeof openWallet>>,
  { nonce, fee, expiry }: Pick<SendOptions, 'nonce' | 'fee' | 'expiry'>,
): Promise<Omit<Terms, 'fee'> & { readonly feeOf: (content: Content) => bigint }> {
  const next = nonce ?? unwrap(await client.account(encodeAddress(wallet.publicKey))).pendingNonce;
  const parameters = fee === undefined ? await client.chainParameters() : undefined;
  // A node that does not say refuses what is too little, and says then.
  const floor = parameters === undefined || parameters instanceof Problem ? 0n : floorIn(parameters);
  return {
    nonce: next,
    expiryHeight: heightOf(expiry, status.finalHeight),
    feeOf: (content) => fee ?? unaskedFee(wallet.unitsOf(content), floor),
  };
}

/** Signs what is given and submits it; waits for it when asked to, and prints what came of it. */
export async function send(
  options: SendOptions,
  whatOf: (client: HttpClient, status: StatusAnswer) => Promise<Operation | Content>,
): Promise<void> {
  const opened = await openWallet(options);
  const { client, status, wallet } = opened;
  const content = await contentWith(await whatOf(client, status), options, client);
  const { nonce, expiryHeight, feeOf } = await termsOf(opened, options);
  const transaction = unwrap(wallet.build(content, { nonce, fee: feeOf(content), expiryHeight }));

  const { hash } = transaction;
  // From here on it may have reached a node, whatever the answer.
  onInterrupt(() => reportFailure(stoppedWaiting(hash)));
  mayCountUnseen();
  const submitted = unwrap(leftOpen(await client.submit(transaction), hash));
  if (submitted.status === 'refused') throw problemOf(submitted.problem);
  if (options.wait === undefined) {
    const { engine, chainId, status: taken } = submitted;
    const value = { engine, chainId, hash, status: taken, nonce, expiryHeight };
    const missing = submitted.status === 'accepted' ? submitted.missing : null;
    answer(options.json, { ...value, missing, ...madeBy(transaction) }, () =>
      [acceptedText(transaction, submitted.status, missing), ...namesOf(transaction)].join('\n'),
    );
    return;
  }
  const seconds = options.wait === true ? defaultWaitSeconds : options.wait;
  const final = await whileWaiting(`waiting until ${hash.slice(0, 12)}… is final`, () =>
    client.waitFinal(hash, { deadlineMs: seconds * 1000 }),
  );
  showFinal(unwrap(leftOpen(final, hash)), options.json, namesOf(transaction));
}

/** What the reservations that it makes are named, for people who are to give the names on. */
function namesOf(transaction: Transaction): readonly string[] {
  return (madeBy(transaction).reservations ?? []).map((name) => `reservation ${name}`);
}

function madeBy({ sender, nonce, operations }: Transaction): { readonly reservations?: readonly string[] } {
  const reservations = operations.flatMap(({ type }, operation) =>
    type === 'reserve' ? [reservationText({ sender, nonce, operation })] : [],
  );
  return reservations.length === 0 ? {} : { reservations };
}

/** Adds what the options of every transaction say. */
async function contentWith(
  what: Operation | Content,
  options: Pick<SendOptions, 'if' | 'reference' | 'keys'>,
  client: HttpClient,
): Promise<Content> {
  const content = contentOf(what);
  const conditions = [...(content.conditions ?? [])];
  for (const text of options.if) {
    conditions.push(await parseCondition(text, { directory: options.keys, client }));
  }
  const reference = options.reference === '' ? content.reference : utf8(options.reference);
  return { operations: content.operations, conditions, ...(reference !== undefined && { reference }) };
}

async function parseCondition(
  text: string,
  context: { readonly directory: string; readonly client: HttpClient },
): Promise<Condition> {
  const [, kind = '', rest = ''] = /^([a-z]+):(.+)$/su.exec(text) ?? [];
  // The last = counts, because the key may contain some.
  const equals = rest.lastIndexOf('=');
  const name = equals < 0 ? rest : rest.slice(0, equals);
  const value = equals < 0 ? '' : rest.slice(equals + 1);
  const isNumber = (digits: string): boolean => /^\d{1,15}$/.test(digits);
  if (kind === 'absent') return { type: 'record-absent', key: rest };
  if (kind === 'exists') return { type: 'record-exists', key: rest };
  if (kind === 'height' && isNumber(rest)) return { type: 'height-at-most', height: toHeight(Number(rest)) };
  if (kind === 'time' && isTime(rest)) return { type: 'time-at-most', time: Date.parse(rest) };
  if (kind === 'version' && name !== '' && isNumber(value) && Number(value) > 0) {
    return { type: 'record-version', key: name, version: Number(value) };
  }
  if (kind === 'hash' && name !== '' && isHash(value)) return { type: 'record-hash', key: name, hash: value };
  if (kind === 'balance' && name !== '' && /^\d{1,20}$/.test(value)) {
    return { type: 'balance-at-least', account: await accountNamed(name, context), amount: BigInt(value) };
  }
  throw new Problem('cli/usage', `--if: ${JSON.stringify(text)} is no condition`, {
    remedy:
      'Write absent:KEY, exists:KEY, version:KEY=N (N from 1), hash:KEY=SHA256, balance:ACCOUNT=AMOUNT, height:N or time:2026-01-01T12:00:00Z. Nothing was signed.',
  });
}

/** With its time zone: that of the machine must not matter. */
function isTime(text: string): boolean {
  const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/;
  return form.test(text) && Date.parse(text) >= 0;
}

/** Where nobody knows what becomes of it: whoever runs the command again makes another one. */
function leftOpen<T>(answered: T | Problem, hash: Hash): T | Problem {
  if (!(answered instanceof Problem) || answered.details['outcome'] !== 'unknown') return answered;
  const { message, details } = answered;
  return answered.restated(message, {
    remedy: `${openRemedy(hash)} "quorate why" says what progress waits for.`,
    details,
    cause: answered,
  });
}

function openRemedy(hash: Hash): string {
  return `It may have been taken and become final. Ask with "quorate tx status ${hash}", at the same node. The same command again would sign another transaction: both would count.`;
}

/** For somebody who stops waiting: how to ask for the outcome later. */
function stoppedWaiting(hash: Hash): Problem {
  return new Problem('cli/interrupted', `stopped while waiting for ${hash}`, {
    remedy: openRemedy(hash),
    details: { hash, outcome: 'unknown' },
  });
}

function acceptedText({ hash }: Transaction, status: string, missing: MissingNonceAnswer | null): string {
  if (status === 'known') return `${hash} is known to the node already.`;
  const accepted = `${hash} accepted; it is not final yet (--wait waits for that).`;
  // A node of another version may not say it.
  return missing?.nonce === undefined
    ? accepted
    : `${accepted}\nIt stands in no block until a transaction of ${missing.sender} with nonce ${missing.nonce} comes, which the node does not have${untilExpiry(missing)}.`;
}
