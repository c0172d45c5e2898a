import { z } from 'zod';
import { utf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { engineNames } from '../ledger/engine-names.ts';
import { namespaceModes } from '../ledger/namespace.ts';
import { failureCodes } from '../ledger/failure-codes.ts';
import { answeredCodes } from './problem-status.ts';

/**
 * The JSON of the API, as the OpenAPI description shows it. Amounts are decimal text, because JSON readers
 * round past 2^53; heights, nonces and times are numbers below 2^48; hashes, keys and bytes are lower-case
 * hex; accounts are `qr1…` addresses. Every answer about the chain names its engine and its chain.
 */
const hex = (bytes: number, what: string) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `must be ${bytes} bytes in lower-case hex`)
    .describe(what);
const bytesHex = (what: string) =>
  z
    .string()
    .regex(/^(?:[0-9a-f]{2})*$/, 'must be lower-case hex')
    .describe(what);

const maxWhole = 2 ** 48 - 1;
export const whole = (what: string) => z.int().min(0).max(maxWhole).describe(what);
export const milliseconds = (what: string) => whole(`${what}, in milliseconds since 1970`);

export const hashSchema = hex(32, 'A SHA-256 hash');
const publicKeySchema = hex(32, 'An Ed25519 public key');
const signatureSchema = hex(64, 'An Ed25519 signature');
export const addressSchema = z.string().describe('An account: bech32m with the prefix qr');
const amountSchema = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,19})$/)
  .describe('An amount in the smallest unit, as decimal text');
const heldSchema = amountSchema.describe('What it reserved for others, beside the balance');
export const heightSchema = whole('The height of a block');

/**
 * A whole number in a path or a query: plain decimal digits, nothing that could be
 * rounded or read in two ways.
 */
export function decimalBetween(minimum: number, maximum: number) {
  const bounds = maximum === maxWhole && minimum === 0 ? 'below 2^48' : `${minimum} to ${maximum}`;
  return z
    .string()
    .regex(/^(?:0|[1-9][0-9]*)$/, 'must be a whole number in plain decimal digits')
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `must be ${bounds}`)
    .meta({ type: 'integer', minimum, maximum });
}
export const decimalParameter = decimalBetween(0, maxWhole);

export const consistencySchema = z.enum(['stale', 'lease', 'linearizable']);

export const origin = {
  engine: z.enum(engineNames).describe('The engine that made it final; raft trusts its members not to lie'),
  chainId: hashSchema.describe('The hash of the genesis file'),
};

/** The known codes, or any text: a newer node may have more, and a reader must not break on them. */
const codeOf = (codes: readonly string[], what: string) =>
  z.union([z.enum(codes), z.string()]).describe(`${what}. Newer nodes may answer others: take any.`);

export const problemSchema = z
  .object({
    type: z.string().describe('urn:quorate:problem:<code>'),
    title: z.string().describe('What the code means'),
    status: z.int(),
    detail: z.string().describe('What was wrong'),
    instance: z.string().optional().describe('The path of the request'),
    code: codeOf(answeredCodes, 'What it is, for programs: a code never gets another meaning'),
    remedy: z.string().describe('What to do about it'),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  })
  .describe('A problem by RFC 9457')
  .meta({ id: 'Problem' });

/** A problem as a part of an answer that is not itself one. */
const problemPartSchema = problemSchema
  .pick({
    code: true,
    detail: true,
    remedy: true,
    details: true,
  })
  .meta({ id: 'ProblemPart' });

const headerSchema = z
  .object({
    height: heightSchema,
    parentHash: hashSchema,
    view: whole('View (pbft) or term (raft) of the first proposal'),
    proposer: addressSchema,
    timestamp: milliseconds('When it was proposed'),
    protocolVersion: whole('The rules that its transactions were executed by'),
    transactionRoot: hashSchema,
    stateRoot: hashSchema,
    receiptsRoot: hashSchema,
    validatorsHash: hashSchema,
    nextValidatorsHash: hashSchema,
  })
  .meta({ id: 'Header' });

