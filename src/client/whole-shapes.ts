import type {
  Answers,
  BlockVotesAnswer,
  EvidenceItem,
  HeaderItem,
  MemberAnswer,
  Origin,
  SampleAnswer,
  SignedWordAnswer,
  TransactionStatusAnswer,
  ViewChangeAnswer,
} from './answers.ts';
import { coins, hash, text, whole, Wrong } from './json-fields.ts';
import {
  amount,
  bytes,
  each,
  identifier,
  kinds,
  type Look,
  named,
  object,
  oneOf,
  orNull,
  scalar,
  unlessAbsent,
  yesOrNo,
} from './looks.ts';
import * as part from './whole-parts.ts';

const { origin, readAt, page } = part;

const transaction = kinds<TransactionStatusAnswer, 'status'>('status', {
  pending: { ...origin, hash, missing: part.missing },
  final: { ...origin, hash, inclusion: part.inclusion },
  gone: { ...origin, hash, problem: part.problem },
  unknown: { ...origin, hash, problem: orNull(part.problem) },
});

const block = object<Answers['block']>({
  ...origin,
  hash,
  header: part.header,
  certificate: orNull(part.certificate),
  transactionHashes: each(hash),
  transactions: unlessAbsent(each(part.transaction)),
  receipts: unlessAbsent(each(part.receipt)),
});

/** A transaction without its receipt would be shown as if nothing had gone wrong with it. */
function wholeBlock(json: unknown): void {
  block(json, '');
  const { transactions = [], receipts = [] } = json as Answers['block'];
  if (receipts.length < transactions.length) throw new Wrong('it has not one receipt for each transaction');
}

const word = object<SignedWordAnswer>({
  kind: identifier,
  view: whole,
  height: whole,
  blockHash: orNull(hash),
  certificate: orNull(
    object<NonNullable<SignedWordAnswer['certificate']>>({ phase: identifier, view: whole, height: whole }),
  ),
  signature: bytes,
});
const votes = (ms: Look): Look =>
  each(object<BlockVotesAnswer['votes'][number]>({ validator: identifier, ms }));
const measured = orNull(amount);

/** The same of what the stream of final blocks tells of each. */
export const wholeEvent = object<Origin & HeaderItem>({ ...origin, ...part.headerItem });

/**
 * All that the types of answers promise, for whoever shows all of it. Who goes on by an answer looks at no
 * more than it goes by (`answer-shapes.ts`), so that nodes of other versions serve it, too.
 *
 * What older nodes do not give must not be asked for: a field that is added to an answer is `unlessAbsent`
 * here and optional in `answers.ts`. `test/client/older-answers.test.ts` has answers of older nodes.
 */
