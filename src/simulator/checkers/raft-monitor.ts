import { decode } from '../../base/codec.ts';
import { unwrap } from '../../base/problem.ts';
import type { Effect, Input } from '../../consensus/engine.ts';
import type { EngineStart } from '../../consensus/protocol.ts';
import { genesisConfiguration } from '../../consensus/raft/configuration.ts';
import type { RaftEngine } from '../../consensus/raft/engine.ts';
import { checkLog } from '../../consensus/raft/invariants.ts';
import type { RaftMessage } from '../../consensus/raft/message.ts';
import { entryCodec, entryPrefix } from '../../consensus/raft/records.ts';
import { isAmnesiac, unappliedConfiguration } from '../../consensus/raft/replica.ts';
import type { Hash } from '../../crypto/hash.ts';
import { type BlockHeader, hashHeader } from '../../ledger/block.ts';
import { genesisValidators } from '../../ledger/genesis.ts';
import { Breach } from './breach.ts';
import { ElectionChecker } from './election-checker.ts';
import type { EngineMonitor, MonitorGround } from './engine-monitor.ts';
import { LogChecker, removedEntries } from './log-checker.ts';
import { RaftDutyChecker } from './raft-duties/duty-checker.ts';

/** What members of a Raft cluster have to keep: one leader a term, logs that agree, and their duties. */
export class RaftMonitor implements EngineMonitor {
  readonly #ground: MonitorGround;
  readonly #elections = new ElectionChecker();
  readonly #logs: LogChecker;
  /** What was final when a member's disk was lost: it may have had a part in that. */
  readonly #lostAt = new Map<number, number>();
  /** Of each member's process. */
  readonly #duties = new Map<number, RaftDutyChecker>();

  constructor(ground: MonitorGround) {
    const { chain, simulated } = ground;
    this.#ground = ground;
    this.#logs = new LogChecker({
      keys: simulated.nodeKeys.map(({ publicKey }) => publicKey),
      members: genesisConfiguration(genesisValidators(simulated.genesis)),
      storedHeight: (node) => chain.storedHeight(node),
      finalHash: (height) => chain.hashAt(height),
    });
  }

  diskLost(node: number): void {
    this.#lostAt.set(node, this.#ground.chain.height);
    this.#logs.onDiskLost(node);
  }

  /** Nobody lies in Raft. */
  corrupted(): void {}

  lyingAt(): ReadonlySet<number> {
    return new Set();
  }

  started(node: number, start: EngineStart, engine: object): void {
    const { consensus } = this.#ground.plan;
    this.#logs.onStart(node, loggedBlocks(start.records));
    // Nothing was on it yet.
    if (start.log === 'whole' && start.records.size === 0) this.#lostAt.delete(node);
    this.#look(node, engine);
    if (!('electionTimeoutMs' in consensus)) return;
    this.#duties.set(node, new RaftDutyChecker({ node, timing: consensus }, start, stateOf(engine)));
  }

  input(node: number, input: Input<object>): void {
    if (input.type === 'persisted') this.#logs.onPersisted(node, input.seq);
  }

  effect(node: number, effect: Effect<object>): void {
    if (effect.type === 'send') {
      this.#onSent(node, effect.message as RaftMessage, effect.to === 'all' ? [] : effect.to);
    } else if (effect.type === 'persist') {
      const { seq, blocks, records, forget = [] } = effect;
      this.#logs.onPersist(node, { seq, blocks, removed: removedEntries(records) }, forget);
    } else if (effect.type === 'commit') {
      this.#logs.onFinal(node, effect.link.height, effect.link.blockHash);
    } else if (effect.type === 'trace' && effect.event === 'leading') {
      this.#elections.leads(node, Number(effect.data['term']));
      this.#ground.onLeading(node);
    }
  }

  step(node: number, input: Input<object>, effects: readonly Effect<object>[], engine: object): void {
    this.#look(node, engine);
    const duties = this.#duties.get(node);
    duties?.step(input as Input<RaftMessage>, effects as readonly Effect<RaftMessage>[], stateOf(engine));
  }

  proposed(blockHash: Hash, header: BlockHeader): void {
    this.#logs.onBlock(blockHash, header);
  }

  /** An engine between two steps. That of PBFT checks itself. */
  #look(node: number, engine: object): void {
    const { replica } = engine as RaftEngine;
    checkLog(replica);
    const { configuration, configurationHeight, commit, applied, writes } = replica.state;
    const lostAt = this.#lostAt.get(node);
    if (lostAt !== undefined && !isAmnesiac(replica.state)) {
      if (applied < lostAt) {
        const why = `node ${node} is counted again at ${applied}, and its disk was lost when ${lostAt} was final`;
        throw new Breach('durability', why);
      }
      // Until its disk says so, the next start is one after a loss again.
      if (writes.pending.length === 0) this.#lostAt.delete(node);
    }
    this.#logs.onConfiguration(configurationHeight, configuration);
    this.#logs.onPart(node, {
      members: configuration,
      votes: !isAmnesiac(replica.state),
      campaigns: !isAmnesiac(replica.state) && unappliedConfiguration(replica.state, commit) === null,
    });
  }

  #onSent(node: number, message: RaftMessage, to: readonly number[]): void {
    this.#elections.sends(message, to);
    if (message.kind !== 'accepted') return;
    const { height, blockHash } = message.block;
    this.#logs.onAcknowledged(node, height, blockHash);
  }
}

function stateOf(engine: object): RaftEngine['replica']['state'] {
  return (engine as RaftEngine).replica.state;
}

/**
 * The blocks in the log on disk. The body of one that was final when it was written is
 * not among the candidates.
 */
function loggedBlocks(records: EngineStart['records']): readonly Hash[] {
  return [...records].flatMap(([key, value]) =>
    key.startsWith(entryPrefix) ? [hashHeader(unwrap(decode(entryCodec, value, key)).header)] : [],
  );
}
