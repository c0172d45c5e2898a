import { defined } from '../base/invariant.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { encodeAddress } from '../crypto/address.ts';
import { type Height, toHeight } from '../ledger/block.ts';
import { type Genesis, genesisState } from '../ledger/genesis.ts';
import type { RecordVersions } from '../ledger/history-proof.ts';
import { verifyPlaces } from '../ledger/inclusion.ts';
import { misdirected, recordEntryReading, type StateKind } from '../ledger/state-reading.ts';
import { misshapen } from './answer-shapes.ts';
import type { StateReadingAnswer } from './answers.ts';
import { anotherForBlocks, type FinalProofs } from './final-proofs.ts';
import type { Deadline, HttpClient } from './http-client.ts';
import { inclusionFromJson, stateReadingFromJson } from './inclusion-json.ts';
import { fieldsOf, whole } from './json-fields.ts';
import type { Nodes } from './nodes.ts';
import { historyAt } from './record-history.ts';

/** What there is after a final block. */
export interface Reading<Value> {
  readonly height: Height;
  readonly value: Value;
}

/**
 * Reads of the state. Under PBFT each is proven, and not older than the newest block that an honest one of
 * the named nodes shows, nor than any that was proven here before. In Raft, where nobody lies, it is not
 * older than anything that was acknowledged before.
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

  async read<Name, Value>(
    kind: StateKind<Name, Value>,
    name: Name,
    ask: (client: HttpClient) => Promise<StateReadingAnswer | Problem>,
    deadline: Deadline,
  ): Promise<Reading<Value> | Problem> {
    const least = await this.#least(deadline);
    if (least instanceof Problem) return least;
    // Nobody signs the state of the genesis: it follows from the file.
    if (least === 0) {
      const value = kind.valueOf(kind.read(genesisState(this.#genesis), name));
      return value instanceof Problem ? value : { height: toHeight(0), value };
    }
    return this.#nodes.ask(
      async (client) => {
        const answer = await ask(client);
        if (answer instanceof Problem) return answer;
        const read = await this.#checked(kind, name, answer, client);
        if (read instanceof Problem) return read;
        return read.height < least ? tooOld(client.baseUrl, read.height, least) : read;
      },
      { ...deadline, verdict: anotherForProofs },
    );
  }

  /**
   * The newest versions of a record, from a proven state down. Where a node does not have them all, others
   * are asked, and what the best of them proves is given.
   */
  async history(
    key: string,
    { newest, deadlineMs }: { readonly newest: number; readonly deadlineMs: number },
  ): Promise<Reading<RecordVersions> | Problem> {
    const { now } = this.#nodes.surroundings;
    const until = now() + deadlineMs;
    const state = await this.read(recordEntryReading, key, (client) => client.recordProof(key), {
      deadlineMs,
    });
    if (state instanceof Problem) return state;
    let best: RecordVersions | undefined;
    const found = await this.#nodes.ask(
      async (client) => {
        const checked = (answer: unknown, hash: Hash) => this.#receipt(answer, hash, client);
        const shown = await historyAt(client, key, state, { newest, checked });
        if (shown instanceof Problem || shown.older === 0 || shown.versions.length >= newest) return shown;
        if (shown.versions.length > (best?.versions.length ?? -1)) best = shown;
        return fewerVersions(client.baseUrl, key, shown);
      },
      { deadlineMs: Math.max(0, until - now()), verdict: anotherForHistory },
    );
    const value = found instanceof Problem ? (best ?? found) : found;
    return value instanceof Problem ? value : { height: state.height, value };
  }

  /** Where and how a transaction became final: proven, but that it is final is the node's word in Raft. */
  async #receipt(answer: unknown, hash: Hash, client: HttpClient) {
    const { checker } = this.#proofs;
    if (checker !== undefined) return checker.receipt(answer, hash, client);
    const inclusion = inclusionFromJson(answer);
    if (inclusion instanceof Problem) return inclusion;
    const places = verifyPlaces(inclusion, this.#genesis);
    return places instanceof Problem ? places : { inclusion };
  }

  /** The height of the oldest state that may be read. */
  async #least(deadline: Deadline): Promise<number | Problem> {
    if (this.#proofs.checker === undefined) return this.#linearizable(deadline);
    const shown = await this.#proofs.height(deadline);
    return shown instanceof Problem ? shown : Math.max(shown, this.#proofs.newest);
  }

  /** The height of a linearizable read, whatever is read. */
  #linearizable(deadline: Deadline): Promise<number | Problem> {
    const { publicKey } = defined(this.#genesis.validators[0], 'a genesis has a validator');
    return this.#nodes.ask(async (client) => {
      const answer = await client.account(encodeAddress(publicKey), { consistency: 'linearizable' });
      if (answer instanceof Problem) return answer;
      const wrong = misshapen(
        answer,
        [(json) => whole(fieldsOf(json, 'it')['height'], 'height')],
        client.baseUrl,
      );
      return wrong ?? answer.height;
    }, deadline);
  }

  async #checked<Name, Value>(
    kind: StateKind<Name, Value>,
    name: Name,
    answer: StateReadingAnswer,
    client: HttpClient,
  ): Promise<Reading<Value> | Problem> {
    const { checker } = this.#proofs;
    if (checker !== undefined) {
      const verified = await checker.state(kind, answer, name, client);
      return verified instanceof Problem
        ? verified
        : { height: verified.header.height, value: verified.value };
    }
    const reading = stateReadingFromJson(answer);
    if (reading instanceof Problem) return reading;
    const value = misdirected(kind, reading, name) ?? kind.valueOf(reading);
    return value instanceof Problem ? value : { height: reading.header.height, value };
  }
}

function fewerVersions(url: string, key: string, { older }: RecordVersions): Problem {
  return new Problem('proof/history', `${url} does not show version ${older} of ${JSON.stringify(key)}`, {
    remedy: 'Ask a node that keeps all blocks.',
    details: { url, key, older },
  });
}

/** One may keep no index, or not all blocks. */
function anotherForHistory(problem: Problem): 'later' | 'never' | 'answer' {
  const { code } = problem;
  return code === 'proof/history' || code === 'storage/not-indexed' ? 'never' : anotherForProofs(problem);
}

/** An older node has no such answers. */
function anotherForProofs(problem: Problem): 'later' | 'never' | 'answer' {
  return problem.code === 'api/not-found' ? 'never' : anotherForBlocks(problem);
}

function tooOld(url: string, height: Height, least: number): Problem {
  return new Problem(
    'proof/stale',
    `${url} shows the state after block ${height}, and block ${least} is final`,
    {
      remedy: 'Ask again: the node may be behind. If it stays so, ask another one.',
      details: { url, height, least },
    },
  );
}
