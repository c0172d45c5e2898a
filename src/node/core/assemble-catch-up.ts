import { limits } from '../../base/limits.ts';
import { Announcing } from '../catch-up/announcing.ts';
import { LaterEpochs } from '../catch-up/later-epochs.ts';
import { Installing } from '../catch-up/installing.ts';
import { Serving } from '../catch-up/serving.ts';
import { ServingQueue } from '../catch-up/serving-queue.ts';
import { Snapshots } from '../catch-up/snapshots.ts';
import { Sync } from '../catch-up/sync.ts';
import type { LastingOptions } from './options.ts';
import { end, type Loop } from './loop.ts';
import type { Ground } from './assemble-ground.ts';
import type { Peers } from './assemble-peers.ts';
import type { Effects } from './assemble-effects.ts';

/** How this node catches up with others, and helps them to. */
export function assembleCatchUp<M extends object>(
  options: LastingOptions<M>,
  { ports: { network, clock, chainStore }, enqueue }: Loop<M>,
  parts: Ground<M> &
    Peers<M> &
    Effects<M> & { readonly onInstalled: ConstructorParameters<typeof Installing>[0]['onInstalled'] },
) {
  const { protocol, store, identity, log } = options;
  const { chain, decided, registry, validatorIndex, standings, verification, peersFor } = parts;
  const isStranger = registry.isStranger.bind(registry);
  const { persisting, committing, versionWatch, onInstalled } = parts;
  const sync = new Sync({
    chain,
    network,
    clock,
    verification,
    peersFor,
    validatorOf: registry.validatorOf.bind(registry),
    isStranger,
    roster: decided.rosterNow,
    engineFinal: () => decided.finalHeight,
    enqueue,
    log,
  });
  const laterEpochs = new LaterEpochs({ clock, onLater: (height) => sync.want(height, []) });
  const announcing = new Announcing({
    self: identity.publicKey,
    network,
    verification,
    clock,
    roster: decided.rosterNow,
    isFormer: (certificate) =>
      'leader' in certificate && decided.members?.[certificate.leader]?.role === 'removed',
    finalHashAt: store.hashAt.bind(store),
    onAhead: (height) => {
      // A validator hears it from the engine too, and need not fetch what it is about to finish itself.
      const distance = validatorIndex() === undefined ? 0 : limits.maxPbftWindow;
      if (height > decided.finalHeight + distance) sync.want(height, []);
    },
    onUnproven: (height) => laterEpochs.seen(height),
  });
  const snapshots = new Snapshots({
    chain,
    store: chainStore,
    clock,
    complete: (certificate) => protocol.snapshotCertificate(certificate, decided.members),
    partBytes: options.snapshotPartBytes ?? limits.snapshotPartBytes,
    enqueue,
    onFatal: end,
  });
  const installing = new Installing({
    chain,
    store: chainStore,
    network,
    clock,
    verification,
    roster: decided.rosterNow,
    peersFor,
    isStranger,
    isIdle: () => committing.waiting === 0,
    flush: () => persisting.flush(),
    onInstalled,
    onHead: (header) => versionWatch.refuse(header),
    enqueue,
    onFatal: end,
  });
  const serving = new ServingQueue({
    serving: new Serving({ chain, store, snapshots, log }),
    standingOf: standings.of.bind(standings),
    clock,
  });
  return { sync, laterEpochs, announcing, snapshots, installing, serving };
}
