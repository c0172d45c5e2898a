import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { utf8 } from '../../src/base/bytes.ts';
import { InvariantError } from '../../src/base/invariant.ts';
import { Problem } from '../../src/base/problem.ts';
import type { Effect, Input, Unsigned } from '../../src/consensus/engine.ts';
import type { Protocol } from '../../src/consensus/protocol.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { toHeight, toView } from '../../src/ledger/block.ts';
import { type Logger, silentLog } from '../../src/node/process/log.ts';
import { proposalOf } from '../../src/ledger/block-body.ts';
import { ChainMaker } from './chain-maker.ts';
import { Cluster, signedTransaction, type TestNode } from './cluster.ts';

interface Text {
  readonly text: string;
}

type Reply = (input: Input<Text>) => readonly Effect<Text>[];

/** An engine that does what a test says, and remembers what it was given. */
class ScriptedEngine {
  readonly given: Input<Text>[] = [];
  reply: Reply = () => [];
  depth = 0;

  readonly protocol: Protocol<Text> = {
    engine: 'pbft',
    authentication: 'signature',
    capabilities: {
      proposerClockBinds: false,
      leaderTakesAll: false,
      membersVouch: false,
      censorshipMs: null,
      inFlightBytes: 0,
      makesSnapshots: false,
    },
    senderOf: () => 1,
    contradictionIn: () => null,
    partsIn: () => [],
    epochOf: () => toHeight(0),
    decode: (bytes) => ({ text: Buffer.from(bytes).toString('latin1') }),
    encode: ({ text }) => Buffer.from(text, 'latin1'),
    claims: () => ({ own: [] }),
    certificateClaims: () => [],
    snapshotRoster: (_certificate, roster) => roster,
    snapshotCertificate: (certificate) => certificate,
    start: () => ({
      step: (input) => {
        assert.equal(this.depth, 0, 'one input at a time');
        this.depth += 1;
        this.given.push(input);
        const effects = this.reply(input);
        this.depth -= 1;
        return effects;
      },
      wants: () => true,
      why: () => 'the script',
      status: () => ({
        engine: 'pbft',
        view: toView(0),
        finalHeight: toHeight(0),
        primary: 0,
        quorumContact: true,
        highestKnown: toHeight(0),
        inFlight: 0,
        voting: true,
        counters: {},
        waiting: { writes: 0, oldestWriteMs: 0, reads: 0 },
      }),
    }),
  };

  types(): string[] {
    return this.given.map(({ type }) => type).filter((type) => type !== 'tick' && type !== 'work');
  }

  last<T extends Input<Text>['type']>(type: T): Extract<Input<Text>, { type: T }> | undefined {
    return this.given.findLast((input) => input.type === type) as
      | Extract<Input<Text>, { type: T }>
      | undefined;
  }
}

async function world(log: Logger = silentLog) {
  const cluster = await Cluster.start(1);
  cluster.kill('validator-0');
  const engine = new ScriptedEngine();
  const node = await cluster.boot('validator-0', { protocol: engine.protocol, log });
  return { cluster, engine, node };
}

/** Has the engine give these effects once. */
function act(engine: ScriptedEngine, cluster: Cluster, ...effects: Effect<Text>[]): void {
  let done = false;
  engine.reply = () => {
    if (done) return [];
    done = true;
    return effects;
  };
  cluster.time.run(25);
}

const unsigned = (key: string, text: string): Unsigned => ({
  epoch: toHeight(0),
  key,
  view: toView(0),
  floor: toView(0),
  bytes: utf8(text),
  preimage: utf8(`about ${text}`),
});

const parentOf = (node: TestNode): Hash => node.driver.chain.final.hash;

