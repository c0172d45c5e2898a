import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode } from '../../src/base/codec.ts';
import type { Effect, Input, Verified } from '../../src/consensus/engine.ts';
import type { EngineStart } from '../../src/consensus/protocol.ts';
import { messageCodec } from '../../src/consensus/pbft/message-codec.ts';
import type { Draft, PbftMessage } from '../../src/consensus/pbft/message.ts';
import { toUnsigned } from '../../src/consensus/pbft/signing.ts';
import type { PbftState } from '../../src/consensus/pbft/state.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import type { PublicKey, Signature } from '../../src/crypto/signature.ts';
import { toHeight, toView } from '../../src/ledger/block.ts';
import { Breach } from '../../src/simulator/checkers/breach.ts';
import { DutyChecker } from '../../src/simulator/checkers/duties/duty-checker.ts';
import { VouchChecker } from '../../src/simulator/checkers/vouch-checker.ts';

const hash = (name: string): Hash => name.repeat(64).slice(0, 64) as Hash;
const genesis = hash('0');
const epoch = { chainId: hash('c'), epoch: toHeight(0), validatorsHash: hash('d') };
const signature = '00'.repeat(64) as Signature;
const timing = {
  window: 4,
  viewTimeoutMs: 300,
  viewTimeoutCapMs: 1_200,
  blocksPerPrimary: 0,
  heartbeatMs: 0,
  censorshipMs: 1_000,
  blockIntervalMs: 0,
};

interface Place {
  view: number;
  normal: boolean;
  final: number;
  /** The final block is the last of its epoch. */
  isLast: boolean;
  now: number;
}

/** Validator 1 of 4 under its duties, played by hand: it does what it is made to do. */
class Played {
  readonly place: Place = { view: 0, normal: true, final: 0, isLast: false, now: 5 };
  private readonly duties: DutyChecker;

  constructor(records: ReadonlyMap<string, Uint8Array> = new Map(), place: Partial<Place> = {}) {
    Object.assign(this.place, place);
    const start = { now: 0, records } as EngineStart;
    const committee = { epoch: 0, node: 1, self: 1, size: 4, timing, lying: new Set([3]) };
    this.duties = new DutyChecker(committee, start, this.state());
  }

  hears(message: Draft, ...effects: Effect<PbftMessage>[]): void {
    this.step({ type: 'message', message: signed(message) as Verified<PbftMessage>, direct: true }, effects);
  }

  ticks(now: number, ...effects: Effect<PbftMessage>[]): void {
    this.place.now = now;
    this.step({ type: 'tick', now }, effects);
  }

  step(input: Input<PbftMessage>, effects: readonly Effect<PbftMessage>[] = []): void {
    this.duties.step(input, effects, this.state());
  }

  private state(): PbftState {
    const { view, normal, final, isLast, now } = this.place;
    return {
      view,
      phase: { name: normal ? 'normal' : 'changing' },
      final: { height: final, blockHash: final === 0 ? genesis : hash(String(final)), isLast },
      appliedHeight: final,
      guard: { name: 'off' },
      now,
    } as unknown as PbftState;
  }
}

const signed = (draft: Draft): PbftMessage => ({ epoch: toHeight(0), ...draft, signature });
const unsigned = (draft: Draft) => toUnsigned(draft, epoch);

function slot(height: number, blockHash: Hash, from: number) {
  return { from, view: toView(0), height: toHeight(height), blockHash };
}

function proposal(height: number, blockHash: Hash, parentHash: Hash): Draft {
  const header = {
    height: toHeight(height),
    parentHash,
    view: toView(0),
    proposer: 'ab'.repeat(32) as PublicKey,
    timestamp: 1,
    protocolVersion: 1,
    transactionRoot: genesis,
    stateRoot: genesis,
    receiptsRoot: genesis,
    validatorsHash: genesis,
    nextValidatorsHash: genesis,
  };
  return { kind: 'pre-prepare', ...slot(height, blockHash, 0), proposal: { header, transactionHashes: [] } };
}

const validate = (height: number, blockHash: Hash): Effect<PbftMessage> =>
  ({ type: 'validate', blockHash, height: toHeight(height), proposal: null, holders: [] }) as const;
const persist = (...drafts: Draft[]): Effect<PbftMessage> =>
  ({ type: 'persist', seq: 1, records: [], sign: drafts.map(unsigned), blocks: [] }) as const;
