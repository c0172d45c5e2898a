import { Option } from '@commander-js/extra-typings';
import { Problem, unwrap } from '../base/problem.ts';
import type { ReadAnswer, StateReadingAnswer } from '../client/answers.ts';
import type { HttpClient } from '../client/http-client.ts';
import type { KeptProof } from '../client/kept-proof.ts';
import { grouped } from '../client/plain-words.ts';
import { type NoneCode, provenNone } from '../client/proven-none.ts';
import { ProofChecker } from '../client/proof-checker.ts';
import type { VerifiedState } from '../client/verify-state.ts';
import { hashHeader } from '../ledger/block.ts';
import type { Genesis } from '../ledger/genesis.ts';
import type { StateKind } from '../ledger/state-reading.ts';
import { writeProof } from './proof-file.ts';
import { moment } from './terminal.ts';
import { readGenesis } from './trusted-genesis.ts';

/** With it a command believes no node. */
export const provenOption = new Option(
  '--genesis <file>',
  'believe no node: check the proof against this genesis file',
).conflicts('consistency');

/** The chain that is trusted, where a command is to believe no node. Throws problems. */
export async function trustedChain(options: {
  readonly genesis?: string | undefined;
  readonly proof?: string | undefined;
}): Promise<Genesis | undefined> {
  if (options.genesis !== undefined) return readGenesis(options.genesis);
  if (options.proof === undefined) return undefined;
  throw new Problem('cli/usage', 'a proof is written once it is checked, and that takes a genesis file', {
    remedy: 'Give --genesis too. Without --proof the node is believed.',
  });
}

/** What the answer to a question proves. It is kept where that is wanted, also when it proves absence. */
export async function proven<Name, Value>(
  client: HttpClient,
  genesis: Genesis,
  kind: StateKind<Name, Value>,
  {
    name,
    ask,
    keep,
  }: {
    readonly name: Name;
    readonly ask: Promise<StateReadingAnswer | Problem>;
    /** Where, and of what; the file is undefined where it is not wanted. */
    readonly keep: Pick<KeptProof, 'proves' | 'name'> & { readonly file: string | undefined };
  },
): Promise<VerifiedState<Value>> {
  const checker = new ProofChecker(genesis, client);
  const answered = unwrap(await ask);
  const verified = unwrap(await checker.state(kind, answered, name));
  const { file, ...about } = keep;
  const proof: KeptProof = { ...about, answers: [answered], transactions: [], epochs: checker.epochs };
  writeProof(file, proof);
  return verified;
}

/** The chain of a genesis file, as names ask for it. */
export function chainIn({ development, name: chainName, chainId }: Genesis) {
  return { status: () => Promise.resolve({ development, chainName, chainId }) };
}

type Verified = Pick<VerifiedState<unknown>, 'header' | 'steps'>;

/** Something in the state, and what is said of the state that it stands in. */
interface ReadItem<Item> {
  readonly item: Item;
  readonly rows: readonly (readonly [string, string])[];
}

/** As a node told of it. */
export function told<Item extends ReadAnswer>(item: Item): ReadItem<Item> {
  return { item, rows: [['read at', `height ${grouped(item.height)}, ${item.consistency}`]] };
}

/** As it is proven; throws the problem with this code when it is proven that there is none. */
export async function provenItem<Name, Value, Item extends object>(
  client: HttpClient,
  genesis: Genesis,
  kind: StateKind<Name, Value | undefined>,
  {
    none,
    itemOf,
    ...asked
  }: Parameters<typeof proven<Name, Value>>[3] & {
    readonly none: NoneCode;
    readonly itemOf: (value: Value) => Item;
  },
): Promise<ReadItem<Item & ReturnType<typeof placeJson>>> {
  const verified = await proven(client, genesis, kind, asked);
  const { value, header } = verified;
  if (value !== undefined) {
    return { item: { ...itemOf(value), ...placeJson(genesis, verified) }, rows: placeRows(verified) };
  }
  throw provenNone(none, kind.lacks(asked.name), header.height);
}

/** Of which block the state is, and what was checked: for programs. */
export function placeJson({ chainId, consensus }: Genesis, { header, steps }: Verified) {
  const { height, stateRoot, timestamp } = header;
  const blockHash = hashHeader(header);
  return { engine: consensus.engine, chainId, height, blockHash, stateRoot, timestamp, steps };
}

/** The same for people. */
export function placeRows({ header, steps }: Verified): (readonly [string, string])[] {
  return [['as of', `block ${grouped(header.height)}, ${moment(header.timestamp)}`], ...stepRows(steps)];
}

/** What was checked, for people. */
export function stepRows(steps: Verified['steps']): (readonly [string, string])[] {
  return steps.map(({ check, says }) => [check, says] as const);
}