describe('the driver executes what an engine asks for', () => {
  test('persists before it says so, and gives back what was signed', async () => {
    const { cluster, engine, node } = await world();
    act(engine, cluster, {
      type: 'persist',
      seq: 1,
      records: [{ key: 'position', value: utf8('here') }],
      sign: [unsigned('vote', 'yes')],
      blocks: [],
    });
    const persisted = engine.last('persisted');
    assert.deepEqual(persisted?.seq, 1);
    assert.ok(persisted?.signed[0]?.text.startsWith('yes'));
    assert.equal(persisted?.signed[0]?.text.length, 3 + 64);
    assert.deepEqual([...node.store.logRecords.keys()].toSorted(), ['position', 'vote']);
  });

  test('answers persists in their order, sharing writes', async () => {
    const { cluster, engine } = await world();
    const persist = (seq: number): Effect<Text> => ({
      type: 'persist',
      seq,
      records: [],
      sign: [],
      blocks: [],
    });
    const before = cluster.writes.get('validator-0') ?? 0;
    act(engine, cluster, persist(1), persist(2), persist(3));
    assert.equal(cluster.writes.get('validator-0'), before + 2, 'the first at once, the others together');
    const seqs = engine.given.flatMap((input) => (input.type === 'persisted' ? [input.seq] : []));
    assert.deepEqual(seqs, [1, 2, 3]);
  });

  const persistBlocks = (
    seq: number,
    blocks: readonly Hash[],
    forget: readonly Hash[] = [],
  ): Effect<Text> => ({
    type: 'persist',
    seq,
    records: [],
    sign: [],
    blocks,
    forget,
  });

  test('keeps a block that is cut off and comes back, also when one write does both', async () => {
    const { cluster, engine, node } = await world();
    const maker = new ChainMaker(cluster.genesis);
    const { hash, block } = maker.block(maker.start);
    const { chain } = node.driver;
    chain.add(block, { stored: false });
    act(engine, cluster, persistBlocks(1, [hash]));
    assert.ok(node.store.blockBytes(hash) !== undefined);
    engine.reply = () => {
      engine.reply = () => {
        engine.reply = () => [];
        return [persistBlocks(4, [hash])];
      };
      // The disk is busy with the second write when the block goes, and still when it comes back.
      return [
        persistBlocks(2, []),
        persistBlocks(3, [], [hash]),
        { type: 'validate', blockHash: hash, height: toHeight(1), proposal: proposalOf(block), holders: [] },
      ];
    };
    cluster.time.run(25);
    assert.equal(engine.last('persisted')?.seq, 4);
    assert.ok(node.store.blockBytes(hash) !== undefined, 'the log names it, so it is there after a restart');
    act(engine, cluster, persistBlocks(5, [], [hash]));
    assert.equal(node.store.blockBytes(hash), undefined);
    assert.equal(chain.get(hash), undefined, 'and memory does not keep it');
  });

  test('stores a block that memory lets go while the disk is busy', async () => {
    let crowd = (): void => {};
    const { cluster, engine, node } = await world({ ...silentLog, info: () => crowd() });
    const maker = new ChainMaker(cluster.genesis);
    const { hash, block } = maker.block(maker.start);
    const { chain } = node.driver;
    chain.add(block, { stored: false });
    crowd = () => {
      for (let timestamp = 1; timestamp <= limits.candidateBlocks; timestamp++) {
        chain.add(maker.block(maker.start, [], { timestamp }).block, { stored: false });
      }
    };
    const trace: Effect<Text> = { type: 'trace', event: 'others come', data: {} };
    act(engine, cluster, persistBlocks(1, []), persistBlocks(2, [hash]), trace);
    assert.equal(chain.get(hash), undefined);
    assert.equal(engine.last('persisted')?.seq, 2);
    assert.ok(node.store.blockBytes(hash) !== undefined);
  });

  test('builds, validates and commits', async () => {
    const { cluster, engine, node } = await world();
    cluster.submit('validator-0', signedTransaction(cluster.genesis, 'alice', { nonce: 0 }));
    cluster.time.run(10);
    const build = {
      type: 'build',
      parentHash: parentOf(node),
      height: toHeight(1),
      view: toView(0),
      allowEmpty: false,
    } as const;
    act(engine, cluster, build);
    const built = engine.last('built');
    assert.equal(built?.proposal?.transactionHashes.length, 1);
    const proposal = built?.proposal ?? null;
    assert.ok(proposal !== null);
    const [candidate] = [...node.driver.chain.candidates()];
    const blockHash = candidate?.hash ?? parentOf(node);
    act(engine, cluster, { type: 'validate', blockHash, height: toHeight(1), proposal, holders: [] });
    assert.equal(engine.last('validated')?.result.verdict, 'valid');
    const certificate = {
      engine: 'pbft',
      phase: 'commit',
      epoch: toHeight(0),
      view: toView(0),
      height: toHeight(1),
      blockHash,
      signatures: [],
    } as const;
    const link = { height: toHeight(1), blockHash, parentHash: parentOf(node), isLast: false };
    act(engine, cluster, { type: 'commit', link, certificate });
    assert.equal(engine.last('applied')?.height, 1);
    assert.equal(engine.last('work')?.work.executable, 0);
    assert.equal(node.store.finalHeight, 1);
    act(engine, cluster, {
      type: 'load',
      blocks: [1, 2].map((height) => ({ height: toHeight(height), blockHash: null })),
    });
    cluster.time.run(5);
    assert.deepEqual(engine.last('loaded')?.blocks, [
      { height: 1, block: { blockHash, proposal, certificate } },
      { height: 2, block: null },
    ]);
  });

  test('brings nothing final to disk before what was to be persisted before it', async () => {
    const { cluster, engine, node } = await world();
    const maker = new ChainMaker(cluster.genesis);
    const made = maker.block(maker.start);
    node.driver.chain.add(made.block, { stored: false });
    const record: Effect<Text> = {
      type: 'persist',
      seq: 2,
      records: [{ key: 'members', value: utf8('of the block') }],
      sign: [],
      blocks: [],
    };
    const link = { height: toHeight(1), blockHash: made.hash, parentHash: maker.start.hash, isLast: false };
    const { store } = node;
    const [persist, commitRun] = [store.persist.bind(store), store.commitRun.bind(store)];
    const order: string[] = [];
    store.persist = (request, done) => {
      order.push(request.records.map(({ key }) => key).join());
      persist(request, done);
    };
    store.commitRun = (requests, done) => {
      order.push('final');
      commitRun(requests, done);
    };
    // The first write is on its way, and the second waits for it.
    const certificate = maker.certificate(made);
    act(engine, cluster, persistBlocks(1, []), record, { type: 'commit', link, certificate });
    assert.deepEqual(order, ['', 'members', 'final']);
    assert.equal(engine.last('applied')?.height, 1);
    assert.equal(engine.last('persisted')?.seq, 2);
  });

  test('builds an empty block only when that is asked for', async () => {
    const { cluster, engine, node } = await world();
    const build = {
      type: 'build',
      parentHash: parentOf(node),
      height: toHeight(1),
      view: toView(0),
      allowEmpty: false,
    } as const;
    act(engine, cluster, build);
    assert.equal(engine.last('built')?.proposal, null);
    act(engine, cluster, { ...build, allowEmpty: true });
    assert.equal(engine.last('built')?.proposal?.transactionHashes.length, 0);
    cluster.submit('validator-0', signedTransaction(cluster.genesis, 'alice', { nonce: 0 }));
    cluster.time.run(10);
    act(engine, cluster, { ...build, mustBeEmpty: true });
    assert.equal(engine.last('built')?.proposal?.transactionHashes.length, 0);
  });

  test('builds on nothing that it does not have', async () => {
    const { cluster, engine } = await world();
    const parentHash = 'ab'.repeat(32) as Hash;
    act(engine, cluster, {
      type: 'build',
      parentHash,
      height: toHeight(1),
      view: toView(0),
      allowEmpty: true,
    });
    assert.equal(engine.last('built')?.proposal, null);
  });

  test('gives a block the time of its clock, and always a later one than its parent has', async () => {
    const { cluster, engine, node } = await world();
    const parent = node.driver.chain.final;
    const build = {
      type: 'build',
      parentHash: parent.hash,
      height: toHeight(1),
      view: toView(0),
      allowEmpty: true,
    } as const;
    act(engine, cluster, build);
    const { wallOffsetMs } = node.clock;
    const timestamp = engine.last('built')?.proposal?.header.timestamp ?? 0;
    assert.ok(timestamp >= wallOffsetMs && timestamp <= node.clock.wallMs());
    node.clock.wallOffsetMs = 0;
    act(engine, cluster, build);
    assert.equal(engine.last('built')?.proposal?.header.timestamp, parent.header.timestamp + 1);
  });

  test('signs at once where no record is needed', async () => {
    const { cluster, engine } = await world();
    act(engine, cluster, { type: 'sign', message: unsigned('block/1', 'mine') });
    assert.equal(engine.last('signed')?.key, 'block/1');
    assert.equal(engine.last('signed')?.signature.length, 128);
  });

  test('carries requests to it and answers back, each once', async () => {
    const { cluster, engine, node } = await world();
    engine.reply = (input) =>
      input.type === 'request'
        ? [{ type: 'answer', id: input.id, result: { height: toHeight(input.id) } }]
        : [];
    const answers: unknown[] = [];
    node.driver.request({ kind: 'read' }, (answer) => answers.push(answer));
    node.driver.request({ kind: 'read' }, (answer) => answers.push(answer));
    cluster.time.run(5);
    assert.deepEqual(answers, [{ height: 1 }, { height: 2 }]);
  });

  test('stores evidence once, and writes traces to the log', async () => {
    const lines: string[] = [];
    const log: Logger = {
      ...silentLog,
      info: (text) => void lines.push(text),
      warn: (text) => void lines.push(text),
    };
    const { cluster, engine, node } = await world(log);
    const evidence: Effect<Text> = {
      type: 'evidence',
      accused: 0,
      kind: 'double-vote',
      bytes: utf8('proof'),
    };
    act(engine, cluster, evidence, evidence, { type: 'trace', event: 'it happened', data: { view: 3 } });
    assert.equal(node.store.evidence.list().length, 1);
    assert.deepEqual(lines, ['a validator contradicted itself', 'it happened']);
  });

  test('says that it cannot fetch a snapshot, instead of leaving the engine waiting', async () => {
    const { cluster, engine } = await world();
    const snapshot = { height: toHeight(9), blockHash: 'ab'.repeat(32) as Hash };
    act(engine, cluster, { type: 'install', snapshot, holders: [] });
    cluster.time.run(10_000);
    assert.equal(engine.last('install-failed')?.height, 9);
  });
});