export const wholeShapes: { readonly [K in keyof Answers]: Look } = {
  status: object<Answers['status']>({
    ...origin,
    chainName: text,
    development: yesOrNo,
    version: text,
    signatureCheck: text,
    validator: orNull(
      object<NonNullable<Answers['status']['validator']>>({ index: whole, address: identifier }),
    ),
    view: whole,
    primary: orNull(whole),
    leaderApi: orNull(text),
    finalHeight: whole,
    finalHash: hash,
    stateRoot: hash,
    finalTimestamp: whole,
    highestKnown: whole,
    inFlight: whole,
    voting: yesOrNo,
    quorumContact: yesOrNo,
    syncing: yesOrNo,
    ready: yesOrNo,
    peers: whole,
    mempool: object<Answers['status']['mempool']>({ transactions: whole, bytes: whole }),
    protocolVersion: whole,
    knownProtocolVersions: part.versions,
    scheduledProtocolVersion: orNull(
      object<NonNullable<Answers['status']['scheduledProtocolVersion']>>({ version: whole, height: whole }),
    ),
    uptimeMs: whole,
    counters: named(scalar),
  }),
  account: object<Answers['account']>({
    ...readAt,
    address: identifier,
    publicKey: hash,
    balance: coins,
    held: coins,
    nonce: whole,
    keys: orNull(
      object<NonNullable<Answers['account']['keys']>>({ keys: each(identifier), threshold: whole }),
    ),
    pendingNonce: whole,
  }),
  transaction,
  submitted: part.submission,
  submissions: object<Answers['submissions']>({ ...origin, results: each(part.submission) }),
  block: wholeBlock,
  finality: object<Answers['finality']>({ ...origin, hash, ...part.finality }),
  stateReading: object<Answers['stateReading']>({
    ...origin,
    hash,
    ...part.finality,
    entry: orNull(bytes),
    proof: bytes,
  }),
  headers: object<Answers['headers']>({ ...origin, headers: each(object(part.headerItem)) }),
  epochs: object<Answers['epochs']>({
    ...origin,
    epochs: each(
      object<Answers['epochs']['epochs'][number]>({ ...part.finality, validators: each(identifier) }),
    ),
  }),
  genesis: object<Answers['genesis']>({ ...origin, genesis: text }),
  reservation: object<Answers['reservation']>({
    ...readAt,
    reservation: identifier,
    sender: identifier,
    recipient: identifier,
    amount: coins,
    expiryHeight: whole,
    made: part.place,
    status: oneOf('held', 'posted', 'voided', 'expired'),
    taken: coins,
    settled: orNull(part.place),
  }),
  record: object<Answers['record']>({ ...readAt, ...part.recordItem }),
  records: object<Answers['records']>({
    ...readAt,
    prefix: text,
    records: each(object<Answers['records']['records'][number]>(part.recordItem)),
    next: orNull(text),
  }),
  namespace: object<Answers['namespace']>({ ...readAt, ...part.namespaceItem }),
  namespaces: object<Answers['namespaces']>({
    ...readAt,
    prefix: text,
    namespaces: each(object<Answers['namespaces']['namespaces'][number]>(part.namespaceItem)),
    next: orNull(text),
  }),
  accountTransactions: object<Answers['accountTransactions']>({
    ...page,
    address: identifier,
    transactions: each(
      object<Answers['accountTransactions']['transactions'][number]>({
        ...part.listed,
        role: oneOf('sender', 'touched'),
      }),
    ),
  }),
  transactions: object<Answers['transactions']>({
    ...page,
    reference: bytes,
    transactions: each(object<Answers['transactions']['transactions'][number]>(part.listed)),
  }),
  recordHistory: object<Answers['recordHistory']>({ ...page, key: text, versions: each(part.recordVersion) }),
  recordDiff: object<Answers['recordDiff']>({
    ...origin,
    key: text,
    from: part.recordAt,
    to: part.recordAt,
  }),
  chainParameters: object<Answers['chainParameters']>({
    ...origin,
    height: whole,
    blockHash: hash,
    stateRoot: hash,
    protocolVersion: whole,
    feePerOperation: coins,
    limits: part.blockLimits,
    scheduled: each(
      object<Answers['chainParameters']['scheduled'][number]>({ height: whole, change: part.change }),
    ),
    validatorsHash: hash,
    validators: each(
      object<Answers['chainParameters']['validators'][number]>({
        address: identifier,
        publicKey: hash,
        name: orNull(text),
        protocolVersions: orNull(part.versions),
      }),
    ),
    members: bytes,
    needed: whole,
  }),
  chainProposals: object<Answers['chainProposals']>({
    ...origin,
    height: whole,
    proposals: each(
      object<Answers['chainProposals']['proposals'][number]>({
        id: hash,
        proposer: identifier,
        change: part.change,
        expiryHeight: whole,
        validatorsHash: hash,
        approvals: each(identifier),
        needed: whole,
        decidedAt: orNull(whole),
        status: oneOf('open', 'decided', 'expired', 'void'),
      }),
    ),
  }),
  validators: object<Answers['validators']>({
    ...origin,
    validators: each(
      object<Answers['validators']['validators'][number]>({
        index: whole,
        name: text,
        address: identifier,
        publicKey: hash,
        primary: yesOrNo,
        self: yesOrNo,
        connected: yesOrNo,
        heard: unlessAbsent(orNull(yesOrNo)),
      }),
    ),
    strangers: unlessAbsent(each(identifier)),
    unreached: unlessAbsent(
      each(
        object<NonNullable<Answers['validators']['unreached']>[number]>({
          address: identifier,
          why: text,
          remedy: text,
        }),
      ),
    ),
  }),
  members: object<Answers['members']>({
    ...origin,
    members: each(
      object<MemberAnswer>({
        index: whole,
        name: text,
        address: identifier,
        publicKey: hash,
        role: oneOf('voter', 'learner', 'removed', 'joining', 'leaving', 'demoted'),
        leader: yesOrNo,
        api: orNull(text),
        self: yesOrNo,
        connected: yesOrNo,
      }),
    ),
  }),
  changed: object<Answers['changed']>({ ...origin, height: whole }),
  why: object<Answers['why']>({ ...origin, finalHeight: whole, why: text }),
  evidence: object<Answers['evidence']>({
    ...origin,
    offset: whole,
    evidence: each(
      object<EvidenceItem>({
        accused: whole,
        address: identifier,
        kind: identifier,
        bytes,
        contradiction: unlessAbsent(
          orNull(object<NonNullable<EvidenceItem['contradiction']>>({ epoch: whole, messages: each(word) })),
        ),
      }),
    ),
  }),
  samples: object<Answers['samples']>({
    ...origin,
    everyMs: whole,
    samples: each(
      object<SampleAnswer>({
        at: whole,
        ms: amount,
        blocks: whole,
        transactions: whole,
        blockBytes: whole,
        latencyMs: object<SampleAnswer['latencyMs']>({ p50: measured, p90: measured, p99: measured }),
        pending: whole,
        view: whole,
        viewChanges: whole,
        memoryBytes: whole,
        heapBytes: whole,
        diskBytes: orNull(whole),
        votes: votes(amount),
      }),
    ),
  }),
  viewChanges: object<Answers['viewChanges']>({
    ...origin,
    changes: each(
      object<ViewChangeAnswer>({ at: whole, view: whole, leader: orNull(identifier), reason: text }),
    ),
  }),
  votes: object<Answers['votes']>({
    ...origin,
    blocks: each(
      object<BlockVotesAnswer>({
        height: whole,
        hash,
        proposer: identifier,
        finalMs: measured,
        votes: votes(measured),
      }),
    ),
  }),
  health: object<Answers['health']>({ ...origin, status: oneOf('ok') }),
  ready: object<Answers['ready']>({ ...origin, status: oneOf('ready') }),
};
