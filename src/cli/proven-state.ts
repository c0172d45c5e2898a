import { Option } from '@commander-js/extra-typings';
import { Problem, unwrap } from '../base/problem.ts';
import type { StateReadingAnswer } from '../client/answers.ts';
import type { HttpClient } from '../client/http-client.ts';
import { grouped } from '../client/plain-words.ts';
import { ProofChecker } from '../client/proof-checker.ts';
import type { VerifiedState } from '../client/verify-state.ts';
import { hashHeader } from '../ledger/block.ts';
import type { Genesis } from '../ledger/genesis.ts';
import type { StateKind } from '../ledger/state-reading.ts';
import { moment } from './terminal.ts';

/** With it a command believes no node. */
export const provenOption = new Option(
  '--genesis <file>',
  'believe no node: check the proof against this genesis file',
).conflicts('consistency');

/** What the answer to a question proves. */
export async function proven<Name, Value>(
  client: HttpClient,
  genesis: Genesis,
  kind: StateKind<Name, Value>,
  { name, ask }: { readonly name: Name; readonly ask: Promise<StateReadingAnswer | Problem> },
): Promise<VerifiedState<Value>> {
  return unwrap(await new ProofChecker(genesis, client).state(kind, unwrap(await ask), name));
}

/** The chain of a genesis file, as names ask for it. */
export function chainIn({ development, name: chainName, chainId }: Genesis) {
  return { status: () => Promise.resolve({ development, chainName, chainId }) };
}

type Verified = Pick<VerifiedState<unknown>, 'header' | 'steps'>;

/** Of which block the state is, and what was checked: for programs. */
export function placeJson({ chainId, consensus }: Genesis, { header, steps }: Verified) {
  const { height, stateRoot, timestamp } = header;
  const blockHash = hashHeader(header);
  return { engine: consensus.engine, chainId, height, blockHash, stateRoot, timestamp, steps };
}

/** The same for people. */
export function placeRows({ header, steps }: Verified): (readonly [string, string])[] {
  return [
    ['as of', `block ${grouped(header.height)}, ${moment(header.timestamp)}`],
    ...steps.map(({ check, says }) => [check, says] as const),
  ];
}

/** That there is none is proven as well. */
export function provenAbsent(
  code: 'api/no-such-record' | 'api/no-such-reservation' | 'api/no-such-namespace',
  lacks: string,
  { header }: Verified,
): Problem {
  const { height } = header;
  return new Problem(code, `${lacks} after block ${height}: that is proven`, {
    remedy: 'Check the name; if it was just made, wait until that transaction is final.',
    details: { height },
  });
}
