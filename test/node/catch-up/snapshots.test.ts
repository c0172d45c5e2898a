import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from '../../../src/base/codec.ts';
import { limits } from '../../../src/base/limits.ts';
import { unwrap } from '../../../src/base/problem.ts';
import { type Height, toHeight } from '../../../src/ledger/block.ts';
import { finalityCodec } from '../../../src/ledger/certificate.ts';
import type { State } from '../../../src/ledger/state.ts';
import { Snapshots } from '../../../src/node/catch-up/snapshots.ts';
import type { FinalBlock } from '../../../src/node/effects/chain.ts';
import {
  checksummedPartCodec,
  type SnapshotPart,
  snapshotPartCodec,
  snapshotRequestCodec,
} from '../../../src/node/peers/wire.ts';
import { ChainMaker } from '../chain-maker.ts';
import { testGenesis } from '../cluster.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const maker = new ChainMaker(testGenesis(4));
const run = maker.run(60).map((made) => ({ ...made, height: made.header.height }));

/** A node that makes a snapshot each ten blocks, and then keeps two more blocks. */
function world({
  partBytes = limits.snapshotPartBytes,
  begins = toHeight(1),
}: { partBytes?: number; begins?: Height } = {}) {
  const time = new VirtualTime();
  /** Its snapshots’ states, as far as it was asked for them. */
  const kept: State[] = [];
  const final = ({ height, hash, header, state }: FinalBlock): FinalBlock => {
    const own = state.share();
    const share = own.share.bind(own);
    own.share = () => {
      const shared = share();
      kept.push(shared);
      return shared;
    };
    return { height, hash, header, state: own };
  };
  const chain = { final: final(maker.start) };
  let firstBlock = begins;
  const snapshots = new Snapshots({
    chain,
    store: {
      certificateAt: () => encode(finalityCodec, maker.certificate(maker.start)),
      get firstBlock(): Height {
        return firstBlock;
      },
      prune: ({ keepFrom }, done) => {
        firstBlock = keepFrom;
        done(undefined);
      },
    },
    clock: time.clock(),
    complete: (certificate) => certificate,
    partBytes,
    enqueue: () => undefined,
    onFatal: (problem) => assert.fail(problem),
  });
  const at = (height: number) => run[height - 1] ?? assert.fail('a block');
  return {
    time,
    /** A part of the snapshot of that height, behind a key. */
    partOf: (height: number, after?: Uint8Array): SnapshotPart => {
      const request = encode(snapshotRequestCodec, { kind: 'part', blockHash: at(height).hash, after });
      const checksummed = decode(
        checksummedPartCodec,
        snapshots.serve(request) ?? assert.fail('a part'),
        'part',
      );
      return unwrap(decode(snapshotPartCodec, unwrap(checksummed).part, 'part'));
    },
    firstBlock: () => firstBlock,
    /** The next block is final: the chain lets go of the state that it had. */
    goOn: (): void => chain.final.state.release(),
    snapshotAt: (height: number): void => {
      chain.final = final(at(height));
      snapshots.compact({ type: 'compact', height: toHeight(height), keepFrom: toHeight(height - 2) });
    },
    /** How many states it holds beside the chain’s. */
    statesHeld: (): number => kept.filter(isHeld).length,
    servesAt: (height: number): boolean => {
      const request = { kind: 'part', blockHash: at(height).hash, after: undefined } as const;
      return snapshots.serve(encode(snapshotRequestCodec, request)) !== null;
    },
  };
}

function isHeld(state: State): boolean {
  try {
    return [...state.entries()].length > 0;
  } catch {
    return false;
  }
}

test('a start keeps its state only where blocks are missing: nobody asks for it elsewhere, and it would stay for ever', () => {
  assert.equal(world().statesHeld(), 0);
  assert.equal(world({ begins: toHeight(5) }).statesHeld(), 1);
});

test('a snapshot that is served no more gives its state back at once', () => {
  const { snapshotAt, statesHeld } = world();
  for (const height of [10, 20, 30, 40]) snapshotAt(height);
  assert.equal(statesHeld(), limits.snapshotsServed);
});

test('a snapshot that somebody fetches slowly stays, and the blocks above it, until that ends', () => {
  const { time, firstBlock, snapshotAt, servesAt } = world();
  for (const height of [10, 20, 30, 40, 50]) {
    snapshotAt(height);
    time.run(limits.snapshotFetchMs / 2);
    assert.ok(servesAt(10), `the first one after the one of ${height}`);
    assert.ok(firstBlock() <= 11, 'who has it goes on from there');
  }
  time.run(limits.snapshotFetchMs);
  snapshotAt(60);
  assert.ok(!servesAt(10));
  assert.ok(firstBlock() <= 11, 'in this turn clients may still be told of what just became final');
  time.run(1);
  assert.equal(firstBlock(), 58);
});

test('nobody keeps a snapshot for ever by asking for a part of it now and then', () => {
  const { time, firstBlock, snapshotAt, servesAt } = world();
  // It may be old before there is a newer one.
  snapshotAt(10);
  time.run(2 * limits.snapshotKeptMs);
  assert.ok(servesAt(10));
  snapshotAt(20);
  const askedUntil = time.now + limits.snapshotKeptMs;
  snapshotAt(30);
  snapshotAt(40);
  for (; time.now < askedUntil; time.run(limits.snapshotFetchMs / 2)) assert.ok(servesAt(10));
  snapshotAt(50);
  assert.ok(!servesAt(10));
  time.run(1);
  assert.equal(firstBlock(), 48);
});

test('the snapshots that are kept for somebody are few', () => {
  const { snapshotAt, servesAt } = world();
  for (const height of [10, 20, 30, 40, 50, 60]) {
    snapshotAt(height);
    assert.ok(servesAt(height));
  }
  const served = [10, 20, 30, 40, 50, 60].filter(servesAt);
  assert.equal(served.length, limits.snapshotsServed + limits.snapshotsFetched);
});

test('one that is taken twice is kept once: it takes no place from another', () => {
  const { snapshotAt, servesAt } = world();
  for (const height of [10, 20, 20]) snapshotAt(height);
  assert.ok(servesAt(10) && servesAt(20));
});

test('a part holds at least one entry, however large that is, and all of them together the state', () => {
  const { snapshotAt, partOf } = world({ partBytes: 1 });
  snapshotAt(10);
  const keys: Uint8Array[] = [];
  for (let last = false; !last;) {
    const part = partOf(10, keys.at(-1));
    assert.equal(part.entries.length, 1);
    keys.push(...part.entries.map(({ key }) => key));
    last = part.last;
  }
  const state = [...(run[9] ?? assert.fail('a block')).state.entries()];
  assert.ok(keys.length > 1);
  assert.deepEqual(
    keys,
    state.map(([key]) => key),
  );
});

test('a snapshot has its state for itself, whatever becomes of the chain’s', () => {
  const { snapshotAt, goOn, partOf } = world();
  snapshotAt(10);
  goOn();
  assert.ok(partOf(10).entries.length > 0);
});