const certificateSchema = z
  .discriminatedUnion('engine', [
    z.object({
      engine: z.literal('pbft'),
      phase: z.enum(['prepare', 'commit']),
      epoch: heightSchema.describe('The height after which the validators that signed are in force'),
      view: whole('The view of the votes'),
      height: heightSchema,
      blockHash: hashSchema,
      signatures: z.array(z.object({ validator: z.int(), signature: signatureSchema })),
    }),
    z.object({
      engine: z.literal('raft'),
      term: whole('The term of the leader'),
      height: heightSchema,
      blockHash: hashSchema,
      leader: z.int(),
      signature: signatureSchema,
    }),
  ])
  .meta({ id: 'Certificate' });

const versionSchema = whole('1, 2, 3 …: every change of a record counts, also across its deletion');
const placeSchema = z
  .object({
    height: heightSchema,
    transaction: whole('Index of the transaction in its block'),
    operation: whole('Index of the operation in its transaction'),
  })
  .meta({ id: 'Place' });

const foundSchema = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('version'), version: whole('Of the record; 0 where there is none') }),
    z.object({ type: z.literal('hash'), hash: hashSchema }),
    z.object({ type: z.literal('balance'), balance: amountSchema }),
    z.object({ type: z.literal('height'), height: heightSchema }),
    z.object({ type: z.literal('time'), time: milliseconds('Of the block') }),
    z.object({ type: z.literal('reserved'), amount: amountSchema }),
  ])
  .meta({ id: 'Found' });

const receiptSchema = z
  .object({
    transactionHash: hashSchema,
    status: z.enum(['applied', 'failed']),
    code: codeOf(['', ...failureCodes], 'Why it failed; empty when it was applied'),
    failure: z
      .object({
        part: z.enum(['condition', 'operation']),
        index: whole('Which of them'),
        found: foundSchema.nullable().describe('What was there instead of what it needs'),
      })
      .nullable()
      .describe('What failed; null when it was applied'),
    fee: amountSchema,
    accounts: z
      .array(z.object({ address: addressSchema, balance: amountSchema, held: heldSchema }))
      .describe('Accounts that it touched, with what they have after it; the sender first'),
    records: z
      .array(
        z.object({
          operation: whole('Index of the operation that changed it, which names its key'),
          version: versionSchema,
          previous: placeSchema.nullable().describe('Where the version before was made; null for the first'),
        }),
      )
      .describe('Records that it changed'),
    changes: z
      .array(
        z.object({
          operation: whole('Index of the operation that made or approved it'),
          proposal: hashSchema.describe('The id of the proposal'),
          approvals: whole('How many have approved it, this one included'),
          needed: whole('How many make a quorum'),
          effectiveFrom: heightSchema
            .nullable()
            .describe('Decided with this approval, it counts from this height on; null while it is not'),
        }),
      )
      .describe('Proposed changes of the chain that it made or approved'),
  })
  .meta({ id: 'Receipt' });

const blockLimitsSchema = z
  .object({
    maxTransactions: whole('Transactions'),
    maxOperations: whole('Operations in all its transactions'),
    maxBytes: whole('Encoded transactions'),
  })
  .describe('What a block may hold at most')
  .meta({ id: 'BlockLimits' });

const fromHeight = heightSchema
  .optional()
  .describe('The first height that it counts for; without it, the one after the deciding block');
const chainChangeSchema = z
  .discriminatedUnion('type', [
    z.object({
      type: z.literal('validators'),
      validators: z.array(addressSchema).describe('The whole next set, in order'),
    }),
    z.object({ type: z.literal('protocol-version'), version: whole('Of the rules'), height: heightSchema }),
    z.object({ type: z.literal('fee-floor'), feePerOperation: amountSchema, height: fromHeight }),
    z.object({ type: z.literal('limits'), limits: blockLimitsSchema, height: fromHeight }),
  ])
  .meta({ id: 'ChainChange' });

const recordKey = z.string().describe('A record’s key');
/** A key as it is asked for. One that no record can have finds nothing. */
export const recordKeyParameter = z
  .string()
  .min(1)
  .refine((key) => utf8(key).length <= limits.maxRecordKeyBytes, {
    error: `must be at most ${limits.maxRecordKeyBytes} bytes`,
  });
const reservationName = z
  .string()
  .describe(
    'ADDRESS:NONCE:OPERATION: who reserved, the nonce of that transaction, the operation’s index in it',
  );
const namespaceName = z.string().describe('What stands before the first "/" of its records’ keys');
const namespaceMode = z
  .enum(namespaceModes)
  .describe(
    'open: anybody creates records of his own; writers: only they write, and any of them any record; append-only: they create records, which nobody changes or deletes',
  );
