import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { parseAddress } from '../crypto/address.ts';
import type { Hash } from '../crypto/hash.ts';
import type { KeyPair } from '../crypto/keys.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Genesis } from '../ledger/genesis.ts';
import type { RecordVersions } from '../ledger/history-proof.ts';
import type { NamespaceEntry } from '../ledger/namespace-entry.ts';
import type { Reservation } from '../ledger/reservation.ts';
import { type ReservationId, reservationText } from '../ledger/reservation-id.ts';
import type { Account, RecordEntry } from '../ledger/state-entry.ts';
import { pageReading, type RecordPage } from '../ledger/page-reading.ts';
import {
  accountReading,
  namespaceReading,
  recordReading,
  reservationReading,
} from '../ledger/state-reading.ts';
import type { Address, Origin } from './answers.ts';
import { type FinalBlockEvent, finalBlocks, type FinalBlocksOptions } from './events.ts';
import { FinalProofs } from './final-proofs.ts';
import { FinalWatch } from './final-watch.ts';
import type { Deadline, HttpClient } from './http-client.ts';
import { LedgerAccount } from './ledger-account.ts';
import { LedgerReads, type Reading } from './ledger-reads.ts';
import { Nodes, type NodesOptions } from './nodes.ts';
import { wrongCount } from './option-checks.ts';
import { wholeNamespace } from './whole-namespace.ts';
import { whichChain } from './which-chain.ts';
import { type Signer, Wallet } from './wallet.ts';

export interface LedgerOptions extends NodesOptions {
  /**
   * The chain that is meant. Without it, it is the one that most of the nodes name. Its genesis file, as any
   * node gives it (the id is its hash), says who may sign that something is final.
   */
  readonly chainId?: Hash;
}

/**
 * A chain, by several of its nodes: what an application needs so that it does not notice when one of them
 * dies. All waits share one reader of final blocks.
 */
export class Ledger {
  readonly chainId: Hash;
  readonly engine: Origin['engine'];
  readonly #nodes: Nodes;
  readonly #watch: FinalWatch;
  readonly #reads: LedgerReads;
  readonly #accounts: LedgerAccount[] = [];

