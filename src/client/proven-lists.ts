import { Problem } from '../base/problem.ts';
import type { RecordEntry, Tombstone } from '../ledger/state-entry.ts';
import type { RecordVersions } from '../ledger/history-proof.ts';
import { pageReading, type RecordPage } from '../ledger/page-reading.ts';
import { recordEntryReading } from '../ledger/state-reading.ts';
import type { StateReadingAnswer } from './answers.ts';
import type { HttpClient } from './http-client.ts';
import type { KeptProof } from './kept-proof.ts';
import type { ProofChecker } from './proof-checker.ts';
import { historyAt } from './record-history.ts';
import type { VerifiedState } from './verify-state.ts';
import { wholeNamespace } from './whole-namespace.ts';

/** The newest versions of a record as one node proves them, with all that shows it. */
export async function provenHistory(
  node: Pick<HttpClient, 'recordProof' | 'recordHistory' | 'transaction'>,
  checker: ProofChecker,
  key: string,
  newest: number,
): Promise<
  | {
      readonly state: VerifiedState<RecordEntry | Tombstone | undefined>;
      readonly history: RecordVersions;
      readonly proof: KeptProof;
    }
  | Problem
> {
  const answer = await node.recordProof(key);
  if (answer instanceof Problem) return answer;
  const state = await checker.state(recordEntryReading, answer, key);
  if (state instanceof Problem) return state;
  const transactions: unknown[] = [];
  const read = { height: state.header.height, value: state.value };
  const history = await historyAt(node, key, read, {
    newest,
    async checked(transaction, hash) {
      const verified = await checker.receipt(transaction, hash);
      if (!(verified instanceof Problem)) transactions.push(transaction);
      return verified;
    },
  });
  if (history instanceof Problem) return history;
  const { epochs } = checker;
  const proof = { proves: 'history', name: key, answers: [answer], transactions, epochs } as const;
  return { state, history, proof };
}

/** All records of a namespace as one node proves them, with all that shows it. */
export async function provenRecords(
  node: Pick<HttpClient, 'recordsProof'>,
  checker: ProofChecker,
  namespace: string,
): Promise<
  | {
      readonly page: VerifiedState<RecordPage>;
      readonly records: RecordPage['records'];
      readonly proof: KeptProof;
    }
  | Problem
> {
  let answers: StateReadingAnswer[] = [];
  const whole = await wholeNamespace(namespace, async (after) => {
    const answer = await node.recordsProof(namespace, { after });
    if (answer instanceof Problem) return answer;
    answers = after === undefined ? [answer] : [...answers, answer];
    return checker.state(pageReading, answer, { namespace, after });
  });
  if (whole instanceof Problem) return whole;
  const { epochs } = checker;
  return { ...whole, proof: { proves: 'records', name: namespace, answers, transactions: [], epochs } };
}