const operationSchema = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('transfer'), to: addressSchema, amount: amountSchema, memo: z.string() }),
    z.object({ type: z.literal('put'), key: recordKey, value: bytesHex('The value') }),
    z.object({ type: z.literal('delete'), key: recordKey }),
    z.object({ type: z.literal('give'), key: recordKey, to: addressSchema }),
    z.object({
      type: z.literal('open-namespace'),
      name: namespaceName,
      mode: namespaceMode,
      writers: z.array(addressSchema).describe('Who may write there; none in mode open'),
    }),
    z.object({
      type: z.literal('set-namespace'),
      name: namespaceName,
      owner: addressSchema.nullable().describe('Whose it becomes; null where that stays'),
      mode: namespaceMode.nullable().describe('Null where it stays'),
      writers: z
        .array(addressSchema)
        .nullable()
        .describe('Null where they stay; in mode open there are none'),
    }),
    z.object({
      type: z.literal('set-keys'),
      keys: z.array(addressSchema),
      threshold: whole('How many of the keys must sign'),
      force: z.boolean().describe('Also when nobody shows to have the new keys'),
    }),
    z.object({
      type: z.literal('reserve'),
      to: addressSchema,
      amount: amountSchema,
      expiryHeight: whole('The last height at which it can be posted'),
      memo: z.string(),
    }),
    z.object({ type: z.literal('post'), reservation: reservationName, amount: amountSchema }),
    z.object({ type: z.literal('void'), reservation: reservationName }),
    z.object({
      type: z.literal('propose-change'),
      change: chainChangeSchema,
      expiryHeight: heightSchema.describe('The last height at which it can be approved'),
      validatorsHash: hashSchema.describe('The set in force that it is made for'),
      members: bytesHex('Raft: the members that this hash is of; otherwise empty'),
      replaces: z.boolean().describe('Takes the place of the sender’s open proposal'),
    }),
    z.object({ type: z.literal('approve-change'), proposal: hashSchema }),
  ])
  .meta({ id: 'Operation' });

const conditionSchema = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('record-version'), key: recordKey, version: versionSchema }),
    z.object({ type: z.literal('record-absent'), key: recordKey }),
    z.object({ type: z.literal('record-exists'), key: recordKey }),
    z.object({ type: z.literal('record-hash'), key: recordKey, hash: hashSchema }),
    z.object({ type: z.literal('balance-at-least'), account: addressSchema, amount: amountSchema }),
    z.object({ type: z.literal('height-at-most'), height: heightSchema }),
    z.object({
      type: z.literal('time-at-most'),
      time: milliseconds('The block’s latest time; from protocol version 2 on'),
    }),
  ])
  .meta({ id: 'Condition' });

const transactionSchema = z
  .object({
    hash: hashSchema,
    chainId: hashSchema,
    sender: addressSchema,
    nonce: whole('The nonce'),
    fee: amountSchema,
    expiryHeight: heightSchema,
    reference: bytesHex('The application’s own, up to 32 bytes'),
    conditions: z.array(conditionSchema).describe('All must hold, or nothing is done'),
    operations: z.array(operationSchema).describe('Done in their order, all or none'),
    signatures: z.array(z.object({ signer: addressSchema, signature: signatureSchema })),
    bytes: bytesHex('The canonical bytes that the hash is of'),
  })
  .meta({ id: 'Transaction' });

const proofSchema = z
  .object({
    index: whole('Position of the leaf'),
    size: whole('Number of leaves'),
    path: z.array(hashSchema).describe('Hashes beside the way from the leaf to the root'),
  })
  .meta({ id: 'MerkleProof' });

const finality = {
  header: headerSchema,
  descendants: z.array(headerSchema).describe('Headers up to the block that the certificate names'),
  certificate: certificateSchema,
};

export const finalitySchema = z
  .object({ ...origin, hash: hashSchema, ...finality })
  .describe('All that shows offline, with the genesis file, that the block is final')
  .meta({ id: 'FinalityProof' });

export const stateReadingSchema = z
  .object({
    ...origin,
    hash: hashSchema.describe('Of the block after which the state is so'),
    ...finality,
    entry: bytesHex(
      'The entry (specification, "State entries"; of a page of records a "listing"); null where there is none',
    ).nullable(),
    proof: bytesHex(
      'What shows that under the state root of the header (specification, "record proof" of a record, "listing proof" of a page of records, "state proof" of all else)',
    ),
  })
  .describe('What a final state has under one key, and all that shows it offline, with the genesis file')
  .meta({ id: 'StateReading' });