  private constructor(nodes: Nodes, genesis: Genesis) {
    const { chainId } = genesis;
    this.chainId = chainId;
    this.engine = genesis.consensus.engine;
    this.#nodes = nodes;
    nodes.chainId = chainId;
    const onMoved = (): void => {
      for (const account of this.#accounts) account.moved();
    };
    const proofs = new FinalProofs(nodes, genesis);
    this.#watch = new FinalWatch({ nodes, chainId, proofs, onMoved });
    this.#reads = new LedgerReads(nodes, proofs, genesis);
  }

  /**
   * Asks which chain it is. A problem when no node answers, an address or an option is none, it is another
   * chain than `chainId`, or the nodes do not agree.
   */
  static async connect(options: LedgerOptions): Promise<Ledger | Problem> {
    let nodes: Nodes;
    try {
      nodes = new Nodes(options);
    } catch (problem) {
      if (problem instanceof Problem) return problem;
      throw problem;
    }
    const genesis = await whichChain(nodes, options.chainId);
    return genesis instanceof Problem ? genesis : new Ledger(nodes, genesis);
  }

  /**
   * Sends transactions of one key. Ask once for each key: it keeps the nonces. `signer` as for `Wallet`;
   * `window` of them are under way at once. Throws `api/option` for a window that is no whole number from 1.
   */
  account(
    keyPair: KeyPair,
    options: { readonly signer?: Signer; readonly window?: number } = {},
  ): LedgerAccount {
    const { signer, window } = options;
    const wrong = wrongCount('window', window);
    if (wrong !== undefined) throw wrong;
    const wallet = new Wallet({ chainId: this.chainId, keyPair, ...(signer && { signer }) });
    const account = new LedgerAccount({
      nodes: this.#nodes,
      watch: this.#watch,
      wallet,
      engine: this.engine,
      ...(window !== undefined && { window }),
    });
    this.#accounts.push(account);
    return account;
  }

  /**
   * What an account has, named by its address or public key: proven under PBFT, and of the newest block
   * that an honest one of the nodes shows; linearizable in Raft. What a payment did is in it as soon as this
   * ledger told that the payment is final. Within 10 s unless told.
   */
  async readAccount(
    account: Address | PublicKey,
    deadline: Deadline = {},
  ): Promise<Reading<Account> | Problem> {
    const publicKey = parseAddress(account);
    if (publicKey instanceof Problem) return publicKey;
    return this.#reads.read(accountReading, publicKey, (client) => client.accountProof(publicKey), deadline);
  }

  /** The same of a record; undefined, which is proven as well, where there is none. */
  readRecord(key: string, deadline: Deadline = {}): Promise<Reading<RecordEntry | undefined> | Problem> {
    return this.#reads.read(recordReading, key, (client) => client.recordProof(key), deadline);
  }

  /**
   * The newest versions of a record (100 unless told), each proven: who made it, where and when, and what was
   * written. `older` says how many there were before them, so nothing is left out unseen. A node that prunes
   * blocks cannot show the old ones; others are asked.
   */
  async readHistory(
    key: string,
    { newest = limits.httpPage, deadlineMs = 60_000 }: Deadline & { readonly newest?: number } = {},
  ): Promise<Reading<RecordVersions> | Problem> {
    return wrongCount('newest', newest) ?? this.#reads.history(key, { newest, deadlineMs });
  }

  /** The same of a reservation, until a while after its end. */
  readReservation(
    id: ReservationId,
    deadline: Deadline = {},
  ): Promise<Reading<Reservation | undefined> | Problem> {
    const name = reservationText(id);
    return this.#reads.read(reservationReading, id, (client) => client.reservationProof(name), deadline);
  }

  /** The same of a namespace. */
  readNamespace(
    name: string,
    deadline: Deadline = {},
  ): Promise<Reading<NamespaceEntry | undefined> | Problem> {
    return this.#reads.read(namespaceReading, name, (client) => client.namespaceProof(name), deadline);
  }

  /**
   * All records of a namespace, in the order of the bytes of their keys: that none is missing is proven too.
   * None for a namespace that was never opened. `proof/changing` when it is written faster than it is read.
   */
  async readRecords(
    namespace: string,
    { deadlineMs = 60_000 }: Deadline = {},
  ): Promise<Reading<RecordPage['records']> | Problem> {
    const { now } = this.#nodes.surroundings;
    const until = now() + deadlineMs;
    const whole = await wholeNamespace(namespace, (after) =>
      this.#reads.read(
        pageReading,
        { namespace, after },
        (client) => client.recordsProof(namespace, { after }),
        { deadlineMs: Math.max(0, until - now()) },
      ),
    );
    return whole instanceof Problem ? whole : { height: whole.page.height, value: whole.records };
  }

  /**
   * Any call of `HttpClient`, at the first node that can answer it now. What it answers is that node's word;
   * `verifyReceipt`, `verifyHeader`, `verifyAccount` and its like check what carries a proof.
   */
  ask<T>(call: (client: HttpClient) => Promise<T | Problem>, deadline: Deadline = {}): Promise<T | Problem> {
    return this.#nodes.ask(call, deadline);
  }

  /**
   * The blocks that become final; see `finalBlocks`. Under PBFT each header is proven before it is given; how
   * many transactions there are is the word of the node that told of it. Without `after` they begin after the
   * newest that an honest one of the nodes shows now, and none is missed from there on.
   */
  async *finalBlocks(
    options: Pick<FinalBlocksOptions, 'after' | 'signal' | 'onTrouble'> = {},
  ): AsyncGenerator<FinalBlockEvent, void> {
    const { endpoints, surroundings } = this.#nodes;
    const after = options.after ?? (await this.#watch.proofs.height({ deadlineMs: 0 }));
    yield* finalBlocks({
      ...options,
      // Where no node answers now, they begin with the next one of whichever answers first.
      ...(!(after instanceof Problem) && { after }),
      baseUrl: endpoints,
      chainId: this.chainId,
      surroundings,
      admit: (block, url) => this.#watch.proofs.block(block, url),
    });
  }
}
