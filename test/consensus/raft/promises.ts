import assert from 'node:assert/strict';
import type { Hash } from '../../../src/crypto/hash.ts';
import { type BlockHeader, hashHeader } from '../../../src/ledger/block.ts';
import type { Effect, Input } from '../../../src/consensus/engine.ts';
import { hashAt, lastHash } from '../../../src/consensus/raft/log.ts';
import type { RaftMessage } from '../../../src/consensus/raft/message.ts';
import { isAmnesiac, unappliedConfiguration } from '../../../src/consensus/raft/replica.ts';
import { LogChecker, removedEntries } from '../../../src/simulator/checkers/log-checker.ts';
import type { Cluster } from './cluster.ts';
import type { Host } from './host.ts';
import { genesisHeader, keyOf } from './world.ts';

type Effects = readonly Effect<RaftMessage>[];

/** A block that a leader counted as committed, and that leader's term. */
interface Decision {
  readonly hash: Hash;
  readonly term: number;
}

interface Read {
  /** Height of the newest decision when it was asked for. */
  readonly atLeast: number;
}

/** A block that starts a configuration. */
export interface Change {
  readonly height: number;
  readonly hash: Hash;
}

/**
 * What a schedule must never break, looked at after every step, and before it shows: an old leader that could commit, or answer a read, does
 * no harm until it does. So whoever leads an earlier term than a decision is asked to read at once, and what a decision stands on is
 * counted on the disks (`LogChecker`).
 */
