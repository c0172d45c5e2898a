import type { Effect } from '../../../src/consensus/engine.ts';
import type { PbftMessage } from '../../../src/consensus/pbft/message.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { hashHeader } from '../../../src/ledger/block.ts';
import { Committee, type TestNode } from '../../consensus/pbft/harness.ts';
import { playTranscripts } from '../runner.ts';

/** Replicas are called A, B, C, …; blocks b1, b2, … in the order in which the transcript saw them. */
class Story {
  committee = new Committee(4);
  #log: string[] = [];
  readonly #blocks = new Map<Hash, string>();
  #dropped = new Set<string>();

  command([verb = '', ...words]: readonly string[]): readonly string[] {
    this.#log = [];
    switch (verb) {
      case 'committee':
        this.#begin(words);
        break;
      case 'transaction':
        this.committee.work();
        break;
      case 'deliver':
        this.committee.run();
        break;
      case 'pass':
        this.committee.pass(Number(words[0]), 100);
        break;
      case 'drop':
        this.#drop(words);
        break;
      case 'heal':
        this.#dropped = new Set();
        break;
      case 'crash':
        for (const name of words) this.#node(name).crash();
        break;
      case 'restart':
        for (const name of words) this.#node(name).restart();
        break;
      case 'equivocate':
        this.#equivocate(words);
        break;
      case 'state':
        return this.committee.nodes.map((node) => this.#state(node));
      case 'why':
        return words.map((name) => `${name}: ${this.#node(name).engine?.why() ?? 'down'}`);
      default:
        return [`unknown command ${verb}`];
    }
    return this.#log.length === 0 ? ['(nothing)'] : summarise(this.#log);
  }

  #begin([n = '4', ...settings]: readonly string[]): void {
    const options = Object.fromEntries(settings.map((setting) => setting.split('='))) as Record<
      string,
      string
    >;
    const numbers = Object.fromEntries(Object.entries(options).map(([key, value]) => [key, Number(value)]));
    this.committee = new Committee(Number(n), { options: numbers });
    this.committee.deliverable = (from, to, message) => !this.#isDropped(from, to, message);
    for (const node of this.committee.nodes) this.#listen(node);
    this.#log.push(`${n} replicas, ${this.committee.nodes.map(({ index }) => name(index)).join(' ')}`);
  }

