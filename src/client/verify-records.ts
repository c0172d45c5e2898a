import type { Problem } from '../base/problem.ts';
import { type PageName, pageReading, type RecordPage } from '../ledger/page-reading.ts';
import type { Known } from './verify.ts';
import { type VerifiedState, verifyState } from './verify-state.ts';

/**
 * As `verifyAccount`, of an answer of `recordsProof`: a page of the records of a namespace, of which none is
 * missing.
 */
export function verifyRecords(
  answer: unknown,
  { namespace, after, ...known }: Known & Partial<PageName> & Pick<PageName, 'namespace'>,
): VerifiedState<RecordPage> | Problem {
  return verifyState(pageReading, answer, { namespace, after }, known);
}