export const epochsSchema = z
  .object({
    ...origin,
    epochs: z.array(
      z.object({ ...finality, validators: z.array(addressSchema).describe('Of the blocks above, in order') }),
    ),
  })
  .describe('How the validators changed: each set signed the block that names the next one')
  .meta({ id: 'Epochs' });

export const genesisSchema = z
  .object({ ...origin, genesis: z.string().describe('The text of the genesis file') })
  .meta({ id: 'Genesis' });

const inclusionSchema = z
  .object({
    height: heightSchema,
    blockHash: hashSchema,
    ...finality,
    receipt: receiptSchema,
    transactionProof: proofSchema,
    receiptProof: proofSchema,
    transaction: transactionSchema,
  })
  .describe(
    'All that shows offline, with the genesis file, that the transaction is final and what came of it',
  )
  .meta({ id: 'Inclusion' });

const missingSchema = z
  .object({
    sender: addressSchema,
    nonce: whole('The nonce'),
    expiryHeight: whole('The last height at which the one that waits may stand in a block'),
  })
  .nullable()
  .describe(
    'The nonce that this node lacks: until a transaction of that sender with it comes, this one can stand in no block. ' +
      'It is gone when its expiry height is final, which comes also on an idle chain: while something waits, there are empty blocks',
  );
const goneSchema = problemPartSchema.describe(
  'Why no block can hold it any more: true on every node. Its remedy says what to look at before anything is signed for the same purpose',
);

export const transactionStatusSchema = z
  .discriminatedUnion('status', [
    z.object({ ...origin, hash: hashSchema, status: z.literal('pending'), missing: missingSchema }),
    z.object({ ...origin, hash: hashSchema, status: z.literal('final'), inclusion: inclusionSchema }),
    z.object({ ...origin, hash: hashSchema, status: z.literal('gone'), problem: goneSchema }),
    z.object({
      ...origin,
      hash: hashSchema,
      status: z.literal('unknown'),
      problem: problemPartSchema
        .nullable()
        .describe(
          'Why this node let go of it, if it had it lately; another may have it, and it may become final',
        ),
    }),
  ])
  .meta({ id: 'TransactionStatus' });

/** The length is judged first: nothing is matched against text longer than a transaction. */
const transactionHex = z
  .string({ error: 'must be text: an encoded and signed transaction in lower-case hex' })
  .max(limits.maxTransactionBytes * 2, { abort: true })
  .regex(/^[0-9a-f]+$/, 'must be lower-case hex')
  .refine((text) => text.length % 2 === 0, 'must have two characters for each byte');

/** One transaction, or up to `limits.httpBatch`; never both. */
export const submissionSchema = z
  .union(
    [
      z.strictObject({ transaction: transactionHex.describe('The encoded transaction') }),
      z.strictObject({ transactions: z.array(transactionHex).min(1).max(limits.httpBatch) }),
    ],
    { error: 'must be an object with either "transaction" or "transactions"' },
  )
  .meta({ id: 'Submission' });

export const submissionQuerySchema = z
  .strictObject({
    wait: z.literal('final').optional().describe('Answer when all are final, or after timeoutMs'),
    timeoutMs: decimalBetween(1, limits.httpWaitMs).optional(),
  })
  .refine((query) => query.timeoutMs === undefined || query.wait !== undefined, 'timeoutMs needs wait=final');

/**
 * One transaction of a batch. `final` comes only with wait=final; ask for the transaction to have its proof.
 */
const submitResultSchema = z
  .discriminatedUnion('status', [
    z.object({ status: z.literal('accepted'), hash: hashSchema, missing: missingSchema }),
    z.object({ status: z.literal('known'), hash: hashSchema }),
    z.object({ status: z.literal('refused'), hash: hashSchema.nullable(), problem: problemPartSchema }),
    z.object({ status: z.literal('pending'), hash: hashSchema, missing: missingSchema }),
    z.object({ status: z.literal('gone'), hash: hashSchema, problem: goneSchema }),
    z.object({ status: z.literal('unknown'), hash: hashSchema, problem: problemPartSchema }),
    z.object({
      status: z.literal('final'),
      hash: hashSchema,
      height: heightSchema,
      blockHash: hashSchema,
      receipt: receiptSchema,
    }),
  ])
  .meta({ id: 'SubmitResult' });

