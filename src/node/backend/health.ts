import type { NodeStatus } from '../../api/backend.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { CodeOf } from '../../base/problem-codes.ts';
import { encodeAddress } from '../../crypto/address.ts';
import type { Mempool } from '../../mempool/mempool.ts';
import type { NodeBackendOptions } from './options.ts';
import type { Asking } from './asking.ts';
import type { ChainRules } from './chain-rules.ts';

/** Peers that `why` names when it cannot reach them. */
const namedInWhy = 2;
/** The same of members, by their numbers. */
const membersInWhy = 4;

type HealthOptions = Pick<NodeBackendOptions, 'driver' | 'network' | 'peersNamed' | 'clock'>;

/** How this node is, and what it waits for. */
export class Health {
  readonly #options: HealthOptions;
  readonly #asking: Pick<Asking, 'ended'>;
  readonly #rules: Pick<ChainRules, 'versions'>;
  readonly #startedAt: number;
  #gaps: { readonly at: number; readonly sentences: readonly string[] } = { at: -Infinity, sentences: [] };

  constructor(options: HealthOptions, asking: Pick<Asking, 'ended'>, rules: Pick<ChainRules, 'versions'>) {
    this.#options = options;
    this.#rules = rules;
    this.#asking = asking;
    this.#startedAt = options.clock.monotonicMs();
  }

  status(): NodeStatus {
    const { driver, network, clock } = this.#options;
    const engine = driver.engine.status();
    const { final } = driver.chain;
    return {
      validatorIndex: driver.validatorIndex ?? null,
      view: engine.view,
      primary: engine.primary,
      leaderApi: engine.primary === null ? null : (driver.registry.apiOf(engine.primary) ?? null),
      finalHeight: final.height,
      finalHash: final.hash,
      stateRoot: final.state.root,
      finalTimestamp: final.header.timestamp,
      highestKnown: engine.highestKnown > final.height ? engine.highestKnown : final.height,
      inFlight: engine.inFlight,
      voting: engine.voting,
      quorumContact: engine.quorumContact,
      syncing: driver.sync.active,
      peers: network.peers().length,
      mempool: { transactions: driver.mempool.size, bytes: driver.mempool.bytes },
      ...this.#rules.versions(),
      uptimeMs: Math.round(clock.monotonicMs() - this.#startedAt),
      counters: { ...engine.counters, ...driver.counters() },
    };
  }

  why(): string {
    if (this.#asking.ended !== undefined) return this.#asking.ended.message;
    const { driver } = this.#options;
    return [
      driver.engine.why(),
      ...this.#unlinked(),
      ...this.#ownKeyElsewhere(),
      ...driver.versionWatch.sentences(),
      ...driver.clockWatch.sentences(),
      ...this.#alone(),
      ...this.#notReached(),
      ...this.#gapsNow(),
    ].join('; ');
  }

  problem(): Problem | undefined {
    const { ended } = this.#asking;
    return ended?.code === 'node/stopping' ? undefined : ended;
  }

  readiness(): Problem | undefined {
    if (this.#asking.ended !== undefined) return this.#asking.ended;
    const { driver } = this.#options;
    const { quorumContact, peers, highestKnown, finalHeight } = this.status();
    const behind = highestKnown - finalHeight;
    if (behind > limits.readyBehind) {
      return notReady('node/behind', `the node is ${behind} blocks behind and catching up`, { behind });
    }
    if (this.#hasLostVote()) {
      const problem = 'the node does not vote: it does not know what it promised before';
      return notReady('node/not-voting', problem, { finalHeight });
    }
    if (driver.validatorIndex !== undefined && driver.clockWatch.refuses) {
      const problem = 'the node does not vote: what is proposed is too early by its clock';
      return notReady('node/not-voting', problem, { finalHeight });
    }
    if (driver.validatorIndex !== undefined && !quorumContact) {
      return notReady('node/no-quorum', 'the node is not in contact with a quorum of the validators', {
        peers,
      });
    }
    if (driver.validatorIndex === undefined && peers === 0) {
      return notReady('node/alone', 'the node is not connected to any other', { peers });
    }
    return undefined;
  }

  unreached() {
    return this.#options.network.unreached?.() ?? [];
  }

  /** It should vote, but must not. */
  #hasLostVote(): boolean {
    const { driver } = this.#options;
    const { validatorIndex } = driver;
    const { voting, members } = driver.engine.status();
    if (voting || validatorIndex === undefined) return false;
    return members === undefined || members[validatorIndex]?.role === 'voter';
  }

  /**
   * Raft's messages go over direct connections only: without one, two members cannot hear each other, however
   * well others reach both.
   */
  #unlinked(): readonly string[] {
    const { driver } = this.#options;
    const { registry, validatorIndex } = driver;
    const { members } = driver.engine.status();
    if (members === undefined || validatorIndex === undefined) return [];
    const missing = members.flatMap(({ key, role }, index) =>
      role === 'learner' || role === 'removed' || registry.isOwn(key) || registry.peerOf(index) !== undefined
        ? []
        : [index],
    );
    if (missing.length === 0) return [];
    const more = missing.length > membersInWhy ? ` and ${missing.length - membersInWhy} more` : '';
    return [`no connection to member ${missing.slice(0, membersInWhy).join(', ')}${more}`];
  }

  /** Another node that is connected proved this node's key. */
  #ownKeyElsewhere(): readonly string[] {
    const { registry, validatorIndex } = this.#options.driver;
    const other = validatorIndex === undefined ? undefined : registry.peerOf(validatorIndex);
    return other === undefined
      ? []
      : [`another node uses the key of this one, with the peer id ${other}: stop one of the two`];
  }

