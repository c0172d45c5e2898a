import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decode, encode } from '../../../src/base/codec.ts';
import { limits } from '../../../src/base/limits.ts';
import { defined } from '../../../src/base/invariant.ts';
import { Problem, unwrap } from '../../../src/base/problem.ts';
import type { Input, Verified } from '../../../src/consensus/engine.ts';
import { hashBytes } from '../../../src/crypto/hash.ts';
import type { PublicKey } from '../../../src/crypto/signature.ts';
import { hashHeader, type Height, toHeight } from '../../../src/ledger/block.ts';
import { type FinalityCertificate, finalityCodec } from '../../../src/ledger/certificate.ts';
import { State } from '../../../src/ledger/state.ts';
import { encodeNamespaceRules } from '../../../src/ledger/namespace.ts';
import {
  accountStateKey,
  encodeAccount,
  encodeRecord,
  namespaceStateKey,
  recordStateKey,
  noAccount,
} from '../../../src/ledger/state-entry.ts';
import { Chain, type FinalBlock } from '../../../src/node/effects/chain.ts';
import { Installing } from '../../../src/node/catch-up/installing.ts';
import { restore } from '../../../src/node/effects/restore.ts';
import { checksummedPart, Snapshots } from '../../../src/node/catch-up/snapshots.ts';
import {
  checksummedPartCodec,
  type SnapshotPart,
  snapshotPartCodec,
  snapshotRequestCodec,
} from '../../../src/node/peers/wire.ts';
import { ChainStore } from '../../../src/storage/chain-store.ts';
import { MemoryStore } from '../../../src/storage/memory-store.ts';
import { ChainMaker } from '../chain-maker.ts';
import { testGenesis } from '../cluster.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const maker = new ChainMaker(testGenesis(4));
const { chainId } = maker.genesis;

const longName = 'é'.repeat(60);

/** Enough for several parts: accounts, and records of the largest size, most of them in a namespace. */
function largeState(salt: number): State {
  const accounts = Array.from({ length: 200 }, (_, index) => {
    const key = (index * 7 + salt).toString(16).padStart(64, '0') as PublicKey;
    return {
      key: accountStateKey(key),
      value: encodeAccount({ ...noAccount, balance: BigInt(index + 1), nonce: index }),
    };
  });
  const owner = 'ab'.repeat(32) as PublicKey;
  const records = Array.from({ length: 180 }, (_, index) => ({
    key: recordStateKey(index % 3 === 0 ? `plain ${index}` : `${longName}/${index}`),
    value: encodeRecord({
      type: 'record',
      owner,
      value: new Uint8Array(4_096).fill(salt),
      version: 1,
      changed: { height: toHeight(1), transaction: 0, operation: index },
      previous: undefined,
    }),
  }));
  const namespaces = [longName, 'empty'].map((name) => ({
    key: namespaceStateKey(name),
    value: encodeNamespaceRules({ owner, mode: 'open', writers: [] }),
  }));
  return State.empty.with([...accounts, ...records, ...namespaces]);
}

/** A final block far above, with this state after it. */
function finalAt(height: number, state: State): FinalBlock {
  const { header } = maker.block(maker.start, [], { height: toHeight(height), stateRoot: state.root });
  return { height: toHeight(height), hash: hashHeader(header), header, state };
}

const far = finalAt(1_000, largeState(1));
const name = { height: far.height, blockHash: far.hash };

type Server = (request: Uint8Array) => Uint8Array | null;

function honest(final: FinalBlock): Server {
  const certificate = encode(finalityCodec, maker.certificate(final));
  const snapshots = new Snapshots({
    chain: { final },
    store: {
      certificateAt: () => certificate,
      firstBlock: final.height,
      prune: () => assert.fail('nothing is pruned'),
    },
    clock: new VirtualTime().clock(),
    complete: (certificate) => certificate,
    partBytes: limits.snapshotPartBytes,
    enqueue: () => undefined,
    onFatal: (problem) => {
      throw problem;
    },
  });
  return (request) => snapshots.serve(request);
}

/** Changes the answers to requests for parts. */
function twisting(twist: (part: SnapshotPart) => Uint8Array | null): Server {
  const server = honest(far);
  return (request) => {
    const response = server(request);
    if (unwrap(decode(snapshotRequestCodec, request, 'request')).kind === 'head' || response === null)
      return response;
    const checksummed = unwrap(decode(checksummedPartCodec, response, 'part'));
    return twist(unwrap(decode(snapshotPartCodec, checksummed.part, 'part')));
  };
}

