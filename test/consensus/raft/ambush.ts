import type { Effect } from '../../../src/consensus/engine.ts';
import type { RaftMessage } from '../../../src/consensus/raft/message.ts';
import type { Cluster } from './cluster.ts';
import type { Dice } from './dice.ts';
import type { Faults } from './faults.ts';
import type { Host } from './host.ts';

type Sent = Effect<RaftMessage>;

/** The moments at which something is half done: a promise leaves, or has just become a fact. */
const moments = {
  campaign: (effect) => isSent(effect, 'vote-request') && !effect.message.pre,
  'pre-campaign': (effect) => isSent(effect, 'vote-request') && effect.message.pre,
  vote: (effect) => isSent(effect, 'vote') && effect.message.granted && !effect.message.pre,
  'timeout-now': (effect) => isSent(effect, 'timeout-now'),
  change: (effect) =>
    isSent(effect, 'append') && effect.message.entries.some(({ configuration }) => configuration.length > 0),
  append: (effect) => isSent(effect, 'append') && effect.message.entries.length > 0,
  accepted: (effect) => isSent(effect, 'accepted'),
  rejected: (effect) => isSent(effect, 'rejected'),
  leading: (effect) => effect.type === 'trace' && effect.event === 'leading',
  'change-applied': (effect) => effect.type === 'members',
  'change-final': (effect) =>
    effect.type === 'commit' &&
    effect.certificate?.engine === 'raft' &&
    effect.certificate.configuration.length > 0,
  'snapshot-offer': (effect) => isSent(effect, 'snapshot-offer'),
  install: (effect) => effect.type === 'install',
  sync: (effect) => effect.type === 'sync',
  'read-answer': (effect) => isSent(effect, 'read-answer'),
} satisfies Record<string, (effect: Sent) => boolean>;

type Moment = keyof typeof moments;

function isSent<K extends RaftMessage['kind']>(
  effect: Sent,
  kind: K,
): effect is Extract<Sent, { type: 'send' }> & { message: Extract<RaftMessage, { kind: K }> } {
  return effect.type === 'send' && effect.message.kind === kind;
}

/** Waits for a moment, and then strikes: what left is under way, and nothing of it is on a disk yet. */
export class Ambushes {
  readonly #cluster: Cluster;
  readonly #dice: Dice;
  readonly #faults: Faults;
  #armed: { readonly moment: Moment; skip: number }[] = [];

  constructor(cluster: Cluster, dice: Dice, faults: Faults) {
    this.#cluster = cluster;
    this.#dice = dice;
    this.#faults = faults;
    cluster.onEffect = (host, effect) => this.#onEffect(host, effect);
  }

  arm(): void {
    if (this.#armed.length >= 3) return;
    const moment = this.#dice.of(Object.keys(moments) as Moment[]);
    this.#armed.push({ moment, skip: this.#dice.chance(0.6) ? 0 : this.#dice.below(6) });
  }

  disarm(): void {
    this.#armed = [];
  }

  #onEffect(host: Host, effect: Sent): void {
    if (this.#armed.length === 0) return;
    for (const ambush of this.#armed) {
      if (!moments[ambush.moment](effect)) continue;
      ambush.skip -= 1;
      if (ambush.skip >= 0) continue;
      this.#armed = this.#armed.filter((other) => other !== ambush);
      const peer = this.#peerOf(effect);
      // After the effects of this step were executed.
      this.#cluster.schedule.after(this.#dice.chance(0.7) ? 0 : this.#dice.soon(0, 10), () =>
        this.#strike(host, peer),
      );
      return;
    }
  }

  #peerOf(effect: Sent): Host {
    const { hosts } = this.#cluster;
    const to = effect.type === 'send' && effect.to !== 'all' ? this.#dice.maybeOf(effect.to) : undefined;
    return (to === undefined ? undefined : hosts[to]) ?? this.#dice.of(hosts);
  }

  #strike(actor: Host, peer: Host): void {
    const { hosts } = this.#cluster;
    const dice = this.#dice;
    const faults = this.#faults;
    if (faults.over) return;
    faults.note('ambush');
    const leaders = hosts.filter((host) => host.leads);
    const strikes: readonly (readonly [() => void, number])[] = [
      [() => faults.crash(actor), 2],
      [() => faults.crash(peer), 1],
      [() => faults.lose(dice.of([actor, peer])), 2],
      [() => faults.isolate([actor]), 2],
      [() => faults.isolate([peer]), 1],
      [() => faults.isolate([actor, peer]), 2],
      [() => faults.isolate(leaders), 2],
      [() => faults.isolate([...leaders, dice.of(hosts)]), 3],
      [() => faults.partition(), 1],
      [() => faults.pause(dice.of([actor, peer])), 2],
      [() => faults.stall(dice.of([actor, peer])), 1],
      [() => faults.storeLate(dice.of([actor, peer])), 1],
      [() => faults.release(), 1],
      [
        () =>
          faults.holdBack(
            dice.of(['vote-request', 'vote', 'pre-vote', 'append', 'heartbeat', 'heartbeat-answer']),
            actor,
          ),
        1,
      ],
    ];
    dice.weighed(strikes)?.();
    if (dice.chance(0.7)) this.#cluster.schedule.after(dice.soon(1, 600), () => this.#follow(actor, peer));
  }

  /** The rest of it, some time later: others than at the moment meet. */
  #follow(actor: Host, peer: Host): void {
    const { hosts } = this.#cluster;
    const dice = this.#dice;
    const faults = this.#faults;
    const one = dice.of(hosts);
    const other = dice.of([actor, peer, ...hosts]);
    if (faults.over) return;
    const strikes: readonly (readonly [() => void, number])[] = [
      [() => faults.heal(), 2],
      [() => faults.defect(one, other), 3],
      [
        () => {
          if (faults.lose(one, dice.soon(0, 40))) faults.defect(one, other);
        },
        3,
      ],
      [
        () => {
          faults.crash(one, dice.soon(0, 40));
          faults.defect(one, other);
        },
        2,
      ],
      [() => faults.release(), 2],
      [() => faults.crash(dice.of([actor, peer])), 1],
      [() => faults.partition(), 1],
    ];
    dice.weighed(strikes)?.();
    if (dice.chance(0.4)) this.#cluster.schedule.after(dice.soon(1, 600), () => this.#follow(actor, peer));
  }
}