describe('the driver gives an engine', () => {
  test('the time, all the time', async () => {
    const { cluster, engine } = await world();
    engine.given.length = 0;
    cluster.time.run(1_000);
    const ticks = engine.given.flatMap((input) => (input.type === 'tick' ? [input.now] : []));
    assert.equal(ticks.length, 50);
    assert.deepEqual(
      ticks,
      ticks.toSorted((a, b) => a - b),
    );
  });

  test('the time first, when something else comes before the timer after a pause of the process', async () => {
    const { cluster, engine, node } = await world();
    cluster.time.run(100);
    engine.given.length = 0;
    node.clock.pausedMs = 10_000;
    node.driver.request({ kind: 'read' }, () => {});
    assert.deepEqual(
      engine.given.map((input) => (input.type === 'tick' ? input.now : input.type)),
      [node.clock.monotonicMs(), 'request'],
    );
  });

  test('the work that waits: one word for all that came at once, and again with every tick', async () => {
    const { cluster, engine } = await world();
    engine.given.length = 0;
    const batch = [0, 1, 2].map((nonce) => signedTransaction(cluster.genesis, 'alice', { nonce }));
    cluster.submit('validator-0', ...batch);
    cluster.time.runUntil(() => engine.last('work') !== undefined, 100);
    assert.deepEqual(engine.last('work')?.work.executable, 3);
    assert.equal(engine.given.filter(({ type }) => type === 'work').length, 1);
    cluster.time.run(100);
    assert.equal(engine.given.filter(({ type }) => type === 'work').length, 6);
  });

  test('one input at a time, and each effect before the next input, even when answers are immediate', async () => {
    const { cluster, engine, node } = await world();
    const order: string[] = [];
    let acted = false;
    engine.reply = (input) => {
      if (input.type === 'built') order.push(`built ${input.view}`);
      if (input.type !== 'tick' || acted) return [];
      acted = true;
      const build = (view: number): Effect<Text> => ({
        type: 'build',
        parentHash: parentOf(node),
        height: toHeight(1),
        view: toView(view),
        allowEmpty: true,
      });
      return [build(1), build(2), { type: 'trace', event: 'traced', data: {} }];
    };
    cluster.time.run(25);
    assert.deepEqual(order, ['built 1', 'built 2']);
  });
});