  /** Nobody is connected, and nobody is dialled: that does not pass by itself. */
  #alone(): readonly string[] {
    const { driver, network, peersNamed } = this.#options;
    const needsOthers = driver.validatorIndex === undefined || !driver.engine.status().quorumContact;
    return needsOthers && peersNamed === 0 && network.peers().length === 0
      ? [
          'no other node is connected, and "peers" in config.json names none to connect to: name some there and start it again, or have others name this one',
        ]
      : [];
  }

  #notReached(): readonly string[] {
    const unreached = this.unreached();
    const named = unreached
      .slice(0, namedInWhy)
      .map(({ address, why }) => `${address} is not reached: ${why}`);
    const more = unreached.length - named.length;
    return more > 0 ? [...named, `${more} more are not reached`] : named;
  }

  /** This looks at every lane of the pool, so the answer is kept for a while. */
  #gapsNow(): readonly string[] {
    const { driver, clock } = this.#options;
    const now = clock.monotonicMs();
    if (now - this.#gaps.at >= limits.whyGapsMs) this.#gaps = { at: now, sentences: gapsIn(driver.mempool) };
    return this.#gaps.sentences;
  }
}

function notReady(code: CodeOf<'node'>, message: string, details: Record<string, number>): Problem {
  return new Problem(code, message, {
    remedy: 'Wait, or ask another node; "quorate why" tells what it waits for.',
    details: { ...details, retryable: true },
  });
}

/**
 * What no block can take because a nonce before it is missing here: that is no fault of the engine, which
 * sees nothing to do.
 */
function gapsIn(mempool: Pick<Mempool, 'missing' | 'waiting'>): string[] {
  const gaps = mempool.missing();
  const [worst] = gaps;
  if (worst === undefined) return [];
  const others = gaps.length === 1 ? '' : `, and those of ${gaps.length - 1} other senders likewise`;
  return [
    `${mempool.waiting} transactions wait for nonces that are missing here: nonce ${worst.nonce} of ` +
      `${encodeAddress(worst.sender)} keeps ${worst.waiting} waiting${others}; the first of them are gone when block ` +
      `${gaps.reduce((least, { firstExpiry }) => Math.min(least, firstExpiry), Infinity)} is final, and while they wait an ` +
      `empty block is made every ${limits.waitingBlockMs / 1_000} s`,
  ];
}