export const submittedSchema = z
  .discriminatedUnion('status', [
    z.object({ ...origin, status: z.literal('accepted'), hash: hashSchema, missing: missingSchema }),
    z.object({ ...origin, status: z.literal('known'), hash: hashSchema }),
  ])
  .meta({ id: 'Submitted' });
export const submittedBatchSchema = z
  .object({ ...origin, results: z.array(submitResultSchema) })
  .meta({ id: 'SubmittedBatch' });

const headerItem = { hash: hashSchema, header: headerSchema, transactionCount: z.int() };
const headerViewSchema = z.object({ ...origin, ...headerItem }).meta({ id: 'FinalBlockEvent' });
export const headersSchema = z
  .object({ ...origin, headers: z.array(z.object(headerItem)) })
  .meta({ id: 'Headers' });

export const blockSchema = z
  .object({
    ...origin,
    hash: hashSchema,
    header: headerSchema,
    certificate: certificateSchema
      .nullable()
      .describe("The block's own; null when a later block's made it final"),
    transactionHashes: z.array(hashSchema),
    transactions: z.array(transactionSchema).optional().describe('With full=true'),
    receipts: z.array(receiptSchema).optional().describe('With full=true'),
  })
  .meta({ id: 'Block' });

const read = {
  ...origin,
  consistency: consistencySchema.describe('How it was read: as it was asked for'),
  height: heightSchema.describe('The final block whose state was read'),
  blockHash: hashSchema,
  stateRoot: hashSchema,
};

export const accountSchema = z
  .object({
    ...read,
    address: addressSchema,
    publicKey: publicKeySchema,
    balance: amountSchema.describe('What it can spend, in the smallest unit'),
    held: heldSchema,
    nonce: whole('The next nonce by the final state'),
    keys: z
      .object({ keys: z.array(addressSchema), threshold: whole('How many of the keys must sign') })
      .nullable()
      .describe('Which keys sign for it; null while its own key alone does'),
    pendingNonce: whole(
      "The next nonce to use, after what waits in this node's mempool: one node's opinion, and another node, or this one a moment later, may say otherwise",
    ),
  })
  .meta({ id: 'Account' });

export const reservationSchema = z
  .object({
    ...read,
    reservation: reservationName,
    sender: addressSchema.describe('Who reserved it'),
    recipient: addressSchema.describe('Who alone can post or void it'),
    amount: amountSchema.describe('What was reserved'),
    expiryHeight: heightSchema.describe('The last height at which it can be posted'),
    made: placeSchema.describe('Where it was made'),
    status: z
      .enum(['held', 'posted', 'voided', 'expired'])
      .describe('Expired ones were released at the beginning of the block after their last height'),
    taken: amountSchema.describe('What the recipient took; the rest went back to the sender'),
    settled: placeSchema.nullable().describe('Where it was posted or voided; null when it was not'),
  })
  .meta({ id: 'Reservation' });

const recordFields = {
  key: recordKey,
  owner: addressSchema,
  value: bytesHex('The value'),
  version: versionSchema,
  changed: placeSchema.describe('Where this version was made'),
  previous: placeSchema.nullable().describe('Where the one before it was made; null for the first'),
};

export const recordSchema = z.object({ ...read, ...recordFields }).meta({ id: 'Record' });

export const recordListSchema = z
  .object({
    ...read,
    prefix: z.string(),
    records: z.array(z.object(recordFields)).describe('In the order of the bytes of their keys'),
    next: recordKey
      .nullable()
      .describe(
        'Give it as "after" to get the next page; null where there is none. A page may be empty and go on',
      ),
  })
  .meta({ id: 'RecordList' });

const namespaceFields = {
  name: namespaceName,
  owner: addressSchema.describe('Who may change its mode, writers and owner'),
  mode: namespaceMode,
  writers: z.array(addressSchema).describe('None in mode open'),
  entries: whole('Keys that were ever written there, those of deleted records too'),
  root: hashSchema.describe('Of the tree of its entries'),
};

export const namespaceSchema = z.object({ ...read, ...namespaceFields }).meta({ id: 'Namespace' });