const statusTo = (to: 'all' | number[], final = 0): Effect<PbftMessage> => ({
  type: 'post',
  to,
  message: unsigned({
    kind: 'status',
    from: 1,
    view: toView(0),
    changing: false,
    finalHeight: toHeight(final),
    finalCertificate: undefined,
  }),
});
const valid = (height: number, blockHash: Hash, parentHash: Hash): Input<PbftMessage> => ({
  type: 'validated',
  blockHash,
  result: { verdict: 'valid', chain: [{ isLast: false, height: toHeight(height), blockHash, parentHash }] },
});
const status = (from: number, final: number, view = 0): Draft => ({
  kind: 'status',
  from,
  view: toView(view),
  changing: false,
  finalHeight: toHeight(final),
  finalCertificate: undefined,
});
/** Opens view 1 with block a, which was prepared in view 0. */
const newView: Draft = {
  kind: 'new-view',
  from: 1,
  view: toView(1),
  viewChanges: [0, 1, 2].map((from) => ({
    epoch: toHeight(0),
    kind: 'view-change',
    from,
    view: toView(1),
    finalHeight: toHeight(0),
    finalCertificate: undefined,
    highest: {
      phase: 'prepare',
      epoch: toHeight(0),
      view: toView(0),
      height: toHeight(1),
      blockHash: hash('a'),
      signatures: [],
    },
    signature,
  })),
};
const entered: Effect<PbftMessage> = {
  type: 'persist',
  seq: 2,
  records: ['position', 'accepted-new-view'].map((key) => ({ key, value: new Uint8Array() })),
  sign: [],
  blocks: [],
};
let suspects = 0;
const suspect = (from: number, view = 0): Draft => ({
  kind: 'suspect',
  from,
  view: toView(view),
  reason: 'no-progress',
  height: toHeight(1),
  sequence: ++suspects,
});

function neglects(words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof Breach && error.guarantee === 'duty' && words.test(error.message);
}

