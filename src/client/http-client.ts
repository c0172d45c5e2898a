import { toHex } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Height } from '../ledger/block.ts';
import type { Transaction } from '../ledger/transaction.ts';
import {
  about,
  aboutAccount,
  aboutBlock,
  aboutReservation,
  aboutTransaction,
  misshapen,
  pageAfter,
  shapes,
  submissionsOf,
} from './answer-shapes.ts';
import { both, type Look } from './looks.ts';
import type {
  AccountAnswer,
  AccountTransactionsAnswer,
  Address,
  Answers,
  BlockAnswer,
  ChainParametersAnswer,
  ChainProposalsAnswer,
  ChangedAnswer,
  Consistency,
  EpochAnswer,
  EpochsAnswer,
  EvidenceItem,
  FinalityAnswer,
  GenesisAnswer,
  HeaderItem,
  MemberAnswer,
  NamespaceAnswer,
  NamespaceListAnswer,
  Origin,
  RecordAnswer,
  RecordDiffAnswer,
  RecordHistoryAnswer,
  RecordListAnswer,
  ReservationAnswer,
  SamplesAnswer,
  StateReadingAnswer,
  StatusAnswer,
  SubmitAnswer,
  TransactionsAnswer,
  TransactionStatusAnswer,
  ValidatorsAnswer,
  ViewChangesAnswer,
  VotesAnswer,
  WhyAnswer,
} from './answers.ts';
import { encodeBatch, splitIntoBatches } from './batch.ts';
import {
  noTransaction,
  notSentAfter,
  problemOf,
  problemPart,
  unseen,
  waitingWords,
  withOutcome,
} from './outcomes.ts';
import { pathPart, query } from './paths.ts';
import { asSent, isRetryable, Transport, type TransportOptions } from './transport.ts';

export type FinalTransaction = Extract<TransactionStatusAnswer, { status: 'final' }>;

/** How long a call may take, its retries included. */
export interface Deadline {
  readonly deadlineMs?: number;
}

/** How the state is read; `stale` unless told otherwise. */
export interface ReadOptions extends Deadline {
  readonly consistency?: Consistency | undefined;
  /** Aborted when the answer is not wanted any more: what is returned then is a problem. */
  readonly signal?: AbortSignal;
}

/** A proof is of the node's own final state, whichever that is. */
type ProofOptions = Pick<ReadOptions, 'deadlineMs' | 'signal'>;

/** Which part of a list. Newest first, some twenty, from its beginning, unless told otherwise. */
export interface ListOptions extends Deadline {
  readonly order?: 'newest' | 'oldest';
  /** At most `limits.httpPage`. */
  readonly limit?: number;
  /** `next` of the page before, of the same list in the same order. */
  readonly cursor?: string;
}

interface HttpClientOptions extends TransportOptions {
  /** What is looked at in each answer besides what the client itself goes by; `wholeShapes` is all of it. */
  readonly shapes?: Readonly<Record<keyof Answers, Look>>;
  /** The chain that is meant, where that is known: what is about another one is no answer. */
  readonly chainId?: () => Hash | undefined;
}

/**
 * The API of one node, typed. No call throws on what a node or the network does: a problem is
 * returned, with the node's own code and remedy when it sent one. Calls that may succeed later are
 * retried until their deadline.
 */
export class HttpClient {
  readonly #transport: Transport;
  readonly #shapes: HttpClientOptions['shapes'];
  readonly #chainId: HttpClientOptions['chainId'];

  constructor({ shapes: whole, chainId, ...options }: HttpClientOptions) {
    this.#transport = new Transport(options);
    this.#shapes = whole;
    this.#chainId = chainId;
  }

  get baseUrl(): string {
    return this.#transport.baseUrl;
  }