export const namespaceListSchema = z
  .object({
    ...read,
    prefix: z.string(),
    namespaces: z.array(z.object(namespaceFields)).describe('In the order of the bytes of their names'),
    next: namespaceName
      .nullable()
      .describe(
        'Give it as "after" to get the next page; null where there is none. A page may be empty and go on',
      ),
  })
  .meta({ id: 'NamespaceList' });

export const listOrderSchema = z.enum(['newest', 'oldest']).describe('Which end the list begins with');
export const cursorSchema = hex(20, 'Where the page before ended: its "next"');
/** What a list's page says of itself. */
const listPage = {
  ...origin,
  height: heightSchema.describe('The final height of this node when the page was read'),
  completeFrom: heightSchema.describe(
    'From this height on nothing is left out; this node does not know what was below',
  ),
  next: cursorSchema.nullable().describe('The cursor of the next page; null where the list ends'),
};
const listedTransaction = {
  height: heightSchema,
  index: whole('Index of the transaction in its block'),
  timestamp: milliseconds('Of the block'),
  transaction: transactionSchema,
  receipt: receiptSchema,
};
const accountTransactionSchema = z
  .object({
    ...listedTransaction,
    role: z.enum(['sender', 'touched']).describe('Whether the account sent it, or is touched or named by it'),
  })
  .meta({ id: 'AccountTransaction' });
const finalTransactionSchema = z.object(listedTransaction).meta({ id: 'FinalTransaction' });

export const accountTransactionsSchema = z
  .object({ ...listPage, address: addressSchema, transactions: z.array(accountTransactionSchema) })
  .meta({ id: 'AccountTransactions' });
export const transactionsSchema = z
  .object({
    ...listPage,
    reference: bytesHex('The application’s own'),
    transactions: z.array(finalTransactionSchema),
  })
  .meta({ id: 'TransactionList' });

const recordVersionSchema = z
  .object({
    version: versionSchema,
    made: placeSchema,
    timestamp: milliseconds('Of the block'),
    transactionHash: hashSchema,
    by: addressSchema.describe('Who sent the transaction'),
    change: z.enum(['put', 'delete', 'give']),
    value: bytesHex('What was written').nullable().describe('What was written; null for the others'),
    to: addressSchema.nullable().describe('Whom it was given to; null for the others'),
  })
  .meta({ id: 'RecordVersion' });
export const recordHistorySchema = z
  .object({ ...listPage, key: recordKey, versions: z.array(recordVersionSchema) })
  .meta({ id: 'RecordHistory' });

const recordAtSchema = z
  .object({
    height: heightSchema,
    version: whole('The version that it had; 0 where it was never written up to then'),
    made: placeSchema.nullable().describe('Where that version was made'),
    value: bytesHex('The value').nullable().describe('Null where it was not there, or not any more'),
  })
  .meta({ id: 'RecordAt' });
export const recordDiffSchema = z
  .object({ ...origin, key: recordKey, from: recordAtSchema, to: recordAtSchema })
  .meta({ id: 'RecordDiff' });

export const validatorsSchema = z
  .object({
    ...origin,
    validators: z.array(
      z.object({
        index: z.int(),
        name: z.string(),
        address: addressSchema,
        publicKey: publicKeySchema,
        primary: z.boolean(),
        self: z.boolean(),
        connected: z.boolean(),
        heard: z
          .boolean()
          .nullable()
          .describe(
            'Whether it was heard lately and votes; null where this node cannot tell (an observer; in Raft mode)',
          ),
      }),
    ),
    strangers: z
      .array(addressSchema)
      .describe(
        'Whose keys connected peers proved, or this node has, and no validator: who is to become one is among them',
      ),
    unreached: z
      .array(z.object({ address: z.string(), why: z.string(), remedy: z.string() }))
      .optional()
      .describe('Nodes of its settings that this node cannot reach, and why; absent when there are none'),
  })
  .meta({ id: 'Validators' });

const protocolVersionsSchema = z.object({ oldest: whole('Of the rules'), newest: whole('Of the rules') });

