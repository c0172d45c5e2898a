import { afterJoint } from '../../../src/consensus/raft/configuration.ts';
import type { RaftMessage } from '../../../src/consensus/raft/message.ts';
import type { Cluster } from './cluster.ts';
import type { Dice } from './dice.ts';
import { mislead } from './former-member.ts';
import type { Host } from './host.ts';
import type { Promises } from './promises.ts';
import { genesisHeader, keyOf, type Envelope } from './world.ts';
import {
  type Configuration,
  decodeConfiguration,
  isJoint,
  type Member,
} from '../../../src/ledger/members.ts';

const electorates: readonly (readonly Member['role'][])[] = [
  ['voter', 'leaving', 'demoted'],
  ['voter', 'joining'],
];

/** What is held back: pre-votes are asked for and given apart from votes. */
export type Held = RaftMessage['kind'] | 'pre-vote-request' | 'pre-vote';

function kindOf(message: RaftMessage): Held {
  const isPre = (message.kind === 'vote' || message.kind === 'vote-request') && message.pre;
  return isPre ? (`pre-${message.kind}` as Held) : message.kind;
}

/** What can go wrong, one method each. What breaks is mended some time later, or when the schedule ends. */
export class Faults {
  readonly done: Record<string, number> = {};
  /** Nothing breaks any more. */
  over = false;
  readonly #cluster: Cluster;
  readonly #dice: Dice;
  readonly #promises: Promises;
  /** The side of each host in a partition; those of no side reach all. */
  #sides = new Map<number, number>();
  #oneWay = false;
  #holds: { readonly release: () => void }[] = [];
  /** The configurations that a host which is down knew. */
  readonly #known = new Map<number, Configuration[]>();

  readonly #asked = new Map<number, Configuration[]>();

  constructor(cluster: Cluster, dice: Dice, promises: Promises) {
    this.#cluster = cluster;
    this.#dice = dice;
    this.#promises = promises;
  }

  note(name: string): void {
    this.done[name] = (this.done[name] ?? 0) + 1;
  }