describe('the driver stops', () => {
  test('when the engine throws: a broken promise is not survived', async () => {
    const { cluster, engine, node } = await world();
    engine.reply = () => {
      throw new InvariantError('broken');
    };
    cluster.time.run(100);
    assert.equal(node.fatal.length, 1);
    assert.equal(engine.given.filter(({ type }) => type === 'tick').length <= 2, true);
  });

  test('when something breaks in a turn within another: nothing of the outer one is signed or written any more', async () => {
    const { cluster, engine, node } = await world();
    // Whoever listens gets a message in, and what takes it breaks. The listener's own failure would be nothing.
    node.driver.listeners.steppedDown.add(() =>
      node.driver.handlers.onGossip('evidence', new Uint8Array(), 'peer', () => {
        throw new InvariantError('broken');
      }),
    );
    act(
      engine,
      cluster,
      { type: 'sign', message: unsigned('loose', 'before') },
      { type: 'stepped-down', reason: 'test' },
      { type: 'persist', seq: 1, records: [], sign: [unsigned('vote', 'yes')], blocks: [] },
    );
    assert.deepEqual(node.fatal.map(String), ['InvariantError: broken']);
    assert.equal(engine.last('signed'), undefined, 'not even what was ready is given to the engine');
    assert.deepEqual([...node.store.logRecords.keys()], []);
  });

  test('when somebody stops it in the middle of a step: the rest of that step does not happen', async () => {
    const { cluster, engine, node } = await world();
    node.driver.listeners.steppedDown.add(() => node.driver.stop());
    act(
      engine,
      cluster,
      { type: 'stepped-down', reason: 'test' },
      { type: 'persist', seq: 1, records: [], sign: [unsigned('vote', 'yes')], blocks: [] },
    );
    assert.deepEqual([...node.store.logRecords.keys()], []);
  });

  test('when the engine wants to contradict what was signed', async () => {
    const { cluster, engine, node } = await world();
    const persist = (seq: number, text: string): Effect<Text> => ({
      type: 'persist',
      seq,
      records: [],
      sign: [unsigned('vote', text)],
      blocks: [],
    });
    act(engine, cluster, persist(1, 'yes'));
    act(engine, cluster, persist(2, 'no'));
    assert.ok(node.fatal[0] instanceof InvariantError);
    assert.equal(engine.last('persisted')?.seq, 1);
  });

  test('when a final block is not valid here', async () => {
    const { cluster, engine, node } = await world();
    const maker = new ChainMaker(cluster.genesis);
    const bad = maker.block(maker.start, [], { stateRoot: 'ab'.repeat(32) as Hash });
    node.driver.chain.add(bad.block, { stored: false });
    const link = { height: toHeight(1), blockHash: bad.hash, parentHash: maker.start.hash, isLast: false };
    act(engine, cluster, { type: 'commit', link, certificate: maker.certificate(bad) });
    assert.match(String(node.fatal[0]), /final block at height 1/);
    assert.equal(node.store.finalHeight, 0);
  });

  test('when a record cannot be written: what was signed is never given out', async () => {
    const { cluster, engine, node } = await world();
    cluster.failDisk('validator-0', 'records');
    act(engine, cluster, {
      type: 'persist',
      seq: 1,
      records: [],
      sign: [unsigned('vote', 'yes')],
      blocks: [],
    });
    assert.equal(engine.last('persisted'), undefined);
    assert.ok(node.fatal[0] instanceof Problem);
  });

  test('when a block cannot be written: it is not applied', async () => {
    const { cluster, engine, node } = await world();
    const maker = new ChainMaker(cluster.genesis);
    const made = maker.block(maker.start);
    node.driver.chain.add(made.block, { stored: false });
    cluster.failDisk('validator-0', 'blocks');
    const link = { height: toHeight(1), blockHash: made.hash, parentHash: maker.start.hash, isLast: false };
    act(engine, cluster, { type: 'commit', link, certificate: maker.certificate(made) });
    assert.equal(engine.last('applied'), undefined);
    assert.equal(node.driver.chain.final.height, 0);
    assert.ok(node.fatal[0] instanceof Problem);
  });

  test('when it is told to, and takes nothing more', async () => {
    const { cluster, engine, node } = await world();
    node.driver.stop();
    engine.given.length = 0;
    node.driver.submit([], () => assert.fail('no answer comes'));
    cluster.time.run(1_000);
    assert.deepEqual(engine.given, []);
    assert.ok(node.driver.handlers.onHello('peer', new Uint8Array()) instanceof Problem);
  });
});
