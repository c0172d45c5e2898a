import { Option } from '@commander-js/extra-typings';
import { Problem, unwrap } from '../base/problem.ts';
import type { HttpClient } from '../client/http-client.ts';
import { grouped } from '../client/plain-words.ts';
import { ProofChecker } from '../client/proof-checker.ts';
import type { VerifiedAccount, VerifiedRecord } from '../client/verify-state.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { hashHeader } from '../ledger/block.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { moment } from './terminal.ts';

/** With it a command believes no node. */
export const provenOption = new Option(
  '--genesis <file>',
  'believe no node: check the proof against this genesis file',
).conflicts('consistency');

export async function provenAccount(
  client: HttpClient,
  genesis: Genesis,
  account: PublicKey,
): Promise<VerifiedAccount> {
  const answer = unwrap(await client.accountProof(account));
  return unwrap(await new ProofChecker(genesis, client).account(answer, account));
}

export async function provenRecord(
  client: HttpClient,
  genesis: Genesis,
  key: string,
): Promise<VerifiedRecord> {
  const answer = unwrap(await client.recordProof(key));
  return unwrap(await new ProofChecker(genesis, client).record(answer, key));
}

type Verified = Pick<VerifiedAccount, 'header' | 'steps'>;

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

export function provenAbsent(key: string, { header }: Verified): Problem {
  const { height } = header;
  return new Problem(
    'api/no-such-record',
    `it is proven that there was no record ${JSON.stringify(key)} after block ${height}`,
    {
      remedy: 'Check the key; if it was just written, wait until that transaction is final.',
      details: { key, height },
    },
  );
}