  #later(ms: number, run: () => void): void {
    this.#cluster.schedule.after(ms, run);
  }

  start(host: Host): void {
    if (host.engine === null) host.start();
  }

  crash(host: Host, downMs = this.#dice.soon(0, 1_500)): void {
    if (host.engine === null) return;
    this.note('crash');
    this.#known.set(host.index, configurationsOf(host));
    host.crash();
    // What held up its disk is often over then.
    if (this.#dice.chance(0.5)) host.stalled = false;
    this.#later(downMs, () => this.start(host));
  }

  crashAll(): void {
    this.note('crash-all');
    for (const host of this.#cluster.hosts) this.crash(host);
  }

  /** Its directory is emptied, when a majority of every set of voters still has its log then. */
  lose(host: Host, downMs = this.#dice.soon(0, 400)): boolean {
    if (!host.used || !this.#canLose(host)) return false;
    this.note('lose');
    if (host.engine !== null) {
      this.#known.set(host.index, configurationsOf(host));
      host.crash();
    }
    // When its members are those of the genesis file, a node also starts without the log of the consensus, but with its chain.
    const { header } = host.disk.final;
    const isGenesis = header.nextValidatorsHash === genesisHeader(this.#cluster.members).nextValidatorsHash;
    const isCopy = this.#dice.chance(0.4) && host.putBack();
    if (isCopy) this.note('old-copy');
    else if (isGenesis && host.disk.compacted === null && this.#dice.chance(0.2)) host.wipe();
    else host.lose();
    // Somebody has a copy of the key of one that came later, and another machine, which knows nothing of it.
    if (!isCopy && host.index >= this.#cluster.members && this.#dice.chance(0.5)) {
      this.note('new-machine');
      host.used = false;
    }
    this.#later(downMs, () => this.start(host));
    return true;
  }

  #canLose(host: Host): boolean {
    const forgetful = new Set([...this.#promises.forgetful.keys(), host.index]);
    return this.configurations().every((members) => keepsMajority(members, forgetful));
  }

  /** Every configuration that somebody goes by, or may go by soon. */
  configurations(): Configuration[] {
    return this.#cluster.hosts.flatMap((host) =>
      host.engine === null
        ? (this.#known.get(host.index) ?? [])
        : [...configurationsOf(host), ...this.#waitingAt(host)],
    );
  }

  /** What a leader that stands still was asked to make of the members: it does so when it goes on. */
  #waitingAt(host: Host): Configuration[] {
    if (!host.paused) this.#asked.delete(host.index);
    return this.#asked.get(host.index) ?? [];
  }

  asked(host: Host, next: Configuration): void {
    if (host.paused) this.#asked.set(host.index, [...this.#waitingAt(host), next, afterJoint(next)]);
  }

  /** The change leaves majorities of voters who remember. */
  keepsMajority(members: Configuration): boolean {
    return [members, afterJoint(members)].every((each) =>
      keepsMajority(each, new Set(this.#promises.forgetful.keys())),
    );
  }

  pause(host: Host, ms = this.#dice.soon(10, 1_500)): void {
    if (host.engine === null || host.paused) return;
    this.note('pause');
    host.pause();
    this.#later(ms, () => host.resume());
  }

  stall(host: Host, ms = this.#dice.soon(10, 2_000)): void {
    if (host.stalled) return;
    this.note('stall');
    host.stalled = true;
    this.#later(ms, () => {
      if (host.stalled) host.resumeDisk();
    });
  }

  slowDisk(host: Host): void {
    this.note('slow-disk');
    host.diskMs = this.#dice.of([1, 2, 2, 10, 40, 120]);
    host.reportMs = this.#dice.of([0, 0, 5, 40]);
    host.executionMs = this.#dice.of([1, 1, 10, 60]);
    host.unevenMs = this.#dice.of([0, 0, 20, 50]);
  }

  /** Final blocks come to disk late, one by one. */
  storeLate(host: Host): void {
    this.note('storing');
    host.storingMs = this.#dice.of([0, 50, 200, 1_000, 3_000]);
  }

  withhold(host: Host): void {
    this.note('bodies');
    host.withholdBodies = !host.withholdBodies;
  }

  weather(): void {
    const { wire } = this.#cluster;
    wire.loss = this.#dice.chance(0.5) ? this.#dice.soon(0, 0.4) : 0;
    wire.duplication = this.#dice.chance(0.5) ? 0.3 : 0;
    wire.lateness = this.#dice.chance(0.5) ? this.#dice.of([0.01, 0.05, 0.2]) : 0;
    wire.latencyMs = this.#dice.of([
      { min: 1, max: 5 },
      { min: 1, max: 5 },
      { min: 1, max: 60 },
      { min: 20, max: 150 },
    ]);
  }

  /** Those who were removed say what they like. */
  mislead(): void {
    for (const host of this.#cluster.hosts)
      if (mislead(this.#cluster, this.#dice, host)) this.note('mislead');
  }

  /** Somebody puts copies of disks aside. */
  backUp(): void {
    for (const host of this.#dice.some(this.#cluster.hosts)) host.backUp();
  }

  /** Each host is on one of two sides; now and then one reaches both. */
  partition(): void {
    this.note('partition');
    const { hosts } = this.#cluster;
    this.#oneWay = this.#dice.chance(0.2);
    this.#sides = new Map(hosts.map(({ index }) => [index, this.#dice.below(2)]));
    if (this.#dice.chance(0.25)) this.#sides.delete(this.#dice.below(hosts.length));
    this.#cut();
  }

  /** These on one side, all others on the other. */
  isolate(hosts: readonly Host[]): void {
    this.note('isolate');
    this.#oneWay = this.#dice.chance(0.15);
    this.#sides = new Map(this.#cluster.hosts.map((host) => [host.index, hosts.includes(host) ? 0 : 1]));
    this.#cut();
  }

  /** A host goes over to the side of another one. */
  defect(host: Host, to: Host): void {
    this.note('defect');
    this.#oneWay = false;
    this.#sides.set(host.index, this.#sides.get(to.index) ?? 0);
    this.#cut();
  }

  sideOf(host: Host): number | undefined {
    return this.#sides.get(host.index);
  }

  /** These two do not hear each other; all others do. */
  separate(a: Host, b: Host): void {
    this.heal();
    if (a !== b) this.#cluster.wire.cut(a.index, b.index);
  }

  /** Nobody hears a leader, and answers from before that come so late that it leads for longer than others wait. */
  muffle(leader: Host): void {
    this.note('muffle');
    const { wire, hosts } = this.#cluster;
    this.heal();
    const toLeader = ({ to, message }: Envelope): boolean =>
      to === leader.index && message.kind === 'heartbeat-answer' && message.round % 2 === 0;
    const early = wire.hold(toLeader);
    this.#cluster.run(55);
    early.forget();
    const late = wire.hold(toLeader);
    this.#cluster.run(110);
    late.forget();
    for (const { index } of hosts) if (index !== leader.index) wire.cuts.add(`${leader.index}>${index}`);
    this.#later(150 + this.#dice.below(140), () => early.release());
    this.#later(350 + this.#dice.below(200), () => late.release());
  }

  heal(): void {
    this.#sides.clear();
    this.#cut();
  }

  #cut(): void {
    const { wire, hosts } = this.#cluster;
    wire.cuts.clear();
    for (const { index: a } of hosts) {
      for (const { index: b } of hosts) {
        const [from, to] = [this.#sides.get(a), this.#sides.get(b)];
        if (from === undefined || to === undefined || from === to) continue;
        if (!this.#oneWay || from === 0) wire.cuts.add(`${a}>${b}`);
      }
    }
  }

  /** One envelope more or less is not what matters: all of a kind from one host, or to one, come late and together, or never. */
  holdBack(
    kind: Held,
    host: Host,
    direction: 'from' | 'to' = this.#dice.of(['from', 'to']),
    ms = this.#dice.soon(20, 2_500),
  ): void {
    this.note('hold');
    const share = this.#dice.of([0.5, 1, 1]);
    const matches = (envelope: Envelope): boolean =>
      kindOf(envelope.message) === kind && envelope[direction] === host.index && this.#dice.chance(share);
    const hold = this.#cluster.wire.hold(matches);
    const end = this.#dice.chance(0.7)
      ? {
          release: (): void => {
            this.#holds = this.#holds.filter((other) => other !== end);
            hold.release();
          },
        }
      : { release: (): void => hold.forget() };
    this.#holds.push(end);
    this.#later(ms, () => {
      if (this.#holds.includes(end)) end.release();
    });
  }

  /** What was held back comes now. */
  release(): void {
    const holds = this.#holds;
    this.#holds = [];
    for (const { release } of holds) release();
  }

  /** Everything works from now on, for good. */
  end(): void {
    this.over = true;
    this.calm();
    for (const host of this.#cluster.hosts) this.nurse(host);
  }

  /** All links work, and nothing is held back. */
  calm(): void {
    const { wire } = this.#cluster;
    this.heal();
    this.release();
    wire.loss = 0;
    wire.duplication = 0;
    wire.lateness = 0;
    wire.latencyMs = { min: 1, max: 5 };
  }

  /** Nothing is wrong with this host. */
  nurse(host: Host): void {
    host.withholdBodies = false;
    host.storingMs = 0;
    host.diskMs = 2;
    host.reportMs = 0;
    host.executionMs = 1;
    host.unevenMs = 0;
    this.start(host);
    host.resume();
    if (host.stalled) host.resumeDisk();
  }
}

function keepsMajority(members: Configuration, forgetful: ReadonlySet<number>): boolean {
  const lost = new Set([...forgetful].map(keyOf));
  return electorates.every((roles) => {
    const voters = members.filter(({ role }) => roles.includes(role));
    return 2 * voters.filter(({ key }) => !lost.has(key)).length > voters.length;
  });
}

function configurationsOf({ state }: Host): Configuration[] {
  const found: Configuration[] = [state.configuration];
  const logged = [
    ...state.log.entries.map(({ configuration }) => configuration),
    ...state.arriving.map(({ configuration }) => configuration),
    ...(state.role.kind === 'follower' ? state.role.staging.map(({ entry }) => entry.configuration) : []),
  ];
  for (const bytes of logged) {
    if (bytes.length === 0) continue;
    const members = decodeConfiguration(bytes);
    if (!('code' in members)) found.push(members);
  }
  if (state.install !== null) found.push(state.install.configuration);
  if (state.role.kind === 'leader') {
    const { making, nextConfiguration } = state.role;
    if (nextConfiguration !== null) found.push(nextConfiguration);
    if (making !== null && making.configuration !== null) found.push(making.configuration);
  }
  return [...found, ...found.filter(isJoint).map(afterJoint)];
}