  /**
   * Hands over one transaction. A refusal is a problem; so is what is given instead of a transaction, where
   * nothing is sent. When nobody knows whether the node took it, the problem says so (`outcome: 'unknown'` in
   * its details), and the same transaction may be submitted again without harm.
   */
  async submit(
    transaction: Transaction,
    deadline: Deadline = {},
  ): Promise<(Origin & SubmitAnswer) | Problem> {
    const wrong = noTransaction(transaction);
    if (wrong !== undefined) return wrong;
    const body = { transaction: toHex(transaction.bytes) };
    const answer = await this.#post('submitted', '/v1/transactions', body, {
      shape: both(shapes.submitted, about({ hash: transaction.hash })),
      ...deadline,
    });
    return answer instanceof Problem ? withOutcome(answer, transaction.hash) : answer;
  }

  /**
   * Hands over many, in binary, in as few requests as the limits allow, one after the other. One answer per
   * transaction, in order; those of a request that failed are refused with its problem, and so are all after
   * it. What is refused after a try that may have arrived has an unknown outcome, as with `submit`. When
   * something in the list is no transaction, nothing is sent, and all are refused with that problem.
   * With `waitMs` each answer comes when all are final, or as they stand after this long.
   */
  async submitBatch(
    transactions: readonly Transaction[],
    { waitMs, ...deadline }: Deadline & { readonly waitMs?: number } = {},
  ): Promise<readonly SubmitAnswer[]> {
    // Plain JavaScript may pass a single transaction instead of a list.
    const list: readonly Transaction[] = [transactions].flat();
    const wrong = list.map((one) => noTransaction(one)).find((problem) => problem !== undefined);
    if (wrong !== undefined) {
      return list.map(() => ({ status: 'refused', hash: null, problem: problemPart(wrong) }));
    }
    const answers: SubmitAnswer[] = [];
    let failure: Problem | undefined;
    for (const batch of splitIntoBatches(list)) {
      const isFirstFailure = failure === undefined;
      if (failure === undefined) {
        let isLost = false;
        const answer = await this.#call('submissions', {
          method: 'POST',
          path: `/v1/transactions${query(waitMs === undefined ? {} : { wait: 'final', timeoutMs: waitMs })}`,
          body: encodeBatch(batch),
          contentType: 'application/octet-stream',
          shape: submissionsOf(batch),
          onLost: () => (isLost = true),
          ...deadline,
        });
        if (!(answer instanceof Problem)) {
          answers.push(...(isLost ? answer.results.map(refusalLeftOpen) : answer.results));
          continue;
        }
        failure = answer;
      }
      for (const { hash } of batch) {
        const problem = isFirstFailure ? withOutcome(failure, hash) : notSentAfter(failure);
        answers.push({ status: 'refused', hash, problem: problemPart(problem) });
      }
    }
    return answers;
  }

  transaction(hash: Hash, deadline: Deadline = {}): Promise<TransactionStatusAnswer | Problem> {
    const shape = both(shapes.transaction, aboutTransaction(hash));
    return this.#get('transaction', () => `/v1/transactions/${pathPart(hash)}`, deadline, shape);
  }

  /**
   * Asks until the transaction is final, and returns it with its receipt. A problem when no block can hold it
   * any more, or when the deadline (30 s unless told) passes: `api/not-final`. That, and whatever else ends
   * the waiting, leaves the outcome open (`outcome: 'unknown'`).
   */
  async waitFinal(
    hash: Hash,
    { deadlineMs = 30_000 }: { deadlineMs?: number } = {},
  ): Promise<FinalTransaction | Problem> {
    const { now, sleep } = this.#transport.surroundings;
    const until = now() + deadlineMs;
    let last = 'the node was not asked';
    for (let pause = 25; ; pause = Math.min(pause * 1.5, 500)) {
      const left = until - now();
      const answer = await this.transaction(hash, { deadlineMs: Math.max(left, 0) });
      if (answer instanceof Problem) {
        if (!isRetryable(answer)) return unseen(answer, hash);
        last = answer.message;
      } else if (answer.status === 'final') return answer;
      else if (answer.status === 'gone') return problemOf(answer.problem);
      else last = waitingWords(answer);
      const inTime = now() + pause < until;
      if (inTime) await sleep(pause);
      // A sleep may take longer than it was told to.
      if (!inTime || now() >= until) {
        return new Problem('api/not-final', `the transaction was not final after ${deadlineMs} ms: ${last}`, {
          remedy: `It may still become final. Ask for transaction ${hash}, or submit the same bytes again; ask "why" what progress waits for.`,
          details: { hash, deadlineMs, outcome: 'unknown' },
        });
      }
    }
  }

  /** `full` adds the transactions and their receipts. */
  block(
    name: Height | Hash | 'latest',
    options: Deadline & { readonly full?: boolean } = {},
  ): Promise<BlockAnswer | Problem> {
    const { full = false, ...deadline } = options;
    const path = (): string => `/v1/blocks/${pathPart(`${name}`)}${full ? '?full=true' : ''}`;
    return this.#get('block', path, deadline, both(shapes.block, aboutBlock(name)));
  }

  /** What shows that a final block is one; `verifyHeader` checks it. */
  finality(name: Height | Hash | 'latest', deadline: ProofOptions = {}): Promise<FinalityAnswer | Problem> {
    const path = (): string => `/v1/blocks/${pathPart(`${name}`)}/finality`;
    return this.#get('finality', path, deadline, both(shapes.finality, aboutBlock(name)));
  }

  /** What an account has in the newest final state of the node; `verifyAccount` checks it and reads it. */
  accountProof(
    account: Address | PublicKey,
    options: ProofOptions = {},
  ): Promise<StateReadingAnswer | Problem> {
    return this.#proof(() => `accounts/${pathPart(account)}`, options);
  }

  /** The same of a record; `verifyRecord` checks it and reads it. */
  recordProof(key: string, options: ProofOptions = {}): Promise<StateReadingAnswer | Problem> {
    return this.#proof(() => `records${query({ key })}`, options);
  }

  /** The same of a reservation, by its name; `verifyReservation` checks it and reads it. */
  reservationProof(reservation: string, options: ProofOptions = {}): Promise<StateReadingAnswer | Problem> {
    return this.#proof(() => `reservations/${pathPart(reservation)}`, options);
  }

  /** The same of a namespace; `verifyNamespace` checks it and reads it. */
  namespaceProof(name: string, options: ProofOptions = {}): Promise<StateReadingAnswer | Problem> {
    return this.#proof(() => `namespaces/${pathPart(name)}`, options);
  }

  /**
   * The same of a page of the records of a namespace, behind a key or from the first one on; `verifyRecords`
   * checks it and reads it. They come in the order of their paths, which is that of no text.
   */
  recordsProof(
    namespace: string,
    { after, ...options }: ProofOptions & { readonly after?: string | undefined } = {},
  ): Promise<StateReadingAnswer | Problem> {
    return this.#proof(() => `namespaces/${pathPart(namespace)}/records${query({ after })}`, options);
  }

  #proof(of: () => string, options: ProofOptions): Promise<StateReadingAnswer | Problem> {
    return this.#get('stateReading', () => `/v1/proofs/${of()}`, options, shapes.finality);
  }

  /** How the validators changed, from a height on; a page is full with `limits.httpEpochs` of them. */
  epochs(options: Deadline & { readonly from?: Height } = {}): Promise<EpochsAnswer | Problem> {
    const { from, ...deadline } = options;
    return this.#get('epochs', () => `/v1/epochs${query({ from })}`, deadline, shapes.epochs);
  }

  /**
   * All of them, within one deadline, and no more than a proof may hold: a node can make up as many as it
   * likes. `ProofChecker` follows them however many there are, because it believes none.
   */
  async allEpochs({ deadlineMs = 60_000 }: Deadline = {}): Promise<readonly EpochAnswer[] | Problem> {
    const { now } = this.#transport.surroundings;
    const until = now() + deadlineMs;
    const all: EpochAnswer[] = [];
    let bytes = 0;
    for (;;) {
      const from = ((all.at(-1)?.header.height ?? -1) + 1) as Height;
      const page = await this.epochs({ from, deadlineMs: Math.max(0, until - now()) });
      if (page instanceof Problem) return page;
      // A node that repeats itself would never come to an end.
      const fresh = page.epochs.filter(({ header }, index) => {
        return header.height > (page.epochs[index - 1]?.header.height ?? from - 1);
      });
      if (fresh.length === 0) return all;
      // One by one: a call takes no more arguments than the stack has room for.
      for (const one of fresh) all.push(one);
      bytes += JSON.stringify(page).length;
      if (bytes > limits.clientAnswerBytes || now() >= until) return this.#tooMany(all.length);
    }
  }

  #tooMany(count: number): Problem {
    return new Problem(
      'api/answer',
      `${this.baseUrl} tells of more changes of the validators than are read at once: ${count} so far`,
      {
        remedy:
          'Ask another node (quorate: --node URL). If that one says so too, no file holds the proof: "quorate watch --genesis genesis.json" checks each block as it comes.',
        details: { url: this.baseUrl, count },
      },
    );
  }

  /** The genesis file that the node follows. Do not trust it before it was compared with your own. */
  genesis(deadline: Deadline = {}): Promise<GenesisAnswer | Problem> {
    return this.#get('genesis', () => '/v1/genesis', deadline, shapes.genesis);
  }

  account(account: Address | PublicKey, options: ReadOptions = {}): Promise<AccountAnswer | Problem> {
    const { consistency, ...deadline } = options;
    const path = (): string => `/v1/accounts/${pathPart(account)}${query({ consistency })}`;
    return this.#get('account', path, deadline, both(shapes.account, aboutAccount(account)));
  }

  /** A reservation by its name, until a while after its end. */
  reservation(reservation: string, options: ReadOptions = {}): Promise<ReservationAnswer | Problem> {
    const { consistency, ...deadline } = options;
    return this.#get(
      'reservation',
      () => `/v1/reservations/${pathPart(reservation)}${query({ consistency })}`,
      deadline,
      aboutReservation(reservation),
    );
  }

  record(key: string, options: ReadOptions = {}): Promise<RecordAnswer | Problem> {
    const { consistency, ...deadline } = options;
    return this.#get('record', () => `/v1/records${query({ key, consistency })}`, deadline, about({ key }));
  }

  /**
   * A page of the records whose keys begin with a prefix, in the order of the bytes of their keys; the next
   * one with its `next` as `after`. A namespace is listed by its name with `/` behind it.
   */
  records(
    prefix: string,
    options: ReadOptions & { readonly after?: string | undefined; readonly limit?: number } = {},
  ): Promise<RecordListAnswer | Problem> {
    const { after, limit, consistency, ...deadline } = options;
    const named = { prefix, after, limit, consistency };
    return this.#get(
      'records',
      () => `/v1/records/list${query(named)}`,
      deadline,
      both(pageAfter(after), about({ prefix })),
    );
  }

  /** A page of the namespaces whose names begin with a prefix, as `records` lists those of records. */
  namespaces(
    prefix: string,
    options: ReadOptions & { readonly after?: string | undefined; readonly limit?: number } = {},
  ): Promise<NamespaceListAnswer | Problem> {
    const { after, limit, consistency, ...deadline } = options;
    return this.#get(
      'namespaces',
      () => `/v1/namespaces${query({ prefix, after, limit, consistency })}`,
      deadline,
    );
  }

  /** Who owns a namespace, who may write there, and how much stands there. */
  namespace(name: string, options: ReadOptions = {}): Promise<NamespaceAnswer | Problem> {
    const { consistency, ...deadline } = options;
    return this.#get(
      'namespace',
      () => `/v1/namespaces/${pathPart(name)}${query({ consistency })}`,
      deadline,
      about({ name }),
    );
  }

  /** Final transactions that an account sent, or that touched or named it. */
  accountTransactions(
    account: Address | PublicKey,
    options: ListOptions = {},
  ): Promise<AccountTransactionsAnswer | Problem> {
    const { order, limit, cursor, ...deadline } = options;
    const path = (): string => `/v1/accounts/${pathPart(account)}/transactions`;
    return this.#get(
      'accountTransactions',
      () => path() + query({ order, limit, cursor }),
      deadline,
      both(pageAfter(cursor), aboutAccount(account)),
    );
  }

  /** Final transactions with a reference, whoever sent them. */
  transactionsByReference(
    reference: Uint8Array,
    options: ListOptions = {},
  ): Promise<TransactionsAnswer | Problem> {
    const { order, limit, cursor, ...deadline } = options;
    const named = { reference: toHex(reference), order, limit, cursor };
    const shape = both(pageAfter(cursor), about({ reference: named.reference }));
    return this.#get('transactions', () => `/v1/transactions${query(named)}`, deadline, shape);
  }

  /** The versions of a record: where each was made, by whom, and what it wrote. */
  recordHistory(key: string, options: ListOptions = {}): Promise<RecordHistoryAnswer | Problem> {
    const { order, limit, cursor, ...deadline } = options;
    const path = (): string => `/v1/records/history${query({ key, order, limit, cursor })}`;
    return this.#get('recordHistory', path, deadline, both(pageAfter(cursor), about({ key })));
  }

  /** What a record was after each of two final blocks. */
  recordDiff(
    key: string,
    { from, to, ...deadline }: Deadline & { readonly from: Height; readonly to: Height },
  ): Promise<RecordDiffAnswer | Problem> {
    const shape = about({ key, 'from.height': from, 'to.height': to });
    return this.#get('recordDiff', () => `/v1/records/diff${query({ key, from, to })}`, deadline, shape);
  }

  /** Headers of final blocks from a height upward; fewer than `limit` when the chain ends. */
  headers(
    from: Height,
    options: Deadline & { readonly limit?: number } = {},
  ): Promise<(Origin & { readonly headers: readonly HeaderItem[] }) | Problem> {
    const { limit = limits.httpPage, ...deadline } = options;
    return this.#get('headers', () => `/v1/headers${query({ from, limit })}`, deadline, shapes.headers);
  }

  /** By which rules the next block is made. */
  chainParameters(options: Omit<ReadOptions, 'consistency'> = {}): Promise<ChainParametersAnswer | Problem> {
    return this.#get('chainParameters', () => '/v1/chain/parameters', options, shapes.chainParameters);
  }

  /** Changes of the chain that validators proposed. */
  chainProposals(deadline: Deadline = {}): Promise<ChainProposalsAnswer | Problem> {
    return this.#get('chainProposals', () => '/v1/chain/proposals', deadline);
  }

  validators(deadline: Deadline = {}): Promise<(Origin & ValidatorsAnswer) | Problem> {
    return this.#get('validators', () => '/v1/validators', deadline);
  }

  members(
    deadline: Deadline = {},
  ): Promise<(Origin & { readonly members: readonly MemberAnswer[] }) | Problem> {
    return this.#get('members', () => '/v1/members', deadline);
  }

  /**
   * Changes who takes part; asked once, because a change that was made is refused the second time. When
   * nobody answers, look at `members` to see what came of it.
   */
  changeMembers(
    changes: readonly { readonly member: Address; readonly role: 'voter' | 'learner' | 'removed' }[],
    options: { readonly force?: boolean; readonly token?: string | undefined } = {},
  ): Promise<ChangedAnswer | Problem> {
    const { force = false, token } = options;
    return this.#post('changed', '/v1/members', { changes, force }, { token, deadlineMs: 0 });
  }

  /** Hands the lead over; null lets the leader choose. Asked once. */
  transferLeader(
    to: Address | null,
    options: { readonly token?: string | undefined } = {},
  ): Promise<ChangedAnswer | Problem> {
    return this.#post('changed', '/v1/leader', { to }, { ...options, deadlineMs: 0 });
  }

  status(options: Omit<ReadOptions, 'consistency'> = {}): Promise<StatusAnswer | Problem> {
    return this.#get('status', () => '/v1/status', options, shapes.status);
  }

  /** One sentence: what progress waits for. */
  why(deadline: Deadline = {}): Promise<WhyAnswer | Problem> {
    return this.#get('why', () => '/v1/why', deadline);
  }

  /** Stored proof of misbehaviour, oldest first, from an offset. */
  evidence(
    options: Deadline & { readonly offset?: number; readonly limit?: number } = {},
  ): Promise<(Origin & { readonly offset: number; readonly evidence: readonly EvidenceItem[] }) | Problem> {
    const { offset = 0, limit = limits.httpPage, ...deadline } = options;
    return this.#get('evidence', () => `/v1/evidence${query({ offset, limit })}`, deadline);
  }

  /** What the node measured over the last minutes or hours. */
  samples(
    options: Deadline & { readonly span?: 'minutes' | 'hours' } = {},
  ): Promise<SamplesAnswer | Problem> {
    const { span, ...deadline } = options;
    return this.#get('samples', () => `/v1/telemetry/samples${query({ span })}`, deadline);
  }

  /** The last changes of the view (Raft: of the term), with their reasons. */
  viewChanges(deadline: Deadline = {}): Promise<ViewChangesAnswer | Problem> {
    return this.#get('viewChanges', () => '/v1/telemetry/views', deadline);
  }

  /** When the votes for the last final blocks came to the node. */
  votes(deadline: Deadline = {}): Promise<VotesAnswer | Problem> {
    return this.#get('votes', () => '/v1/telemetry/votes', deadline);
  }

  /** A problem when the node must be restarted or looked at. */
  health(deadline: Deadline = {}): Promise<(Origin & { readonly status: 'ok' }) | Problem> {
    return this.#get('health', () => '/v1/health', deadline);
  }

  /** A problem when clients may not expect progress now. */
  ready(deadline: Deadline = {}): Promise<(Origin & { readonly status: 'ready' }) | Problem> {
    return this.#get('ready', () => '/v1/ready', deadline);
  }

  /** The text format of Prometheus. */
  async metrics(deadline: Deadline = {}): Promise<string | Problem> {
    return (await this.#transport.request({
      method: 'GET',
      path: '/metrics',
      answer: 'text',
      ...deadline,
    })) as string | Problem;
  }

  /** The API's OpenAPI description. */
  async openApi(deadline: Deadline = {}): Promise<Record<string, unknown> | Problem> {
    return (await this.#transport.request({ method: 'GET', path: '/v1/openapi.json', ...deadline })) as
      | Record<string, unknown>
      | Problem;
  }

  /** A problem also when the path cannot be made. */
  async #get<Kind extends keyof Answers>(
    kind: Kind,
    path: () => string,
    deadline: Pick<ReadOptions, 'deadlineMs' | 'signal'>,
    shape?: Look,
  ): Promise<Answers[Kind] | Problem> {
    try {
      return await this.#call(kind, { method: 'GET', path: path(), ...(shape && { shape }), ...deadline });
    } catch (failure) {
      if (failure instanceof Problem) return failure;
      throw failure;
    }
  }

  #post<Kind extends keyof Answers>(
    kind: Kind,
    path: string,
    body: object,
    options: Deadline & { readonly token?: string | undefined; readonly shape?: Look },
  ): Promise<Answers[Kind] | Problem> {
    const text = new TextEncoder().encode(JSON.stringify(body));
    return this.#call(kind, {
      method: 'POST',
      path,
      body: text,
      contentType: 'application/json',
      ...options,
    });
  }

  async #call<Kind extends keyof Answers>(
    kind: Kind,
    { shape, ...request }: Parameters<Transport['request']>[0] & { readonly shape?: Look },
  ): Promise<Answers[Kind] | Problem> {
    const answer = await this.#transport.request(request);
    if (answer instanceof Problem) return answer.code === 'api/not-found' ? lacking(answer) : answer;
    const chainId = this.#chainId?.();
    const ofChain = chainId && about({ chainId });
    const wrong = misshapen(answer, [ofChain, shape, this.#shapes?.[kind]], this.baseUrl);
    return wrong ?? (answer as Answers[Kind]);
  }
}

/** An earlier try may have been taken, by this node or by another one at its address. */
function refusalLeftOpen(answer: SubmitAnswer): SubmitAnswer {
  const { status, hash } = answer;
  if (status !== 'refused' || hash === null) return answer;
  return { status, hash, problem: problemPart(withOutcome(asSent(problemOf(answer.problem)), hash)) };
}

/** The paths that are asked for are those of this program: who has one of them not is another. */
function lacking(problem: Problem): Problem {
  const { message, details } = problem;
  return problem.restated(message, {
    remedy:
      'Check the address: that of a node ends before /v1. If it is right, the node’s program is older than this one and cannot say this: ask a newer node (quorate: --node URL).',
    details,
    cause: problem,
  });
}