export class Promises {
  /** What was decided, by height, as soon as anybody knew. */
  readonly decisions = new Map<number, Decision>();
  /** Height of the newest of them. */
  decided = 0;
  /** Hosts whose log was lost, until they are trusted again, and the newest decision of that moment: they may have had a part in it. */
  readonly forgetful = new Map<number, number>();
  /** The highest change of the members that anybody ever made; of several at one height the last. */
  newestChange: Change | null = null;
  /** Changes of the members that a host's disk had in their own term, by host. They go with its log. */
  readonly #held = new Map<number, Set<Hash>>();
  readonly #cluster: Cluster;
  readonly #logs: LogChecker;
  /** What each member voted for, by "host term"; an entry goes with the log. */
  readonly #votes = new Map<string, number>();
  /** The end of each leader's log when it was elected. */
  readonly #elected = new Map<number, { readonly host: number; readonly tip: Hash }>();
  readonly #headers = new Map<Hash, BlockHeader>();
  readonly #seen = new Map<number, number>();
  readonly #reads = new Map<string, Read>();
  readonly #probed = new Set<string>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    const genesis = genesisHeader(cluster.members);
    this.#headers.set(hashHeader(genesis), genesis);
    this.decisions.set(0, { hash: hashHeader(genesis), term: 0 });
    this.#logs = new LogChecker({
      keys: cluster.hosts.map(({ index }) => keyOf(index)),
      members: Array.from({ length: cluster.members }, (_, index) => ({
        key: keyOf(index),
        role: 'voter' as const,
      })),
      storedHeight: (node) => cluster.host(node).disk.final.header.height,
      finalHash: (height) => this.decisions.get(height)?.hash,
    });
    cluster.onStart = (host) => this.#onStart(host);
    cluster.onLost = (host) => this.#onLost(host);
    cluster.onStep = (host, input, effects) => this.#onStep(host, input, effects);
    for (const host of cluster.hosts) if (host.engine !== null) this.#onStart(host);
  }

  /** At the end: everything that was ever decided is final. */
  atTheEnd(): void {
    const final = Math.max(...this.#cluster.hosts.map(({ disk }) => disk.final.header.height));
    assert.ok(final >= this.decided, `${this.decided} was decided, and only ${final} is final`);
  }

  /** Its disk had this change of the members before it saw a later term than the block's. */
  heldBy(host: Host, change: Hash): boolean {
    return this.#held.get(host.index)?.has(change) === true;
  }

  #onStart(host: Host): void {
    const { log } = host.state;
    this.#logs.onStart(
      host.index,
      log.entries.map(({ blockHash }) => blockHash),
    );
    this.#seen.set(host.index, log.base.height);
    this.#look(host);
  }

  #onLost(host: Host): void {
    this.forgetful.set(host.index, this.decided);
    this.#held.delete(host.index);
    this.#logs.onDiskLost(host.index);
    for (const key of this.#votes.keys()) if (key.startsWith(`${host.index} `)) this.#votes.delete(key);
  }

  #onStep(host: Host, input: Input<RaftMessage>, effects: Effects): void {
    const { state } = host;
    if (input.type === 'request' && input.request.kind === 'read')
      this.#reads.set(`${host.index} ${input.id}`, { atLeast: this.decided });
    else if (input.type === 'persisted') this.#logs.onPersisted(host.index, input.seq);
    else if (input.type === 'built' && input.proposal !== null) this.#learn(input.proposal.header);
    if (input.type === 'persisted') this.#noteHeld(host);
    for (const effect of effects) {
      if (effect.type === 'persist')
        this.#logs.onPersist(
          host.index,
          { seq: effect.seq, blocks: effect.blocks, removed: removedEntries(effect.records) },
          effect.forget ?? [],
        );
    }
    if (state.role.kind === 'leader' && !this.#elected.has(state.term)) this.#onElected(host);
    this.#look(host);
    for (const effect of effects) {
      if (effect.type === 'send') this.#onSent(host, effect.message, effect.to);
      else if (effect.type === 'answer') this.#onAnswer(host, effect);
      else if (effect.type === 'commit')
        this.#logs.onFinal(host.index, effect.link.height, effect.link.blockHash);
    }
  }

  /** What a member knows and how it takes part, between two steps. */
  #look(host: Host): void {
    const { configuration, configurationHeight, commit, applied, log, term, unproven } = host.state;
    const amnesiac = isAmnesiac(host.state);
    this.#logs.onConfiguration(configurationHeight, configuration);
    this.#logs.onPart(host.index, {
      members: configuration,
      votes: !amnesiac,
      campaigns: !amnesiac && unappliedConfiguration(host.state, commit) === null,
    });
    // A newcomer is one whose log may have been lost.
    if ((amnesiac || unproven) && !this.forgetful.has(host.index)) this.forgetful.set(host.index, 0);
    const forgotten = this.forgetful.get(host.index);
    if (!amnesiac && !unproven && forgotten !== undefined) {
      assert.ok(
        applied >= forgotten,
        `host ${host.index} is trusted at ${applied}, and its log was lost after ${forgotten} was decided`,
      );
      // Until its disk says so, a crash makes it forgetful again.
      if (host.state.writes.pending.length === 0) this.forgetful.delete(host.index);
    }
    const seen = this.#seen.get(host.index) ?? 0;
    for (let height = seen + 1; height <= commit; height++) {
      const hash = hashAt(log, height as typeof commit);
      if (hash !== undefined) this.#onDecision(host, height, { hash, term });
    }
    if (commit > seen) this.#seen.set(host.index, commit);
  }

  #onDecision(host: Host, height: number, decision: Decision): void {
    const known = this.decisions.get(height);
    if (known !== undefined) {
      assert.equal(decision.hash, known.hash, `host ${host.index} knows another block at ${height}`);
      return;
    }
    this.decisions.set(height, decision);
    this.decided = Math.max(this.decided, height);
    for (const [term, { host: leader, tip }] of this.#elected) {
      if (term <= decision.term || this.#reaches(tip, height, decision.hash)) continue;
      assert.fail(
        `host ${host.index} commits ${height} in term ${decision.term}, and ${leader}, elected in ${term}, lacks it`,
      );
    }
    this.#probe(decision.term);
  }

  #onElected(host: Host): void {
    const { term, log } = host.state;
    const tip = lastHash(log);
    this.#elected.set(term, { host: host.index, tip });
    // The highest says it for all below it: they are one chain.
    const earlier = [...this.decisions].filter(([, decision]) => decision.term < term);
    const [height, { hash }] = earlier.reduce((a, b) => (b[0] > a[0] ? b : a));
    assert.ok(
      this.#reaches(tip, height, hash),
      `host ${host.index}, elected in term ${term}, lacks block ${height}`,
    );
  }

  /** The chain that ends at `tip` has this block. */
  #reaches(tip: Hash, height: number, hash: Hash): boolean {
    for (let at = tip; ;) {
      const header = this.#headers.get(at);
      assert.ok(header !== undefined, 'a block that somebody built');
      if (header.height <= height) return at === hash;
      at = header.parentHash;
    }
  }

  /** Whoever still leads an earlier term gets a question that it must not answer. */
  #probe(term: number): void {
    for (const host of this.#cluster.hosts) {
      if (!host.leads || host.state.term >= term) continue;
      const key = `${host.index} ${host.state.term} ${term}`;
      if (this.#probed.has(key)) continue;
      this.#probed.add(key);
      for (const ms of [0, 20, 60, 150]) {
        this.#cluster.schedule.after(ms, () => {
          if (host.leads && !host.paused) host.ask({ kind: 'read', lease: this.#cluster.options.leaseReads });
        });
      }
    }
  }

  #onSent(host: Host, message: RaftMessage, to: 'all' | readonly number[]): void {
    if (message.kind === 'accepted') {
      this.#logs.onAcknowledged(host.index, message.block.height, message.block.blockHash);
      return;
    }
    const isVote = message.kind === 'vote' && message.granted && !message.pre;
    const isCampaign = message.kind === 'vote-request' && !message.pre;
    if (!isVote && !isCampaign) return;
    assert.ok(!isAmnesiac(host.state), `host ${host.index} forgot its votes, and votes`);
    const key = `${host.index} ${message.term}`;
    const choice = isVote ? Number(to[0]) : message.from;
    assert.equal(choice, this.#votes.get(key) ?? choice, `host ${host.index} votes twice in ${message.term}`);
    this.#votes.set(key, choice);
  }

  #onAnswer(host: Host, { id, result }: Extract<Effect<RaftMessage>, { readonly type: 'answer' }>): void {
    const read = this.#reads.get(`${host.index} ${id}`);
    if (read === undefined || 'code' in result) return;
    assert.ok(
      result.height >= read.atLeast,
      `a read at ${host.index} is of ${result.height}, and ${read.atLeast} was decided before it was asked for`,
    );
  }

  #noteHeld({ index, state }: Host): void {
    const { log, term, durable } = state;
    for (const { header, blockHash, configuration } of log.entries) {
      if (isAmnesiac(state) || configuration.length === 0 || header.view !== term || header.height > durable)
        continue;
      this.#held.set(index, (this.#held.get(index) ?? new Set()).add(blockHash));
    }
  }

  #learn(header: BlockHeader): void {
    const hash = hashHeader(header);
    const { height } = header;
    if (header.nextValidatorsHash !== header.validatorsHash && height >= (this.newestChange?.height ?? 0))
      this.newestChange = { height, hash };
    this.#headers.set(hash, header);
    this.#logs.onBlock(hash, header);
  }
}
