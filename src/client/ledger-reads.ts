import { fromHex } from '../base/bytes.ts';
import { Problem } from '../base/problem.ts';
import { encodeAddress, parseAddress } from '../crypto/address.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { type Height, toHeight } from '../ledger/block.ts';
import { type Genesis, genesisState } from '../ledger/genesis.ts';
import type { State } from '../ledger/state.ts';
import type { Account, RecordEntry } from '../ledger/state-entry.ts';
import { misshapen } from './answer-shapes.ts';
import type { AccountAnswer, Address, RecordAnswer, StateReadingAnswer } from './answers.ts';
import { anotherForBlocks, type FinalProofs } from './final-proofs.ts';
import type { Deadline, HttpClient } from './http-client.ts';
import type { Look } from './looks.ts';
import type { Nodes } from './nodes.ts';
import type { ProofChecker } from './proof-checker.ts';
import { wholeShapes } from './whole-shapes.ts';

/** What an account has after a final block. */
export interface AccountReading {
  readonly height: Height;
  /** With nothing in it where the state has none. */
  readonly account: Account;
}

/** What a record is after a final block. */
export interface RecordReading {
  readonly height: Height;
  /** Undefined where there is none. */
  readonly record: RecordEntry | undefined;
}

/** How one kind of thing is read. */
interface Kind<T> {
  readonly ask: (client: HttpClient) => Promise<StateReadingAnswer | Problem>;
  readonly verify: (
    checker: ProofChecker,
    answer: StateReadingAnswer,
    client: HttpClient,
  ) => Promise<{ readonly value: T; readonly height: Height } | Problem>;
  /** In the state of the genesis, which nobody signs: it follows from the file. */
  readonly first: (state: State) => T;
  /** Where nobody lies. */
  readonly believe: (client: HttpClient) => Promise<{ readonly value: T; readonly height: Height } | Problem>;
}

/**
 * Reads of the state. Under PBFT each is proven, and not older than the newest block that an honest one of
 * the named nodes shows, nor than any that was proven here before. In Raft it is linearizable: not older than
 * anything that was acknowledged before.
 */
export class LedgerReads {
  readonly #nodes: Nodes;
  readonly #proofs: FinalProofs;
  readonly #genesis: Genesis;

  constructor(nodes: Nodes, proofs: FinalProofs, genesis: Genesis) {
    this.#nodes = nodes;
    this.#proofs = proofs;
    this.#genesis = genesis;
  }

  async account(account: Address | PublicKey, deadline: Deadline): Promise<AccountReading | Problem> {
    const publicKey = parseAddress(account);
    if (publicKey instanceof Problem) return publicKey;
    const read = await this.#read<Account>(deadline, {
      ask: (client) => client.accountProof(publicKey),
      verify: async (checker, answer, client) => {
        const verified = await checker.account(answer, publicKey, client);
        if (verified instanceof Problem) return verified;
        return { value: verified.account, height: verified.header.height };
      },
      first: (state) => state.account(publicKey),
      believe: async (client) => {
        const answer = await client.account(encodeAddress(publicKey), { consistency: 'linearizable' });
        if (answer instanceof Problem) return answer;
        return believed(answer, client, wholeShapes.account, accountOf);
      },
    });
    return read instanceof Problem ? read : { height: read.height, account: read.value };
  }

  async record(key: string, deadline: Deadline): Promise<RecordReading | Problem> {
    const read = await this.#read<RecordEntry | undefined>(deadline, {
      ask: (client) => client.recordProof(key),
      verify: async (checker, answer, client) => {
        const verified = await checker.record(answer, key, client);
        if (verified instanceof Problem) return verified;
        return { value: verified.record, height: verified.header.height };
      },
      first: () => undefined,
      believe: async (client) => {
        const answer = await client.record(key, { consistency: 'linearizable' });
        if (answer instanceof Problem) return nothingIn(answer) ?? answer;
        return believed(answer, client, wholeShapes.record, recordOf);
      },
    });
    return read instanceof Problem ? read : { height: read.height, record: read.value };
  }

  async #read<T>(deadline: Deadline, kind: Kind<T>): Promise<{ value: T; height: Height } | Problem> {
    const { checker } = this.#proofs;
    if (checker === undefined) return this.#nodes.ask(kind.believe, deadline);
    const shown = await this.#proofs.height(deadline);
    if (shown instanceof Problem) return shown;
    const least = Math.max(shown, this.#proofs.newest);
    if (least === 0) return { value: kind.first(genesisState(this.#genesis)), height: toHeight(0) };
    return this.#nodes.ask(
      async (client) => {
        const answer = await kind.ask(client);
        if (answer instanceof Problem) return answer;
        const read = await kind.verify(checker, answer, client);
        if (read instanceof Problem) return read;
        return read.height < least ? tooOld(client.baseUrl, read.height, least) : read;
      },
      { ...deadline, verdict: anotherForProofs },
    );
  }
}

/** An older node has no such answers. */
function anotherForProofs(problem: Problem): 'later' | 'never' | 'answer' {
  return problem.code === 'api/not-found' ? 'never' : anotherForBlocks(problem);
}

/** What is read of an answer where nobody lies; a problem where it is none. */
function believed<Answer extends { readonly height: Height }, T>(
  answer: Answer,
  { baseUrl }: HttpClient,
  look: Look,
  valueOf: (answer: Answer) => T | Problem,
): { readonly value: T; readonly height: Height } | Problem {
  const wrong = misshapen(answer, [look], baseUrl);
  if (wrong !== undefined) return wrong;
  const value = valueOf(answer);
  return value instanceof Problem ? value : { value, height: answer.height };
}

function tooOld(url: string, height: Height, least: number): Problem {
  return new Problem(
    'proof/stale',
    `${url} proves the state after block ${height}, and block ${least} is final`,
    {
      remedy: 'Ask again: the node may be behind. If it stays so, ask another one.',
      details: { url, height, least },
    },
  );
}

function accountOf({ balance, held, nonce, keys }: AccountAnswer): Account | Problem {
  const amounts = { balance: BigInt(balance), held: BigInt(held), nonce };
  if (keys === null) return { ...amounts, keys: undefined };
  const signers = keys.keys.map(parseAddress);
  const wrong = signers.find((one) => one instanceof Problem);
  return wrong ?? { ...amounts, keys: { ...keys, keys: signers as PublicKey[] } };
}

function recordOf(answer: RecordAnswer): RecordEntry | Problem {
  const { value, version, changed, previous } = answer;
  const owner = parseAddress(answer.owner);
  if (owner instanceof Problem) return owner;
  return { type: 'record', owner, value: fromHex(value), version, changed, previous: previous ?? undefined };
}

/** That there is no record is an answer as well, where a node says of which height. */
function nothingIn({ code, details }: Problem): { value: undefined; height: Height } | undefined {
  const { height } = details;
  return code === 'api/no-such-record' && typeof height === 'number' && Number.isSafeInteger(height)
    ? { value: undefined, height: toHeight(height) }
    : undefined;
}
