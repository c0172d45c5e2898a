import { toHex } from '../base/bytes.ts';
import { Problem } from '../base/problem.ts';
import type { AccountAnswer, Address, RecordAnswer } from '../client/answers.ts';
import type { ProofChecker } from '../client/proof-checker.ts';
import { encodeAddress, parseAddress } from '../crypto/address.ts';
import type { CheckedStep } from '../ledger/inclusion.ts';
import { node } from './node.ts';
import { knownChecker } from './trust.ts';

/** Of which final block something is, and what this page checked; undefined where it is the node's word. */
export interface Shown {
  readonly height: number;
  readonly steps: readonly CheckedStep[] | undefined;
}

type ShownAccount = Shown & Pick<AccountAnswer, 'balance' | 'held' | 'nonce' | 'keys'>;
export type ShownRecord = Shown &
  Pick<RecordAnswer, 'key' | 'owner' | 'value' | 'version' | 'changed' | 'previous'>;

/** What an account has, as its proof has it. */
export async function accountShown(about: Address): Promise<ShownAccount | Problem> {
  const publicKey = parseAddress(about);
  if (publicKey instanceof Problem) return publicKey;
  const told = await provenOr(
    () => node.accountProof(publicKey),
    (checker, answer) => checker.account(answer, publicKey),
  );
  if (told === 'unproven') {
    const answer = await node.account(about);
    return answer instanceof Problem ? answer : { ...answer, steps: undefined };
  }
  if (told instanceof Problem) return told;
  const { header, steps, account } = told;
  const { balance, held, nonce, keys } = account;
  return {
    height: header.height,
    steps,
    balance: `${balance}`,
    held: `${held}`,
    nonce,
    keys: keys === undefined ? null : { ...keys, keys: keys.keys.map(encodeAddress) },
  };
}

/** A record, as its proof has it. */
export async function recordShown(key: string): Promise<ShownRecord | Problem> {
  const told = await provenOr(
    () => node.recordProof(key),
    (checker, answer) => checker.record(answer, key),
  );
  if (told === 'unproven') {
    const answer = await node.record(key);
    return answer instanceof Problem ? answer : { ...answer, steps: undefined };
  }
  if (told instanceof Problem) return told;
  const { header, steps, record } = told;
  const { height } = header;
  if (record === undefined) {
    return new Problem(
      'api/no-such-record',
      `there is no record ${JSON.stringify(key)} at height ${height}`,
      {
        remedy: 'Check the key; if it was just written, wait until that transaction is final.',
        details: { key, height },
      },
    );
  }
  const { owner, value, version, changed, previous } = record;
  const entry = { owner: encodeAddress(owner), value: toHex(value), version, changed };
  return { height, steps, key, ...entry, previous: previous ?? null };
}

/** While no block is final nobody signed a state. */
async function provenOr<Answer, T>(
  ask: () => Promise<Answer | Problem>,
  verify: (checker: ProofChecker, answer: Answer) => Promise<T | Problem>,
): Promise<T | Problem | 'unproven'> {
  const checker = await knownChecker();
  if (checker instanceof Problem) return checker;
  const answer = await ask();
  if (!(answer instanceof Problem)) return verify(checker, answer);
  return answer.code === 'api/no-such-block' ? 'unproven' : answer;
}