export const chainParametersSchema = z
  .object({
    ...origin,
    height: heightSchema.describe('The final block whose state was read: this counts for the one after it'),
    blockHash: hashSchema,
    stateRoot: hashSchema,
    protocolVersion: whole('Of the rules'),
    feePerOperation: amountSchema.describe(
      'The least fee for each operation, and each signature after the first',
    ),
    limits: blockLimitsSchema,
    scheduled: z
      .array(z.object({ height: heightSchema, change: chainChangeSchema }))
      .describe('Decided, and to count from a later height on'),
    validatorsHash: hashSchema.describe('The set in force, as headers name it'),
    validators: z
      .array(
        z.object({
          address: addressSchema,
          publicKey: publicKeySchema,
          name: z.string().nullable(),
          protocolVersions: protocolVersionsSchema
            .nullable()
            .describe('Which its node knows; null while this one is not connected to it'),
        }),
      )
      .describe('Who proposes and approves changes'),
    members: bytesHex('Raft: what a proposal gives as its members; otherwise empty'),
    needed: whole('How many of the validators must approve a change'),
  })
  .meta({ id: 'ChainParameters' });

export const chainProposalsSchema = z
  .object({
    ...origin,
    height: heightSchema.describe('The final block whose state was read'),
    proposals: z.array(
      z.object({
        id: hashSchema,
        proposer: addressSchema,
        change: chainChangeSchema,
        expiryHeight: heightSchema.describe('The last height at which it can be approved'),
        validatorsHash: hashSchema.describe('The set that it was made for'),
        approvals: z.array(addressSchema),
        needed: whole('How many make a quorum'),
        decidedAt: heightSchema.nullable(),
        status: z
          .enum(['open', 'decided', 'expired', 'void'])
          .describe('void: made for another set of validators than the one in force'),
      }),
    ),
  })
  .meta({ id: 'ChainProposals' });

export const membersSchema = z
  .object({
    ...origin,
    members: z.array(
      z.object({
        index: z.int().describe('Kept forever, also by one that was removed'),
        name: z.string(),
        address: addressSchema,
        publicKey: publicKeySchema,
        role: z.enum(['voter', 'learner', 'removed', 'joining', 'leaving', 'demoted']),
        leader: z.boolean(),
        api: z
          .string()
          .nullable()
          .describe(
            'Where it says that its API can be reached; null when it says nothing, or is not connected',
          ),
        self: z.boolean(),
        connected: z.boolean(),
      }),
    ),
  })
  .meta({ id: 'Members' });

/** Bounds of one request to change the members: no committee is larger. */
const maxChanges = limits.maxValidators;
const memberKey = z.string().max(128).describe('A qr1… address, or the public key in hex');

export const memberChangesSchema = z
  .strictObject({
    changes: z
      .array(z.strictObject({ member: memberKey, role: z.enum(['voter', 'learner', 'removed']) }))
      .min(1)
      .max(maxChanges)
      .describe('All at once: with joint consensus where votes change'),
    force: z.boolean().default(false).describe('Also when what is left is no working quorum'),
  })
  .meta({ id: 'MemberChanges' });

export const transferSchema = z
  .strictObject({
    to: memberKey.nullable().default(null).describe('Null lets the leader choose'),
  })
  .meta({ id: 'LeaderTransfer' });

export const changedSchema = z
  .object({ ...origin, height: heightSchema.describe('It holds from here on') })
  .meta({ id: 'Changed' });

export const statusSchema = z
  .object({
    ...origin,
    chainName: z.string(),
    development: z.boolean(),
    version: z.string(),
    signatureCheck: z.string().describe('What checks signatures there'),
    validator: z
      .object({ index: z.int(), address: addressSchema })
      .nullable()
      .describe('Null for an observer'),
    view: whole('The current view or term'),
    primary: z.int().nullable().describe('Index of the validator that leads; null while nobody does'),
    leaderApi: z.string().nullable().describe('Where that one says that its API can be reached, if it does'),
    finalHeight: heightSchema,
    finalHash: hashSchema,
    stateRoot: hashSchema,
    finalTimestamp: milliseconds('Timestamp of the final block'),
    highestKnown: heightSchema.describe('The highest final height that a peer is known to have'),
    inFlight: z.int(),
    voting: z.boolean(),
    quorumContact: z.boolean(),
    syncing: z.boolean(),
    ready: z.boolean(),
    peers: z.int(),
    mempool: z.object({ transactions: z.int(), bytes: z.int() }),
    protocolVersion: whole('Of the rules of the next block'),
    knownProtocolVersions: protocolVersionsSchema.describe('Which the node knows'),
    scheduledProtocolVersion: z
      .object({ version: whole('Of the rules'), height: heightSchema })
      .nullable()
      .describe('Decided, and to count from that height on: a node that does not know it stops before'),
    uptimeMs: z.number(),
    counters: z.record(z.string(), z.number()),
  })
  .meta({ id: 'Status' });

