import { z } from 'zod';
import { addressSchema, hashSchema, heightSchema, milliseconds, origin, whole } from './schemas.ts';

const duration = (what: string) => z.number().describe(`${what}, in milliseconds`);
const wait = duration('For how long it could have been executed here before it was final here');

export const sampleSpanSchema = z
  .enum(['minutes', 'hours'])
  .describe('The last minutes, or with longer samples the last hours');

const sampleSchema = z
  .object({
    at: milliseconds('When it ended'),
    ms: duration('How long it was'),
    blocks: whole('Blocks that became final here in that time'),
    transactions: whole('What they held'),
    blockBytes: whole('Bytes of the transactions of all of them'),
    latencyMs: z
      .object({ p50: wait.nullable(), p90: wait.nullable(), p99: wait.nullable() })
      .describe('Percentiles over some of these transactions; null without any that waited here'),
    pending: whole('Transactions that waited here when it ended'),
    view: whole('View (PBFT) or term (Raft) when it ended'),
    viewChanges: whole('How often the view or who leads it changed in that time'),
    memoryBytes: whole('What the process had of the memory when it ended'),
    heapBytes: whole('How much of that was in use by objects'),
    diskBytes: whole('What the database had of the disk').nullable().describe('Null while it is not known'),
    votes: z
      .array(z.object({ validator: addressSchema, ms: duration('How late they came, on average') }))
      .describe('Votes that came in that time, counted from when the proposal of their block came'),
  })
  .meta({ id: 'Sample' });

export const samplesSchema = z
  .object({
    ...origin,
    everyMs: whole('How often there is one, in milliseconds'),
    samples: z.array(sampleSchema).describe('The oldest first; none of before this node started'),
  })
  .meta({ id: 'Samples' });

const viewChangeSchema = z
  .object({
    at: milliseconds('When it was so'),
    view: whole('View (PBFT) or term (Raft)'),
    leader: addressSchema.nullable().describe('Who began it or leads it; null while nobody does'),
    reason: z.string().describe('In the words of "why"'),
  })
  .meta({ id: 'ViewChange' });

export const viewChangesSchema = z
  .object({ ...origin, changes: z.array(viewChangeSchema).describe('The oldest first') })
  .meta({ id: 'ViewChanges' });

const blockVotesSchema = z
  .object({
    height: heightSchema,
    hash: hashSchema,
    proposer: addressSchema,
    finalMs: duration('From when its proposal came until it was final and stored here')
      .nullable()
      .describe('Null when the proposal did not come here'),
    votes: z
      .array(
        z.object({
          validator: addressSchema,
          ms: duration('From when the proposal came until this came').nullable(),
        }),
      )
      .describe('In the order in which they came: Commits (PBFT), or who has it on disk (Raft)'),
  })
  .meta({ id: 'BlockVotes' });

export const votesSchema = z
  .object({ ...origin, blocks: z.array(blockVotesSchema).describe('The lowest first') })
  .meta({ id: 'Votes' });

export type SampleJson = z.output<typeof sampleSchema>;
export type ViewChangeJson = z.output<typeof viewChangeSchema>;
export type BlockVotesJson = z.output<typeof blockVotesSchema>;
