import { Problem } from '../../../src/base/problem.ts';
import type { Effect, EngineRequest, MemberChange } from '../../../src/consensus/engine.ts';
import type { RaftMessage } from '../../../src/consensus/raft/message.ts';
import { Cluster } from '../../consensus/raft/cluster.ts';
import type { Host } from '../../consensus/raft/host.ts';
import { keyOf } from '../../consensus/raft/world.ts';

const letterOf = (index: number): string => String.fromCharCode(65 + index);
const indexOfLetter = (letter: string): number => {
  const index = letter.charCodeAt(0) - 65;
  if (letter.length !== 1 || index < 0 || index > 25) throw new Error(`no member is called ${letter}`);
  return index;
};

/** A Raft cluster that a transcript drives. Members are A, B, C…; the commands are the cases of `#execute`. */
export class RaftWorld {
  #cluster: Cluster | undefined;
  #lines: string[] = [];
  #hold: { forget: () => void } | undefined;
  #shown = new Set(['role', 'commit', 'answer']);

  get cluster(): Cluster {
    if (this.#cluster === undefined) throw new Error('a transcript starts with "cluster"');
    return this.#cluster;
  }

  command([verb = '', ...words]: readonly string[]): readonly string[] {
    this.#lines = [];
    this.#execute(verb, words);
    return this.#lines;
  }

  #execute(verb: string, words: readonly string[]): void {
    const host = (): Host => this.cluster.host(indexOfLetter(words[0] ?? ''));
    switch (verb) {
      case 'cluster':
        this.#start(words);
        break;
      case 'show':
        this.#shown = new Set(words);
        break;
      case 'elect':
        this.cluster.elect(indexOfLetter(words[0] ?? ''));
        break;
      case 'campaign':
        // Both time out in the same moment, and each has the vote of the other's friend.
        for (const word of words) this.cluster.host(indexOfLetter(word)).state.electionTimer.dueAt = 0;
        break;
      case 'hold':
        this.#hold = this.cluster.wire.hold(
          ({ from, message }) => message.kind === words[0] && from === indexOfLetter(words[1] ?? ''),
        );
        break;
      case 'limit-append':
        this.#hold = this.cluster.wire.hold(
          ({ from, message }) =>
            from === indexOfLetter(words[0] ?? '') &&
            message.kind === 'append' &&
            message.entries.some(({ proposal }) => proposal.header.height > Number(words[1])),
        );
        break;
      case 'release':
      case 'unlimit':
        this.#hold?.forget();
        break;
      case 'lead':
        this.cluster.leader?.ask(requestOf(words));
        break;
      case 'members':
        this.#members();
        break;
      case 'run':
        this.cluster.run(Number(words[0]));
        break;
      case 'submit':
        this.cluster.submit(words.join(' '));
        break;
      case 'crash':
        for (const word of words) this.cluster.host(indexOfLetter(word)).crash();
        break;
      case 'start':
        for (const word of words) this.cluster.host(indexOfLetter(word)).start();
        break;
      case 'stall':
        host().stalled = true;
        break;
      case 'resume':
        host().resumeDisk();
        break;
      case 'partition':
        this.cluster.wire.partition(
          words
            .join('')
            .split('|')
            .map((group) => Array.from(group, indexOfLetter)),
          this.cluster.hosts.length,
        );
        break;
      case 'cut':
        this.cluster.wire.cut(indexOfLetter(words[0] ?? ''), indexOfLetter(words[1] ?? ''));
        break;
      case 'heal':
        this.cluster.wire.heal();
        break;
      case 'sync':
        host().syncFrom(indexOfLetter(words[2] ?? ''));
        break;
      case 'ask':
        host().ask(requestOf(words.slice(1)));
        break;
      case 'why':
        this.#lines.push(host().engine?.why() ?? 'down');
        break;
      case 'logs':
        this.#logs();
        break;
      default:
        throw new Error(`no such command: ${verb}`);
    }
  }

  #start(words: readonly string[]): void {
    const numbers = Object.fromEntries(
      words.slice(1).map((word) => [word.split('=')[0] ?? '', Number(word.split('=')[1])]),
    );
    const { spares = 0, ...options } = numbers;
    this.#cluster = new Cluster({
      members: Number(words[0]),
      spares,
      options: { blockIntervalMs: 10, ...options },
    });
    this.cluster.wire.latencyMs = { min: 2, max: 2 };
    this.cluster.onEffect = (host, effect) => this.#note(host, effect);
    for (const host of this.cluster.hosts.slice(0, this.cluster.members)) host.start();
  }

  #note(host: Host, effect: Effect<RaftMessage>): void {
    const note = (kind: string, text: string): void => {
      if (this.#shown.has(kind)) {
        this.#lines.push(`${Math.round(this.cluster.schedule.now)} ms ${letterOf(host.index)}: ${text}`);
      }
    };
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- a transcript shows these kinds only
    switch (effect.type) {
      case 'commit':
        note('commit', `block ${effect.link.height} is final`);
        break;
      case 'answer':
        note(
          'answer',
          effect.result instanceof Problem
            ? `answers ${effect.id}: ${effect.result.code} (${effect.result.message})`
            : `answers ${effect.id}: height ${effect.result.height}`,
        );
        break;
      case 'trace': {
        const { term, ...data } = effect.data;
        const facts = Object.entries(data).map(([name, value]) =>
          name === 'leader' || name === 'for' || name === 'to'
            ? `${name} ${letterOf(Number(value))}`
            : `${name} ${value}`,
        );
        note('role', [`${effect.event} (term ${term})`, ...facts].join(', '));
        break;
      }
      case 'send':
        for (const to of effect.to === 'all' ? [] : effect.to) {
          note(effect.message.kind, `${describe(effect.message)} -> ${letterOf(to)}`);
        }
        break;
      case 'persist':
        note(
          'persist',
          `writes ${effect.seq}: ${effect.records.map(({ key, value }) => (value === null ? `-${short(key)}` : short(key))).join(' ')}`,
        );
        break;
      default:
        break;
    }
  }

  #members(): void {
    for (const [index, { role }] of (this.cluster.leader?.state.configuration ?? []).entries()) {
      this.#lines.push(`${letterOf(index)}: ${role}`);
    }
  }

  #logs(): void {
    for (const host of this.cluster.hosts) {
      if (host.engine === null) {
        this.#lines.push(`${letterOf(host.index)}: down`);
        continue;
      }
      const { log, commit, durable, term, role } = host.state;
      const entries = log.entries.map(({ header }) => `${header.height}:t${header.view}`).join(' ');
      this.#lines.push(
        `${letterOf(host.index)}: ${role.kind} of term ${term}, [${log.base.height}] ${entries} commit ${commit} durable ${durable}`,
      );
    }
  }
}

