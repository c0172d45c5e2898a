import type { Height } from '../../ledger/block.ts';
import type { Mempool } from '../../mempool/mempool.ts';
import type { Announcing } from '../catch-up/announcing.ts';
import type { Installing } from '../catch-up/installing.ts';
import type { Snapshots } from '../catch-up/snapshots.ts';
import type { Sync } from '../catch-up/sync.ts';
import type { Chain, FinalBlock } from '../effects/chain.ts';
import type { Committed } from '../effects/committing.ts';
import type { Intake } from '../peers/intake.ts';
import type { Clock } from '../process/clock.ts';
import type { ClockWatch } from '../process/clock-watch.ts';
import type { VersionWatch } from '../effects/version-watch.ts';
import { upcomingParameters } from '../effects/upcoming.ts';
import type { Logger } from '../process/log.ts';
import type { Decided } from './decided.ts';
import type { Listeners } from './listeners.ts';
import type { Nudges } from './nudges.ts';

interface AdvancingOptions {
  readonly chain: Pick<Chain, 'install'>;
  readonly mempool: Pick<Mempool, 'installed'>;
  readonly intake: Pick<Intake, 'final'>;
  readonly sync: Pick<Sync, 'applied' | 'active'>;
  readonly snapshots: Pick<Snapshots, 'take'>;
  readonly installing: Pick<Installing, 'advanced'>;
  readonly announcing: Pick<Announcing, 'announce'>;
  readonly nudges: Pick<Nudges, 'advanced'>;
  readonly listeners: Pick<Listeners, 'final'>;
  readonly decided: Decided;
  readonly clock: Clock;
  readonly clockWatch: Pick<ClockWatch, 'look' | 'live'>;
  readonly versionWatch: Pick<VersionWatch, 'look'>;
  readonly onWork: () => void;
  readonly log: Logger;
}

/** The stored state moved up: everything that looks at it goes on from there. */
export class Advancing {
  readonly #options: AdvancingOptions;

  constructor(options: AdvancingOptions) {
    this.#options = options;
  }

  /** By one block. Chain and mempool know already: their part is of `Committing`. */
  committed(committed: Committed): void {
    const { announcing, clockWatch, versionWatch, listeners, clock, sync, intake } = this.#options;
    intake.final(committed.block.transactions);
    // With the last block that it brings it is at rest again.
    const isFetched = sync.active;
    this.#advanced(clock.monotonicMs(), committed.block.header.height);
    announcing.announce(committed);
    if (!isFetched) clockWatch.live(committed.block.header);
    clockWatch.look();
    listeners.final.tell(committed);
    // Last: it may be the last block that this program can tell of.
    versionWatch.look();
  }

  /** By a snapshot, which came in place of blocks. */
  installed(final: FinalBlock): void {
    const { chain, mempool, snapshots, decided, clock, versionWatch, log } = this.#options;
    const { height, state } = final;
    const now = clock.monotonicMs();
    chain.install(final);
    snapshots.take();
    const next = upcomingParameters(final);
    mempool.installed({ height, accountOf: state.account.bind(state), next, now });
    decided.finalHeight = height;
    this.#advanced(now, height);
    log.info('a snapshot was installed', { height });
    versionWatch.look();
  }

  #advanced(now: number, height: Height): void {
    const { nudges, onWork, sync, installing } = this.#options;
    nudges.advanced(now);
    onWork();
    sync.applied(height);
    installing.advanced(height);
  }
}