  #listen(node: TestNode): void {
    const execute = node.execute.bind(node);
    node.execute = (effect) => {
      const line = this.#describe(node, effect);
      if (line !== null) this.#log.push(line);
      return execute(effect);
    };
  }

  #describe(node: TestNode, effect: Effect<PbftMessage>): string | null {
    const who = name(node.index);
    if (effect.type === 'send') return `${who} sends ${this.#message(effect.message)}`;
    if (effect.type === 'commit')
      return `${who} final: ${this.#block(effect.link.blockHash)} at ${effect.link.height}`;
    if (effect.type === 'evidence')
      return `${who} has evidence against ${name(effect.accused)}: ${effect.kind}`;
    if (effect.type !== 'trace') return null;
    const data = Object.entries(effect.data).map(([key, value]) => ` ${key}=${value}`);
    return `${who} ${effect.event}${data.join('')}`;
  }

  #message(message: PbftMessage): string {
    switch (message.kind) {
      case 'pre-prepare':
      case 'prepare':
      case 'commit':
        return `${message.kind} view ${message.view} height ${message.height} ${this.#block(message.blockHash)}`;
      case 'view-change': {
        const best = message.highest ?? message.finalCertificate;
        const certificate =
          best === undefined
            ? 'no certificate'
            : `${best.phase} certificate of view ${best.view} for ${this.#block(best.blockHash)}`;
        return `view-change to ${message.view}: final ${message.finalHeight}, ${certificate}`;
      }
      case 'new-view':
        return `new-view ${message.view} with the view changes of ${message.viewChanges.map(({ from }) => name(from)).join(' ')}`;
      case 'suspect':
      case 'status':
      case 'evidence':
      case 'query-stable':
        return message.kind;
      case 'reply-stable':
        return `reply-stable: final ${message.finalHeight}`;
    }
  }

  #block(blockHash: Hash): string {
    let short = this.#blocks.get(blockHash);
    if (short === undefined) {
      short = `b${this.#blocks.size + 1}`;
      this.#blocks.set(blockHash, short);
    }
    return short;
  }

  /** `drop KIND [view=V] [from=A] [to=B,C]`: from now on. */
  #drop(words: readonly string[]): void {
    this.#dropped.add(words.join(' '));
    this.#log.push(`from now on lost: ${words.join(' ')}`);
  }

  #isDropped(from: number, to: number, message: PbftMessage): boolean {
    return [...this.#dropped].some((rule) => {
      const [kind = '', ...conditions] = rule.split(' ');
      const of = Object.fromEntries(conditions.map((condition) => condition.split('='))) as Record<
        string,
        string
      >;
      if (kind !== 'all' && !kind.split(',').includes(message.kind ?? 'sync')) return false;
      if (of['from'] !== undefined && !of['from'].split(',').includes(name(from))) return false;
      if (of['to'] !== undefined && !of['to'].split(',').includes(name(to))) return false;
      return of['view'] === undefined || ('view' in message && message.view === Number(of['view']));
    });
  }

  /** `equivocate A C,D`: A shows C and D another block than the others, in the current view. */
  #equivocate([liar = '', victims = '']: readonly string[]): void {
    const others = new Map<Hash, { blockHash: Hash; proposal: unknown }>();
    this.#node(liar).tamper = (to, message) => {
      if (!victims.split(',').includes(name(to))) return [message];
      if (message.kind === 'pre-prepare') {
        const header = { ...message.proposal.header, timestamp: message.proposal.header.timestamp + 1_000 };
        this.committee.blocks.set(hashHeader(header), header);
        this.committee.contents.set(hashHeader(header), this.committee.contents.get(message.blockHash) ?? []);
        const other = { blockHash: hashHeader(header), proposal: { header, transactionHashes: [] } };
        others.set(message.blockHash, other);
        return [{ ...message, ...other }];
      }
      const other = 'blockHash' in message ? others.get(message.blockHash) : undefined;
      return other === undefined ? [message] : [{ ...message, blockHash: other.blockHash } as PbftMessage];
    };
    this.#log.push(`${liar} shows ${victims} other blocks than the rest`);
  }

  #state(node: TestNode): string {
    const { engine } = node;
    if (engine === null) return `${name(node.index)}: down, ${node.finalHeight()} on disk`;
    const { view, phase, final } = engine.state;
    const block = final.height === 0 ? 'genesis' : this.#block(final.blockHash);
    return `${name(node.index)}: view ${view}${phase.name === 'changing' ? ' (changing)' : ''}, final ${final.height} ${block}`;
  }

  #node(letter: string): TestNode {
    return this.committee.node(letter.charCodeAt(0) - 65);
  }
}

const name = (index: number): string => String.fromCharCode(65 + index);

/** The same line of several replicas in a row becomes one line. */
function summarise(lines: readonly string[]): string[] {
  const result: { who: string; what: string }[] = [];
  for (const line of lines) {
    const [who = '', ...rest] = line.split(' ');
    const what = rest.join(' ');
    const same = result.find((entry) => entry.what === what && /^[A-Z]( [A-Z])*$/.test(who));
    if (same !== undefined && !same.who.split(' ').includes(who)) same.who += ` ${who}`;
    else if (same === undefined) result.push({ who, what });
  }
  return result.map(({ who, what }) => `${who} ${what}`.trim());
}

playTranscripts(new URL('.', import.meta.url), () => {
  const story = new Story();
  return (words) => story.command(words);
});
