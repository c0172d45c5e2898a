import { Bodies } from '../effects/bodies.ts';
import { Committing } from '../effects/committing.ts';
import { Loading } from '../effects/loading.ts';
import { Persisting } from '../effects/persisting.ts';
import { Signer } from '../effects/signer.ts';
import { Validation } from '../effects/validation.ts';
import { epochSight } from '../effects/epoch-seen.ts';
import type { LastingOptions } from './options.ts';
import { end, type Loop } from './loop.ts';
import type { Ground } from './assemble-ground.ts';
import type { Peers } from './assemble-peers.ts';

/** What carries out the engine's effects on blocks and the disk. */
export function assembleEffects<M extends object>(
  { protocol, store, identity, uses }: LastingOptions<M>,
  { ports: { network, clock, chainStore }, enqueue }: Loop<M>,
  parts: Ground<M> &
    Peers<M> & { readonly onCommitted: ConstructorParameters<typeof Committing>[0]['onCommitted'] },
) {
  const { chain, mempool, clockWatch, versionWatch, verification, peersFor, onCommitted } = parts;
  const bodies = new Bodies({
    chain,
    network,
    clock,
    verification,
    pending: mempool.get.bind(mempool),
    arriving: (hash) => verification.transactions.underCheck(hash),
    peersFor,
  });
  const validation = new Validation({
    chain,
    bodies,
    clock,
    finalHashAt: store.hashAt.bind(store),
    proposerClockBinds: protocol.capabilities.proposerClockBinds,
    onEarly: (aheadMs) => clockWatch.early(aheadMs),
    onTimely: () => clockWatch.timely(),
    enqueue,
  });
  const signer = new Signer({ ...identity, records: store.logRecords });
  const persisting = new Persisting<M>({
    protocol,
    signer,
    chain,
    store: chainStore,
    enqueue,
    onFatal: end,
    ...(uses === undefined ? {} : { uses }),
  });
  const flush = (): void => persisting.flush();
  const committing = new Committing({
    chain,
    store: chainStore,
    mempool,
    bodies,
    clock,
    enqueue,
    onFatal: end,
    flush,
    onUnknownVersion: (header) => versionWatch.refuse(header),
    onCommitted,
    seesEpoch: epochSight(uses, clock),
  });
  const loading = new Loading({ chain, store, clock, enqueue });
  return { bodies, validation, signer, persisting, committing, loading };
}

export type Effects<M extends object> = ReturnType<typeof assembleEffects<M>>;