export const whySchema = z
  .object({
    ...origin,
    finalHeight: heightSchema,
    why: z.string().describe('One sentence: what progress waits for'),
  })
  .meta({ id: 'Why' });

const signedWordSchema = z
  .object({
    kind: z.string().describe('pre-prepare, prepare, commit or view-change'),
    view: whole('The view that it is of, or changes to'),
    height: heightSchema.describe(
      'Of the block that it is about, or up to which all is final for its signer',
    ),
    blockHash: hashSchema.nullable().describe('Null where it names none'),
    certificate: z
      .object({ phase: z.string(), view: whole('Its view'), height: heightSchema })
      .nullable()
      .describe('The best that its signer says to know; null where it says nothing of that'),
    signature: signatureSchema,
  })
  .meta({ id: 'SignedWord' });

export const evidenceSchema = z
  .object({
    ...origin,
    offset: z.int(),
    evidence: z.array(
      z.object({
        accused: z.int().describe('Index of the validator; -1 when its key is no validator’s now'),
        address: addressSchema,
        kind: z.string(),
        bytes: bytesHex('The signed contradiction'),
        contradiction: z
          .object({
            epoch: heightSchema.describe(
              'Of the validators that it is about: 0 for those of the genesis file',
            ),
            messages: z
              .array(signedWordSchema)
              .describe('Two, of which a correct validator signs one at most'),
          })
          .nullable()
          .describe('The same, read; null where this node cannot read it'),
      }),
    ),
  })
  .meta({ id: 'EvidenceList' });

export const healthSchema = z.object({ ...origin, status: z.literal('ok') }).meta({ id: 'Health' });
export const readySchema = z.object({ ...origin, status: z.literal('ready') }).meta({ id: 'Ready' });

/**
 * An event of the stream. Its SSE id is the height, so that a reader that comes back goes on where it was.
 */
export const finalEventSchema = headerViewSchema;

export type Submission = z.output<typeof submissionSchema>;
export type ProblemJson = z.output<typeof problemSchema>;
export type ProblemPartJson = z.output<typeof problemPartSchema>;
export type HeaderJson = z.output<typeof headerSchema>;
export type CertificateJson = z.output<typeof certificateSchema>;
export type ReceiptJson = z.output<typeof receiptSchema>;
export type TransactionJson = z.output<typeof transactionSchema>;
export type FinalityJson = z.output<typeof finalitySchema>;
export type StateReadingJson = z.output<typeof stateReadingSchema>;
export type EpochsJson = z.output<typeof epochsSchema>;
export type GenesisJson = z.output<typeof genesisSchema>;
export type InclusionJson = z.output<typeof inclusionSchema>;
export type TransactionStatusJson = z.output<typeof transactionStatusSchema>;
export type SubmitResultJson = z.output<typeof submitResultSchema>;
export type BlockJson = z.output<typeof blockSchema>;
export type HeaderViewJson = z.output<typeof headerViewSchema>;
export type AccountJson = z.output<typeof accountSchema>;
export type ReservationJson = z.output<typeof reservationSchema>;
export type RecordJson = z.output<typeof recordSchema>;
export type RecordListJson = z.output<typeof recordListSchema>;
export type NamespaceJson = z.output<typeof namespaceSchema>;
export type NamespaceListJson = z.output<typeof namespaceListSchema>;
export type AccountTransactionsJson = z.output<typeof accountTransactionsSchema>;
export type TransactionsJson = z.output<typeof transactionsSchema>;
export type RecordHistoryJson = z.output<typeof recordHistorySchema>;
export type RecordDiffJson = z.output<typeof recordDiffSchema>;
export type ValidatorsJson = z.output<typeof validatorsSchema>;
export type ChainParametersJson = z.output<typeof chainParametersSchema>;
export type ChainProposalsJson = z.output<typeof chainProposalsSchema>;
export type MembersJson = z.output<typeof membersSchema>;
export type StatusJson = z.output<typeof statusSchema>;
export type EvidenceJson = z.output<typeof evidenceSchema>;
