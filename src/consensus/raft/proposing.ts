import { invariant } from '../../base/invariant.ts';
import { encode } from '../../base/codec.ts';
import { changesValidators, hashHeader, toHeight } from '../../ledger/block.ts';
import { leaderBytes, slotCodec } from '../../ledger/certificate.ts';
import type { Input } from '../engine.ts';
import { hasWork, highWatermark, isExpiryDue, isPaced, noteBuild } from '../shared/pacing.ts';
import { append, type Entry, lastHash, lastHeight } from './log.ts';
import { trace } from './outbox.ts';
import { ownIndex, type Replica, unappliedConfiguration } from './replica.ts';
import type { Leader, Making } from './state.ts';
import { diskStalls, write } from './writing.ts';
import { configurationHash, encodeConfiguration } from '../../ledger/members.ts';

/**
 * A leader starts at most one block at a time, on the last of its log, and sends it while the ones
 * before are on their way (up to the window). In its own term it first commits an empty one (section
 * 8), and takes transactions only when all it has is applied: a node that cut blocks on a guess has
 * forked chains elsewhere.
 */
export function maybeBuild(replica: Replica, role: Leader): void {
  const { state, options } = replica;
  if (role.partingUntil !== null) return;
  if (role.making !== null || state.executed < lastHeight(state.log) || diskStalls(replica)) return;
  if (role.first === null) {
    build(replica, role, { purpose: 'first', configuration: null });
    return;
  }
  if (state.applied >= lastHeight(state.log)) role.ready = true;
  if (!role.ready || role.transfer !== null) return;
  // Nothing goes above a change of the members until it is in force: the window drains.
  if (unappliedConfiguration(state, lastHeight(state.log)) !== null) return;
  if (role.nextConfiguration !== null) {
    build(replica, role, { purpose: 'configuration', configuration: role.nextConfiguration });
    return;
  }
  const due = isPaced(state.pacing, state.now, options.blockIntervalMs);
  if (hasWork(state.pacing) && due && hasRoom(replica)) {
    build(replica, role, { purpose: 'work', configuration: null });
  } else if (isExpiryDue(state.pacing, idleMs(replica))) {
    build(replica, role, { purpose: 'expiry', configuration: null });
  }
}

/** For how long nothing was begun, while all there is was applied. */
function idleMs({ state }: Replica): number {
  return state.applied < lastHeight(state.log) ? 0 : state.now - state.pacing.lastBuildAt;
}

/**
 * Flow control: blocks and bytes that are not final yet, and final ones that this node's
 * own disk has not stored.
 */
export function hasRoom({ state, options }: Replica): boolean {
  return (
    lastHeight(state.log) < highWatermark(state.commit, options.window) &&
    lastHeight(state.log) < highWatermark(state.applied, 2 * options.window) &&
    uncommittedBytes(state) < options.uncommittedBytes
  );
}

function uncommittedBytes(state: Replica['state']): number {
  let bytes = 0;
  for (let i = state.log.entries.length - 1; i >= 0; i--) {
    const entry = state.log.entries[i];
    if (entry === undefined || entry.header.height <= state.commit) break;
    bytes += entry.bytes;
  }
  return bytes;
}

function build(replica: Replica, role: Leader, what: Pick<Making, 'purpose' | 'configuration'>): void {
  const { state } = replica;
  const height = toHeight(lastHeight(state.log) + 1);
  const parentHash = lastHash(state.log);
  role.making = { parentHash, height, ...what, built: null };
  noteBuild(state.pacing, state.now);
  replica.out.push({
    type: 'build',
    parentHash,
    height,
    view: state.term,
    allowEmpty: what.purpose !== 'work',
    ...(what.purpose === 'work' ? {} : { mustBeEmpty: true }),
    ...(what.configuration === null ? {} : { nextValidatorsHash: configurationHash(what.configuration) }),
  });
}

/** A block was built: it needs the leader's signature before it can travel. */
export function onBuilt(
  replica: Replica,
  role: Leader,
  input: Extract<Input<never>, { readonly type: 'built' }>,
): void {
  const { state } = replica;
  const { making } = role;
  if (making === null || making.built !== null) return;
  if (input.parentHash !== making.parentHash || input.view !== state.term) return;
  if (input.proposal === null) {
    role.making = null;
    state.pacing.nothingToBuild = true;
    return;
  }
  state.pacing.wasFull = input.isFull ?? false;
  const { header } = input.proposal;
  const blockHash = hashHeader(header);
  invariant(
    header.height === making.height && header.parentHash === making.parentHash && header.view === state.term,
    'the block that was built is the one that was asked for',
  );
  making.built = { proposal: input.proposal, blockHash, bytes: input.bytes ?? 400 };
  const slot = { view: state.term, height: header.height, blockHash };
  replica.out.push({
    type: 'sign',
    message: {
      key: signingKey(replica, making),
      epoch: toHeight(0),
      view: state.term,
      floor: state.term,
      bytes: encode(slotCodec, slot),
      preimage: leaderBytes(replica.chainId, slot),
    },
  });
}

function signingKey({ state }: Replica, making: Making): string {
  return `raft/block/${state.term}/${making.height}`;
}

/**
 * The block enters the log. It is sent while this leader's own disk still writes it; it counts
 * itself only after (figure 2).
 */
export function onSigned(
  replica: Replica,
  role: Leader,
  input: Extract<Input<never>, { readonly type: 'signed' }>,
): void {
  const { state } = replica;
  const { making } = role;
  if (making === null || making.built === null || input.key !== signingKey(replica, making)) return;
  const { proposal, blockHash, bytes } = making.built;
  role.making = null;
  const configuration =
    making.configuration === null ? new Uint8Array() : encodeConfiguration(making.configuration);
  const changes = changesValidators(proposal.header);
  invariant(changes === configuration.length > 0, 'a header names the configuration that its block starts');
  const entry: Entry = {
    header: proposal.header,
    blockHash,
    leader: ownIndex(state),
    signature: input.signature,
    configuration,
    transactionHashes: proposal.transactionHashes,
    bytes,
  };
  append(state.log, entry);
  state.executed = lastHeight(state.log);
  role.first ??= entry.header.height;
  if (making.purpose === 'configuration') {
    role.nextConfiguration = null;
    if (state.change !== null) state.change.height = entry.header.height;
    trace(replica, 'configuration-proposed', { height: entry.header.height });
  }
  write(replica, { entries: [entry] });
}