describe('the duties of one replica', () => {
  test('a proposal of an honest primary is looked at, and a valid one is prepared', () => {
    const lazy = new Played();
    assert.throws(() => lazy.hears(proposal(1, hash('a'), genesis)), neglects(/does not look at/));
    const silent = new Played();
    silent.hears(proposal(1, hash('a'), genesis), validate(1, hash('a')));
    assert.throws(() => silent.step(valid(1, hash('a'), genesis)), neglects(/does not prepare/));
    const good = new Played();
    good.hears(proposal(1, hash('a'), genesis), validate(1, hash('a')));
    good.step(valid(1, hash('a'), genesis), [persist({ kind: 'prepare', ...slot(1, hash('a'), 1) })]);
  });

  test('a block that nobody could supply is asked for again', () => {
    const replica = new Played();
    replica.hears(proposal(1, hash('a'), genesis), validate(1, hash('a')));
    replica.step({ type: 'validated', blockHash: hash('a'), result: { verdict: 'unavailable', reason: '' } });
    replica.ticks(500, statusTo('all'));
    assert.throws(() => replica.ticks(600, statusTo('all')), neglects(/does not ask again/));
  });

  test('a block of before a restart that is too early for the clock here is valid all the same, and is in the next view', () => {
    const early: Input<PbftMessage> = {
      type: 'validated',
      blockHash: hash('a'),
      result: {
        verdict: 'early',
        chain: [{ isLast: false, height: toHeight(1), blockHash: hash('a'), parentHash: genesis }],
        aheadMs: 900,
      },
    };
    const voted = signed({ kind: 'prepare', ...slot(1, hash('a'), 1) });
    const next = { ...slot(1, hash('a'), 1), view: toView(1) };
    const restarted = (...result: Input<PbftMessage>[]): Played => {
      const replica = new Played(new Map([['prepare/0/0/1', encode(messageCodec, voted)]]));
      replica.ticks(20, validate(1, hash('a')), statusTo('all'));
      for (const each of result) replica.step(each);
      replica.place.view = 1;
      return replica;
    };
    restarted(early).hears(newView, entered, persist({ kind: 'prepare', ...next }));
    assert.throws(() => restarted(early).hears(newView, entered), neglects(/does not prepare the valid/));
    assert.throws(() => restarted().hears(newView, entered), neglects(/does not look at/));
  });

  test('a Commit that came to the disk after its view was left is none after a restart, either', () => {
    const own = signed({ kind: 'commit', ...slot(1, hash('a'), 1) });
    const restarted = (view: number): Played => {
      const replica = new Played(new Map([['commit/0/0/1', encode(messageCodec, own)]]), { view });
      replica.ticks(20, validate(1, hash('a')), statusTo('all'));
      for (const from of [0, 2]) replica.hears({ kind: 'commit', ...slot(1, hash('a'), from) });
      return replica;
    };
    restarted(1).step(valid(1, hash('a'), genesis));
    // In its own view it counts, and is the third of a quorum.
    const vote = persist({ kind: 'prepare', ...slot(1, hash('a'), 1) });
    assert.throws(
      () => restarted(0).step(valid(1, hash('a'), genesis), [vote]),
      neglects(/holds a quorum of commits/),
    );
  });

  test('what is prepared stands on what was accepted below', () => {
    const replica = new Played();
    replica.hears(proposal(1, hash('a'), genesis), validate(1, hash('a')));
    replica.step(valid(1, hash('a'), genesis), [persist({ kind: 'prepare', ...slot(1, hash('a'), 1) })]);
    const sibling = [
      { height: toHeight(1), blockHash: hash('b'), parentHash: genesis, isLast: false },
      { height: toHeight(2), blockHash: hash('e'), parentHash: hash('b'), isLast: false },
    ];
    const crossed: Input<PbftMessage> = {
      type: 'validated',
      blockHash: hash('e'),
      result: { verdict: 'valid', chain: sibling },
    };
    assert.throws(
      () => replica.step(crossed, [persist({ kind: 'prepare', ...slot(2, hash('e'), 1) })]),
      neglects(/on a parent that it did not accept/),
    );
  });

  test('a Status is answered: with the final block, and with the own votes whatever its view is', () => {
    const behind = new Played();
    behind.place.final = 2;
    behind.ticks(10, statusTo('all', 2));
    assert.throws(() => behind.hears(status(2, 1)), neglects(/does not tell validator 2/));
    for (const view of [0, 3]) {
      const replica = new Played();
      replica.hears(proposal(1, hash('a'), genesis), validate(1, hash('a')));
      const prepare = { kind: 'prepare', ...slot(1, hash('a'), 1) } as const;
      replica.step(valid(1, hash('a'), genesis), [persist(prepare)]);
      const sent = signed(prepare);
      replica.step({ type: 'persisted', seq: 1, signed: [sent] }, [
        { type: 'send', to: 'all', message: sent },
      ]);
      assert.throws(() => replica.hears(status(2, 0, view)), neglects(/does not answer validator 2/));
    }
  });

  test('a Status whose sender showed that it is further need not be answered when somebody else brings it', () => {
    const vote = (height: number, view: number): Draft => ({
      kind: 'prepare',
      ...slot(height, hash('a'), 2),
      view: toView(view),
    });
    const told = (direct: boolean, further?: Draft): void => {
      const replica = new Played();
      replica.place.final = 2;
      replica.ticks(10, statusTo('all', 2));
      if (further !== undefined) replica.hears(further);
      const message = signed(status(2, 1)) as Verified<PbftMessage>;
      replica.step({ type: 'message', message, direct });
    };
    const later = vote(3, 1);
    told(false, later);
    assert.throws(() => told(true, later), neglects(/does not tell validator 2/));
    assert.throws(() => told(false), neglects(/does not tell validator 2/));
    // Nobody votes more than a window above what is final at its place.
    told(false, vote(1 + timing.window + 1, 0));
    assert.throws(() => told(false, vote(1 + timing.window, 0)), neglects(/does not tell validator 2/));
  });

  test('a view is left when f + 1 suspect it, and not alone', () => {
    const patient = new Played();
    patient.hears(suspect(2));
    assert.throws(
      () => {
        patient.ticks(1_100, statusTo('all'));
        patient.hears(suspect(2));
        patient.place.now = 1_300;
        patient.hears(suspect(0));
      },
      neglects(/stays in view 0/),
    );
    const hasty = new Played();
    hasty.hears(suspect(2));
    hasty.place.view = 1;
    hasty.place.normal = false;
    assert.throws(() => hasty.ticks(20), neglects(/leaves view 0 for 1, with 1 of 2 against it/));
  });

  test('nobody is suspected before its time, and everybody after it', () => {
    const post = (): Effect<PbftMessage> => ({ type: 'post', to: 'all', message: unsigned(suspect(1)) });
    const hasty = new Played();
    assert.throws(() => hasty.ticks(100, post()), neglects(/after 100 of 300 ms/));
    const patient = new Played();
    const work = { executable: 1, oldestSince: 0, passedOverSince: null };
    patient.step({ type: 'work', work });
    patient.ticks(700, statusTo('all'));
    assert.throws(() => patient.ticks(900, statusTo('all')), neglects(/does not suspect its primary/));
  });

  test('who stood still suspects nobody before it reads what came meanwhile', () => {
    const post = (): Effect<PbftMessage> => ({ type: 'post', to: 'all', message: unsigned(suspect(1)) });
    for (const [wokeAt, suspectsAt, isHasty] of [
      [700, 700, true],
      [700, 980, true],
      [700, 1_000, false],
    ] as const) {
      const played = new Played();
      played.ticks(200);
      played.place.now = wokeAt;
      const woke = (...effects: Effect<PbftMessage>[]): void =>
        played.step({ type: 'tick', now: wokeAt, lateMs: wokeAt - 220 }, [statusTo('all'), ...effects]);
      const say = (): void => {
        if (suspectsAt === wokeAt) return woke(post());
        woke();
        played.ticks(suspectsAt, post());
      };
      if (isHasty) assert.throws(say, neglects(/before it reads what came while it stood still/));
      else say();
    }
  });

  test('a block that was voted for and is not final is work, too, from the first tick on', () => {
    const patient = new Played();
    patient.hears(proposal(1, hash('a'), genesis), validate(1, hash('a')));
    patient.step(valid(1, hash('a'), genesis), [persist({ kind: 'prepare', ...slot(1, hash('a'), 1) })]);
    patient.ticks(400, statusTo('all'));
    patient.ticks(1_100, statusTo('all'));
    assert.throws(() => patient.ticks(1_250, statusTo('all')), neglects(/does not suspect its primary/));
  });

  test('a view that was left without a ViewChange, for a lost log, counts as one that failed', () => {
    const left: Effect<PbftMessage> = { type: 'trace', event: 'leave-view', data: { view: 0 } };
    for (const failed of [[left], []]) {
      const replica = new Played();
      replica.hears(suspect(2));
      Object.assign(replica.place, { view: 1, normal: false });
      replica.hears(suspect(0), ...failed);
      replica.place.normal = true;
      replica.hears(newView, entered, validate(1, hash('a')));
      replica.hears(suspect(2, 1));
      const stays = (): void => replica.hears(suspect(0, 1));
      // One of four lies, so one view is left in haste; the next one has its time.
      if (failed.length > 0) stays();
      else assert.throws(stays, neglects(/stays in view 1, which 2 suspect/));
    }
  });

  test('where one stands is said again and again', () => {
    const replica = new Played();
    replica.ticks(1_900);
    assert.throws(() => replica.ticks(2_100), neglects(/said for 2100 ms not where it stands/));
  });

  test('it is said often while something is unfinished, but not while only the own disk lacks, to begin an epoch', () => {
    const work = { executable: 1, oldestSince: 0, passedOverSince: null };
    for (const isLast of [true, false]) {
      const replica = new Played();
      replica.step({ type: 'work', work });
      Object.assign(replica.place, { final: 1, isLast });
      replica.ticks(100, statusTo('all', 1));
      const silent = (): void => replica.ticks(700);
      if (isLast) silent();
      else assert.throws(silent, neglects(/is stuck and said for 600 ms not where it stands/));
      if (isLast) assert.throws(() => replica.ticks(2_200), neglects(/said for 2100 ms not where it stands/));
    }
  });
});

