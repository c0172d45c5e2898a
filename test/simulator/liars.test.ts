import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode, encode } from '../../src/base/codec.ts';
import { limits } from '../../src/base/limits.ts';
import { unwrap } from '../../src/base/problem.ts';
import { messageCodec } from '../../src/consensus/pbft/message-codec.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import type { PublicKey, Signature } from '../../src/crypto/signature.ts';
import { hashHeader, toHeight, toView } from '../../src/ledger/block.ts';
import { decodeBlock, encodeBlock } from '../../src/ledger/block-body.ts';
import { type BlocksResponse, blocksResponseCodec } from '../../src/node/peers/wire.ts';
import { Chance } from '../../src/simulator/world/chance.ts';
import { liars } from '../../src/simulator/liars/catalogue.ts';
import { drip } from '../../src/simulator/liars/drip.ts';
import { forgeNested } from '../../src/simulator/liars/forge-nested.ts';
import type { Liar, LiarTools } from '../../src/simulator/liars/liar.ts';
import { liarTools } from '../../src/simulator/liars/liar-tools.ts';
import { siblings } from '../../src/simulator/liars/siblings.ts';
import { stale } from '../../src/simulator/liars/stale.ts';
import { testGenesis } from '../node/cluster.ts';
import { ChainMaker } from '../node/chain-maker.ts';

const genesis = testGenesis(4);
const maker = new ChainMaker(genesis);
const made = maker.run(5);
const last = made[4] as (typeof made)[number];
const response = encode(blocksResponseCodec, {
  blocks: made.map(({ block }) => encodeBlock(block)),
  headers: [],
  certificate: maker.certificate(last),
  snapshot: undefined,
});

/** Tools that note what is sent, and whose time passes when told. */
function tools(): {
  tools: LiarTools;
  sent: Uint8Array[];
  place: { validators: number };
  run: () => number;
} {
  const sent: Uint8Array[] = [];
  const place = { epoch: toHeight(0), self: 4, validators: 4 };
  let later: { delayMs: number; call: () => void }[] = [];
  return {
    sent,
    place,
    run: () => {
      const [next] = later.splice(0, 1);
      next?.call();
      return next?.delayMs ?? -1;
    },
    tools: liarTools({
      place: () => place,
      publicKey: 'ab'.repeat(32) as PublicKey,
      chainId: genesis.chainId,
      genesis: maker.start.header,
      viewTimeoutMs: 100,
      chance: new Chance(1, 'liar'),
      network: {
        send: (_peer, bytes) => sent.push(bytes) > 0,
        publish: () => undefined,
        peers: () => ['node-0'],
      },
      signMessage: () => '00'.repeat(64) as Signature,
      newKey: () => assert.fail('nobody asked for a key'),
      after: (delayMs, call) => {
        later = [...later, { delayMs, call }];
      },
      lied: () => undefined,
    }),
  };
}

function served(
  liar: Liar,
  protocol: 'blocks' | 'candidate',
  bytes: Uint8Array,
  run: () => void,
): Uint8Array {
  let answer: Uint8Array | null | undefined;
  liar.serves?.({ protocol, request: new Uint8Array(), from: 'node-0' }, bytes, (given) => (answer = given));
  run();
  assert.ok(answer instanceof Uint8Array);
  return answer;
}

const read = (bytes: Uint8Array): BlocksResponse => unwrap(decode(blocksResponseCodec, bytes, 'response'));
const hashOf = (bytes: Uint8Array): Hash => hashHeader(unwrap(decodeBlock(bytes)).header);

describe('liars', () => {
  test('are made before their node has a place in the chain', () => {
    const before: LiarTools = Object.create(tools().tools, {
      epoch: { get: () => assert.fail('an epoch') },
      self: { get: () => assert.fail('a place') },
      validators: { get: () => assert.fail('validators') },
    });
    for (const make of Object.values(liars)) assert.ok(make(before));
  });

  test('nested signatures are forged by as many as the set of now takes for a quorum', () => {
    const world = tools();
    const liar = forgeNested(world.tools);
    liar.start?.({ hear: () => undefined });
    const signers = new Set<number>();
    const lieForAWhile = (): void => {
      signers.clear();
      for (let i = 0; i < 40; i++) world.run();
      for (const bytes of world.sent.splice(0)) {
        const message = unwrap(decode(messageCodec, bytes, 'message'));
        if (message.kind === 'new-view') signers.add(message.viewChanges.length);
        if (message.kind === 'status') signers.add(message.finalCertificate?.signatures.length ?? 0);
      }
    };
    lieForAWhile();
    assert.deepEqual([...signers], [3]);
    world.place.validators = 7;
    lieForAWhile();
    assert.deepEqual([...signers], [5]);
  });

  test('a drip gives one block, proven by what stood above it, just before the asker gives up', () => {
    const world = tools();
    let waited = 0;
    const answer = read(served(drip(world.tools), 'blocks', response, () => (waited = world.run())));
    assert.ok(waited < limits.requestTimeoutMs && waited > limits.requestTimeoutMs - 1_000);
    assert.deepEqual(answer.blocks.map(hashOf), [made[0]?.hash]);
    assert.deepEqual(
      answer.headers.map(hashHeader),
      made.slice(1).map(({ hash }) => hash),
    );
    assert.equal(answer.certificate?.blockHash, last.hash);
  });

  test('siblings stand where the true block stood, under its certificate', () => {
    const world = tools();
    const liar = siblings(world.tools);
    const seen = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const answer = read(served(liar, 'blocks', response, () => undefined));
      const end = answer.blocks.at(-1);
      assert.ok(end !== undefined);
      const sibling = unwrap(decodeBlock(end)).header;
      const original = made[answer.blocks.length - 1]?.header;
      assert.equal(sibling.parentHash, original?.parentHash);
      assert.equal(answer.certificate?.blockHash, last.hash);
      seen.add(
        sibling.timestamp === original?.timestamp ? 'the same' : `another, of ${answer.blocks.length}`,
      );
    }
    assert.ok(
      seen.has('the same') && seen.has('another, of 5') && seen.has('another, of 2'),
      [...seen].join(),
    );
  });

  test('what is stale was said by others, and the first of it is kept', () => {
    const world = tools();
    const liar = stale(world.tools);
    liar.start?.({ hear: () => undefined });
    const status = (height: number) =>
      ({
        kind: 'status',
        epoch: toHeight(0),
        from: 1,
        view: toView(0),
        changing: false,
        finalHeight: toHeight(height),
        finalCertificate: undefined,
        signature: '00'.repeat(64) as Signature,
      }) as const;
    for (let height = 0; height < 200; height++)
      liar.incoming?.(status(height), Uint8Array.of(height), 'node-1');
    for (let i = 0; i < 100; i++) world.run();
    assert.ok(world.sent.length > 20);
    assert.ok(world.sent.every(([height = 255]) => height < 100));
  });
});