const checksummed = (part: SnapshotPart): Uint8Array => encode(checksummedPartCodec, checksummedPart(part));

/** A node at genesis that is told to install, and the peers it asks. */
class World {
  readonly time = new VirtualTime();
  readonly disk = new Map<string, Uint8Array>();
  readonly given: Input<never>[] = [];
  readonly faults: { peer: string; reason: string }[] = [];
  readonly asked: { peer: string; kind: string }[] = [];
  servers: Record<string, Server> = {};
  /** How long each takes to answer; 1 ms unless it is said. */
  readonly delaysMs: Record<string, number> = {};
  readonly strangers = new Set<string>();
  idle = true;
  /** What is done to the disk before the state is final there. */
  readonly steps: string[] = [];
  /** What is wrong with the next certificates. */
  readonly forged: Problem[] = [];
  chain = maker.chain();
  #booted: { readonly store: ChainStore; readonly installing: Installing } | undefined;

  static async start(servers: Record<string, Server>): Promise<World> {
    const world = new World();
    world.servers = servers;
    await world.boot();
    return world;
  }

  get store(): ChainStore {
    return defined(this.#booted, 'a booted node').store;
  }

  /** As after a crash: only what is on disk is left. */
  async boot(): Promise<void> {
    const { time, disk } = this;
    const store = await time.settle(ChainStore.open(new MemoryStore(time.defer, disk), { chainId }));
    const { final } = await time.settle(restore(store, maker.genesis));
    this.chain = new Chain({ genesis: maker.genesis, final });
    const peers = (): string[] => Object.keys(this.servers);
    const installing = new Installing({
      chain: this.chain,
      store: {
        snapshot: store.snapshot,
        install: (...request: Parameters<ChainStore['install']>) => {
          this.steps.push('install');
          store.install(...request);
        },
      },
      clock: time.clock(),
      network: {
        request: (peer, protocol, bytes, done) => {
          assert.equal(protocol, 'snapshot');
          this.asked.push({ peer, kind: unwrap(decode(snapshotRequestCodec, bytes, 'request')).kind });
          const response = this.servers[peer]?.(bytes) ?? null;
          time.after(this.delaysMs[peer] ?? 1, () =>
            done(response ?? new Problem('network/refused', 'no', { remedy: 'Ask another.' })),
          );
        },
      },
      verification: {
        fault: (peer, reason) => void this.faults.push({ peer, reason }),
        snapshotCertificate: (certificate, _members, done) =>
          time.defer(() => done(this.forged.shift() ?? (certificate as Verified<FinalityCertificate>))),
      },
      roster: () => ({ keys: [], epoch: toHeight(0) }),
      peersFor: peers,
      isStranger: (peer) => this.strangers.has(peer),
      isIdle: () => this.idle,
      flush: () => void this.steps.push('flush'),
      onInstalled: (installed) => this.chain.install(installed),
      enqueue: (input) => void this.given.push(input),
      onHead: () => {},
      onFatal: (problem) => {
        throw problem;
      },
    });
    this.#booted = { store, installing };
  }

  get installing(): Installing {
    return defined(this.#booted, 'a booted node').installing;
  }

  install(snapshot = name): string {
    const before = this.given.length;
    this.installing.install({ type: 'install', snapshot, holders: [0] });
    const outcome = () => this.given.slice(before).find(({ type }) => type !== 'installing');
    assert.ok(this.time.runUntil(() => outcome() !== undefined, 60_000));
    return outcome()?.type ?? '';
  }

  parts(): number {
    return this.asked.filter(({ kind }) => kind === 'part').length;
  }

  reasons(): string[] {
    return this.faults.map(({ reason }) => reason);
  }
}

describe('a snapshot', () => {
  test('comes in parts, becomes the final state in one batch, and is there after a restart', async () => {
    const world = await World.start({ a: honest(far) });
    assert.equal(world.install(), 'installed');
    assert.ok(world.parts() >= 3);
    assert.equal(world.chain.final.hash, far.hash);
    const progress = world.given.flatMap((input) => (input.type === 'installing' ? [input.received] : []));
    assert.equal(progress.at(-1), 65_536);
    assert.ok(
      progress.length >= 3 && progress.every((at, index) => index === 0 || at >= (progress[index - 1] ?? 0)),
    );

    await world.boot();
    assert.equal(world.chain.final.hash, far.hash);
    assert.equal(world.chain.final.state.root, far.header.stateRoot);
    assert.equal(world.store.firstBlock, 1_001);
    assert.equal(world.store.headerAt(999 as Height), undefined);
    assert.equal(world.store.blockBytesAt(1_000 as Height), undefined);
    assert.ok(world.store.certificateAt(far.height));
    assert.ok(world.store.headerAt(0 as Height));
    assert.equal(world.store.snapshot.head(), undefined, 'the parts are gone');
    assert.deepEqual(world.faults, []);
  });

  test('is asked of no stranger, however slow the others are: a lie shows only at the end', async () => {
    const wrong = twisting((part) => checksummed({ ...part, entries: part.entries.slice(1) }));
    const world = await World.start({ slow: honest(far), stranger: wrong });
    world.strangers.add('stranger');
    world.delaysMs['slow'] = 2 * limits.fetchHedgeMs;
    assert.equal(world.install(), 'installed');
    assert.deepEqual(new Set(world.asked.map(({ peer }) => peer)), new Set(['slow']));

    // Where there are only strangers nothing is begun.
    const alone = await World.start({ stranger: honest(far) });
    alone.strangers.add('stranger');
    assert.equal(alone.install(), 'install-failed');
    assert.deepEqual(alone.asked, []);
  });

  test('changes what it has in common with the state before, and takes out what it has not', async () => {
    const [first, second] = [...maker.start.state.entries()].map(([key]) => key);
    const state = maker.start.state.with([
      { key: defined(first, 'a key'), value: encodeAccount({ ...noAccount, balance: 1n, nonce: 7 }) },
      { key: defined(second, 'a key'), value: null },
    ]);
    const final = finalAt(1_000, state);
    const world = await World.start({ a: honest(final) });
    assert.equal(world.install({ height: final.height, blockHash: final.hash }), 'installed');
    await world.boot();
    assert.equal(world.chain.final.state.root, state.root);
    assert.deepEqual([...world.chain.final.state.entries()], [...state.entries()]);
  });

  test('that was cut off goes on where it was, also after a restart', async () => {
    let parts = 0;
    const server = honest(far);
    const breaking: Server = (request) => {
      const wanted = unwrap(decode(snapshotRequestCodec, request, 'request'));
      if (wanted.kind === 'part' && ++parts > 2) return null;
      return server(request);
    };
    const world = await World.start({ a: breaking });
    assert.equal(world.install(), 'install-failed');
    await world.boot();
    assert.equal(world.store.snapshot.partCount, 2);
    world.servers = { b: server };
    world.asked.length = 0;
    assert.equal(world.install(), 'installed');
    assert.ok(
      world.asked.every(({ kind }) => kind === 'part'),
      'the head is here',
    );
    const whole = await World.start({ a: server });
    whole.install();
    assert.equal(world.parts(), whole.parts() - 2);
  });

  test('that was given up takes no room once a block as high as its own is final', async () => {
    const server = honest(far);
    const broken: Server = (request) => {
      const wanted = unwrap(decode(snapshotRequestCodec, request, 'request'));
      return wanted.kind === 'part' && wanted.after !== undefined ? null : server(request);
    };
    const world = await World.start({ a: broken });
    assert.equal(world.install(), 'install-failed');
    world.installing.advanced(toHeight(999));
    assert.equal(world.store.snapshot.partCount, 1, 'it may still be wanted');
    await world.boot();
    assert.equal(world.store.snapshot.partCount, 1);
    world.installing.advanced(toHeight(1_000));
    world.time.run(10);
    assert.equal(world.store.snapshot.head(), undefined);
    await world.boot();
    assert.equal(world.store.snapshot.partCount, 0);
    world.servers = { a: server };
    assert.equal(world.install(), 'installed');
  });

  test('is left alone while it comes', async () => {
    const world = await World.start({ a: honest(far) });
    world.time.after(2, () => world.installing.advanced(toHeight(1_000)));
    assert.equal(world.install(), 'installed');
  });

  test('waits for final blocks that are on their way to the store', async () => {
    const world = await World.start({ a: honest(far) });
    world.idle = false;
    world.time.after(2_000, () => (world.idle = true));
    assert.equal(world.install(), 'installed');
    assert.ok(world.time.now >= 2_000);
  });

  test('does not wait for them for ever, nor takes the place of a block that is final here by then', async () => {
    const world = await World.start({ a: honest(far) });
    world.idle = false;
    assert.equal(world.install(), 'install-failed');
    assert.deepEqual(world.given.at(-1), {
      type: 'install-failed',
      height: 1_000,
      reason: 'blocks before it are not stored yet',
    });
    for (const height of [1_000, 1_001]) {
      world.idle = false;
      world.time.after(100, () => {
        world.chain.install(finalAt(height, State.empty));
        world.idle = true;
      });
      assert.equal(world.install(), 'install-failed');
      assert.equal(world.chain.final.height, height);
      assert.deepEqual(world.steps, []);
    }
  });

  test('is final on disk after what was to be persisted before: who the members are then', async () => {
    const world = await World.start({ a: honest(far) });
    assert.equal(world.install(), 'installed');
    assert.deepEqual(world.steps, ['flush', 'install']);
  });

  test('whose block its signer did not sign is not taken: whoever served it is blamed, and another is asked', async () => {
    const world = await World.start({ a: honest(far), b: honest(far) });
    world.forged.push(
      new Problem('certificate/invalid', 'the signature is not right', { remedy: 'Ask another.' }),
    );
    assert.equal(world.install(), 'installed');
    assert.deepEqual(world.faults, [{ peer: 'a', reason: 'certificate/invalid' }]);
    assert.equal(world.asked.filter(({ kind }) => kind === 'head').at(-1)?.peer, 'b');
  });

  test('of a newer block takes the place of one that is half here', async () => {
    const older = finalAt(500, largeState(2));
    const server = honest(older);
    const world = await World.start({
      a: (request) => {
        const wanted = unwrap(decode(snapshotRequestCodec, request, 'request'));
        return wanted.kind === 'part' && wanted.after !== undefined ? null : server(request);
      },
    });
    assert.equal(world.install({ height: older.height, blockHash: older.hash }), 'install-failed');
    assert.equal(world.store.snapshot.partCount, 1);
    world.servers = { a: honest(far) };
    assert.equal(world.install(), 'installed');
    assert.equal(world.chain.final.state.root, far.state.root);
  });

  test('is asked, part after part, of the one who gave the last one', async () => {
    const world = await World.start({ empty: () => null, holder: honest(far) });
    assert.equal(world.install(), 'installed');
    assert.deepEqual(
      world.asked.map(({ peer }) => peer),
      ['empty', ...Array.from({ length: world.parts() + 1 }, () => 'holder')],
    );
  });

  for (const [what, server] of [
    ['gives its parts slowly', honest(far)],
    [
      'gives one entry at a time',
      twisting((part) =>
        checksummed({ entries: part.entries.slice(0, 1), last: part.last && part.entries.length === 1 }),
      ),
    ],
  ] as const) {
    test(`is not held up by a peer that ${what}: another one is asked, and first from then on`, async () => {
      const world = await World.start({ poor: server, good: honest(far) });
      world.delaysMs['poor'] = what.endsWith('slowly') ? limits.requestTimeoutMs - 1 : 1;
      assert.equal(world.install(), 'installed');
      const parts = world.asked.filter(({ kind }) => kind === 'part').map(({ peer }) => peer);
      assert.ok(parts.filter((peer) => peer === 'poor').length <= 1, parts.join());
      assert.ok(world.time.now < limits.requestTimeoutMs);
      assert.deepEqual(world.faults, []);
    });
  }

  test('may fail again and again, as long as each part comes in the end', async () => {
    const server = honest(far);
    const triesOf = new Map<string, number>();
    const world = await World.start({
      a: (request) => {
        const wanted = Buffer.from(request).toString('hex');
        const tries = (triesOf.get(wanted) ?? 0) + 1;
        triesOf.set(wanted, tries);
        return tries < limits.snapshotTries ? null : server(request);
      },
    });
    assert.equal(world.install(), 'installed');
    assert.ok(triesOf.size > 3);
  });

  test('that nobody has any more fails with a reason', async () => {
    const world = await World.start({ a: honest(finalAt(7, largeState(3))), b: () => null });
    assert.equal(world.install(), 'install-failed');
    assert.deepEqual(world.faults, []);
    const alone = await World.start({});
    assert.equal(alone.install(), 'install-failed');
  });
});

describe('liars that serve a snapshot', () => {
  async function caught(liar: Server, reason: string): Promise<World> {
    const world = await World.start({ liar, good: honest(far) });
    assert.equal(world.install(), 'installed');
    assert.equal(world.chain.final.state.root, far.state.root);
    assert.ok(world.faults.length > 0 && world.faults.every(({ peer }) => peer === 'liar'));
    assert.ok(world.reasons().includes(reason), world.reasons().join());
    return world;
  }

  test('a damaged part is found by its checksum, and another peer is asked', async () => {
    await caught(
      twisting((part) => {
        const bytes = checksummed(part);
        bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
        return bytes;
      }),
      'sync/snapshot-checksum',
    );
  });

  test('a snapshot of another block, also one from the future, is not the one that was asked for', async () => {
    const future = honest(finalAt(2_000, largeState(4)));
    const otherHead = encode(snapshotRequestCodec, {
      kind: 'head',
      blockHash: finalAt(2_000, largeState(4)).hash,
    });
    await caught(() => future(otherHead), 'sync/snapshot-head');
  });

  test('parts that do not go on from what is here are refused', async () => {
    const server = honest(far);
    const first = encode(snapshotRequestCodec, { kind: 'part', blockHash: far.hash, after: undefined });
    const repeating: Server = (request) =>
      server(unwrap(decode(snapshotRequestCodec, request, 'request')).kind === 'head' ? request : first);
    await caught(repeating, 'sync/snapshot-part');
    await caught(
      twisting((part) => checksummed({ ...part, entries: part.entries.toReversed() })),
      'sync/snapshot-part',
    );
    await caught(
      twisting((part) => {
        const doubled = part.entries.flatMap((entry) => [entry, entry]);
        return checksummed({ entries: doubled.slice(0, part.entries.length), last: false });
      }),
      'sync/snapshot-part',
    );
    await caught(
      twisting(() => checksummed({ entries: [], last: false })),
      'sync/snapshot-part',
    );
  });

  for (const [what, twist] of [
    ['is cut short', (part: SnapshotPart) => checksummed({ ...part, last: true })],
    [
      'gives somebody more coins',
      (part: SnapshotPart) => {
        const value = encodeAccount({ ...noAccount, balance: 10n ** 18n }) ?? new Uint8Array();
        const richer = part.entries.map((entry) =>
          entry.key.length === 33 ? { key: entry.key, value } : entry,
        );
        return checksummed({ ...part, entries: richer });
      },
    ],
    [
      'has records of a namespace that it does not have',
      (part: SnapshotPart) =>
        checksummed({ ...part, entries: part.entries.filter(({ key }) => key[0] !== 3) }),
    ],
    [
      'has rules of a namespace that are none',
      (part: SnapshotPart) =>
        checksummed({
          ...part,
          entries: part.entries.map(({ key, value }) => ({
            key,
            value: key[0] === 3 ? new Uint8Array() : value,
          })),
        }),
    ],
    ['leaves an entry out', (part: SnapshotPart) => checksummed({ ...part, entries: part.entries.slice(1) })],
  ] as const) {
    test(`a state that ${what} has another root: nothing of it is kept, and the next try is good`, async () => {
      const world = await World.start({ liar: twisting(twist) });
      assert.equal(world.install(), 'install-failed');
      assert.deepEqual(world.faults, [{ peer: 'liar', reason: 'sync/snapshot-root' }]);
      assert.equal(world.chain.final.height, 0);
      assert.equal(world.store.snapshot.head(), undefined);
      world.servers = { good: honest(far) };
      assert.equal(world.install(), 'installed');
    });
  }

  test('of parts of several peers nobody is blamed for what one of them made up', async () => {
    const server = honest(far);
    let given = 0;
    const world = await World.start({
      honest: (request) => {
        const { kind } = unwrap(decode(snapshotRequestCodec, request, 'request'));
        return kind === 'part' && given++ > 0 ? null : server(request);
      },
      liar: twisting((part) => checksummed({ ...part, entries: part.entries.slice(1) })),
    });
    assert.equal(world.install(), 'install-failed');
    assert.ok(given > 1, 'both gave some');
    assert.deepEqual(world.faults, []);
  });

  test('no bytes at all make it throw or install', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, atHead) => {
        const server = honest(far);
        const part = encode(checksummedPartCodec, {
          checksum: hashBytes('quorate/v1/snapshot-part', bytes),
          part: bytes,
        });
        const world = await World.start({
          liar: (request) => {
            const { kind } = unwrap(decode(snapshotRequestCodec, request, 'request'));
            if (kind === 'head') return atHead ? bytes : server(request);
            return part;
          },
        });
        assert.equal(world.install(), 'install-failed');
        assert.equal(world.chain.final.height, 0);
      }),
      { seed: 4, numRuns: 40 },
    );
  });

  test('requests that are not any are refused, and hold nobody up', () => {
    const server = honest(far);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.equal(server(bytes), null);
      }),
      { seed: 5, numRuns: 200 },
    );
  });
});