describe('what a message vouches for', () => {
  const prepare = signed({ kind: 'prepare', ...slot(2, hash('b'), 1) });
  const links = new Map([
    [hash('a'), { height: 1, parentHash: genesis }],
    [hash('b'), { height: 2, parentHash: hash('a') }],
  ]);
  const sent: Effect<PbftMessage>[] = [{ type: 'send', to: 'all', message: prepare }];

  function look(names: readonly string[], final = 0): void {
    const text = new TextDecoder();
    new VouchChecker({
      node: 1,
      self: 1,
      onDisk: (key) => {
        const name =
          key[0] === 8 ? text.decode(key.subarray(1)) : Buffer.from(key.subarray(1)).toString('hex');
        if (!names.includes(name)) return undefined;
        return Buffer.concat([Buffer.alloc(4), encode(messageCodec, prepare)]);
      },
      linkOf: (blockHash) => links.get(blockHash),
      finalHeight: () => final,
      tip: () => undefined,
    }).look(sent);
  }

  test('a Prepare leaves when it is on disk, with its block and all ancestors that are not final', () => {
    const lacks = (words: RegExp) => (error: unknown) =>
      error instanceof Breach && error.guarantee === 'durability' && words.test(error.message);
    look(['prepare/0/0/2', hash('b'), hash('a')]);
    look(['prepare/0/0/2', hash('b')], 1);
    assert.throws(() => look([hash('b'), hash('a')]), lacks(/which is not on its disk/));
    assert.throws(() => look(['prepare/0/0/2', hash('b')]), lacks(/of height 1 is not on its disk/));
    assert.throws(() => look(['prepare/0/0/2', hash('a')]), lacks(/of height 2 is not on its disk/));
  });
});
