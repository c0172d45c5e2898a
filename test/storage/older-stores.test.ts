import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { utf8 } from '../../src/base/bytes.ts';
import { unwrap } from '../../src/base/problem.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { parseGenesis } from '../../src/ledger/genesis.ts';
import { protocolOf } from '../../src/node/core/protocol.ts';
import { candidateLinks, restore } from '../../src/node/effects/restore.ts';
import { Signer } from '../../src/node/effects/signer.ts';
import { Snapshots } from '../../src/node/catch-up/snapshots.ts';
import { ChainStore } from '../../src/storage/chain-store.ts';
import { type MemoryEntries, MemoryStore } from '../../src/storage/memory-store.ts';

/**
 * Databases that nodes of older programs left when they were killed, byte by byte, and what these
 * programs said of them when they were started again. They are never written anew: a program of the same
 * `formatVersion` opens them, and goes on where the older one stood. One that cannot needs another number,
 * and other databases here.
 */
const directory = new URL('../golden/older-stores/', import.meta.url);

interface Older {
  readonly commit: string;
  readonly genesis: string;
  readonly said: {
    readonly finalHeight: number;
    readonly finalHash: string;
    readonly stateRoot: string;
    readonly balance: string;
    readonly nonce: number;
    readonly evidence: readonly { readonly address: string; readonly kind: string }[];
    readonly epochs: readonly { readonly height: number; readonly validators: readonly string[] }[];
    readonly versions: readonly number[];
    /** By the reference `one`. */
    readonly withReference: readonly Hash[];
  };
  /** All entries: the lengths of key and value, in four bytes each, and both. */
  readonly gzip: readonly string[];
}

function entriesIn({ gzip }: Older): MemoryEntries {
  const bytes = gunzipSync(Buffer.from(gzip.join(''), 'base64'));
  const entries: MemoryEntries = new Map();
  for (let at = 0; at < bytes.length;) {
    const [key, value] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
    const start = at + 8;
    at = start + key + value;
    entries.set(bytes.toString('latin1', start, start + key), bytes.subarray(start + key, at));
  }
  return entries;
}

for (const name of readdirSync(directory)) {
  describe(`a database of an older node, ${name}`, () => {
    const older = JSON.parse(readFileSync(new URL(name, directory), 'utf8')) as Older;
    const { said } = older;
    const genesis = unwrap(parseGenesis(older.genesis));
    const alice = developmentKeyPair('alice').publicKey;
    const whole = { from: toHeight(0), to: toHeight(said.finalHeight), newestFirst: true, limit: 100 };

    async function open(): Promise<ChainStore> {
      const store = new MemoryStore(setImmediate, entriesIn(older));
      return ChainStore.open(store, { chainId: genesis.chainId });
    }

    test('holds the chain and the state that the older program had', async () => {
      const { final } = await restore(await open(), genesis);
      assert.equal(final.height, said.finalHeight);
      assert.equal(final.hash, said.finalHash);
      assert.equal(final.state.root, said.stateRoot);
      const { balance, nonce } = final.state.account(alice);
      assert.deepEqual([`${balance}`, nonce], [said.balance, said.nonce]);
    });

    test('holds the evidence, the changes of the validators and the indexes', async () => {
      const store = await open();
      const kinds = store.evidence
        .list()
        .map(({ accused, kind }) => ({ address: encodeAddress(accused), kind }));
      assert.deepEqual(kinds, said.evidence);
      const epochs = (await store.epochs(toHeight(0), 100)).map(({ height, validators }) => ({
        height: height as number,
        validators: validators.map(encodeAddress),
      }));
      assert.deepEqual(epochs, said.epochs);
      const versions = await store.listVersions('price', whole);
      assert.deepEqual(
        versions.map(({ version }) => version),
        said.versions,
      );
      const found = await store.listTransactions({ by: 'reference', reference: utf8('one') }, whole);
      assert.deepEqual(
        found.map(({ height, transaction }) => [height, transaction]),
        said.withReference.map((hash) => {
          const place = store.locate(hash);
          return [place?.height, place?.index];
        }),
      );
    });

    test('has a log that the engine goes on from, and votes', async () => {
      const store = await open();
      const restored = await restore(store, genesis);
      const { final, certificate } = restored;
      const compacted = Snapshots.compactedAt(final, store.firstBlock);
      assert.ok(store.logRecords.size > 0);
      const engine = protocolOf(genesis).start({
        chainId: genesis.chainId,
        validators: restored.validators,
        epoch: restored.epoch,
        self: developmentKeyPair('validator-1').publicKey,
        final: { header: final.header, hash: final.hash, certificate },
        records: Signer.engineRecords(store.logRecords),
        candidates: candidateLinks(restored),
        ...(compacted === undefined ? {} : { compacted }),
        log: 'whole',
        now: 0,
        seed: 1,
      });
      assert.equal(engine.status().voting, true, engine.why());
    });
  });
}