const short = (key: string): string => key.replace(/^raft\//, '').replace(/\/0+/, '/');

function requestOf([kind, ...words]: readonly string[]): EngineRequest {
  if (kind === 'read') return { kind };
  if (kind === 'transfer') return { kind, to: words[0] === undefined ? null : indexOfLetter(words[0]) };
  if (kind !== 'members') throw new Error(`no such request: ${kind}`);
  const changes: MemberChange[] = words
    .filter((word) => word !== 'forced')
    .map((word) => {
      const [letter = '', role] = word.split('=');
      if (role !== 'voter' && role !== 'learner' && role !== 'removed')
        throw new Error(`no such role: ${role}`);
      return { key: keyOf(indexOfLetter(letter)), role };
    });
  return { kind, changes, forced: words.includes('forced') };
}

function describe(message: RaftMessage): string {
  switch (message.kind) {
    case 'vote-request':
      return `${message.pre ? 'pre-vote' : 'vote'}? term ${message.term}, last ${message.lastHeight}:t${message.lastTerm}`;
    case 'vote':
      return `${message.pre ? 'pre-vote' : 'vote'} ${message.granted ? 'yes' : 'no'} (term ${message.term})`;
    case 'append': {
      const { previous, entries, commit } = message;
      const blocks = entries.map(({ proposal }) => `${proposal.header.height}:t${proposal.header.view}`);
      return `append after ${previous.height} [${blocks.join(' ')}] commit ${commit}`;
    }
    case 'accepted':
      return `accepted up to ${message.block.height}`;
    case 'rejected':
      return `rejected after ${message.previous}: next ${message.next}, term ${message.conflictTerm}, final ${message.final}`;
    case 'heartbeat':
      return `heartbeat ${message.round} commit ${message.commit.height}`;
    case 'heartbeat-answer':
      return `heartbeat ${message.round} heard, has ${message.received}`;
    case 'timeout-now':
      return 'campaign now';
    case 'read-request':
      return `read index? ${message.context.serial}`;
    case 'read-answer':
      return `read index ${message.context.serial}: ${message.height ?? 'unknown'}`;
    case 'snapshot-offer':
      return `snapshot of ${message.snapshot.height}`;
    case 'snapshot-answer':
      return `snapshot of ${message.height}: ${message.state}`;
  }
}
