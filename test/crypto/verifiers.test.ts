import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { buildNative, whyNotNative } from '../../scripts/native-build.ts';
import { Problem } from '../../src/base/problem.ts';
import { concat, fromHex, utf8 } from '../../src/base/bytes.ts';
import { limits } from '../../src/base/limits.ts';
import { InvariantError } from '../../src/base/invariant.ts';
import { packClaims, verifyPacked } from '../../src/crypto/claim-batch.ts';
import { ClaimInBytes } from '../../src/crypto/claim-in-bytes.ts';
import { cornerCases } from '../../src/crypto/corner-cases.ts';

import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { InlineVerifier } from '../../src/crypto/inline-verifier.ts';
import { type FrameThread, workerThread } from '../../src/crypto/frame-threads.ts';
import type { FrameCheck, NativeVerify } from '../../src/crypto/native-addon.ts';
import { openNativeVerify } from '../../src/crypto/native-verify.ts';
import { nativeSigner } from '../../src/crypto/native.ts';
import {
  type PublicKey,
  type Signature,
  type SignatureClaim,
  type Verifier,
  zeroPublicKey,
} from '../../src/crypto/signature.ts';
import { verifySignature } from '../../src/crypto/verify.ts';
import { asAddon } from './as-addon.ts';
import { ThreadedVerifier } from '../../src/crypto/threaded-verifier.ts';

/** A test that fails must not leave a thread that keeps the program alive. */
const opened: Verifier[] = [];
afterEach(async () => {
  for (const verifier of opened.splice(0)) await verifier.close();
});

function openThreaded(native = false): ThreadedVerifier {
  const verifier = new ThreadedVerifier({ native: native ? addon() : undefined, onFatal: fail });
  opened.push(verifier);
  return verifier;
}

/** The addon checks by the rule alone: for it, strict and not is the same. */
const whyNot = whyNotNative();
const withAddon = whyNot === undefined && buildNative() === undefined;
if (!withAddon) console.error(whyNot ?? 'THE NATIVE SIGNATURE CHECK CANNOT BE BUILT HERE.');

function addon(): NativeVerify {
  const opened = openNativeVerify();
  assert.ok(opened !== undefined && !(opened instanceof Problem), 'the addon was built');
  return opened;
}

const byRule: FrameCheck = (frame) => verifyPacked(frame as Uint8Array<ArrayBuffer>);

const { publicKey, secretKey } = developmentKeyPair('alice');
const sign = nativeSigner(secretKey);

function claim(text: string, valid = true): SignatureClaim {
  const signature = sign(utf8(text));
  return { publicKey, message: utf8(valid ? text : `${text}?`), signature };
}

const corners: SignatureClaim[] = cornerCases.map((corner) => ({
  publicKey: corner.publicKey as PublicKey,
  message: fromHex(corner.message),
  signature: corner.signature as Signature,
}));

/** Zeros are a small-order key, for which zeros are a valid signature by the rule: what is not hex must not become them. */
const notHex: SignatureClaim[] = [
  { publicKey: 'z'.repeat(64) as PublicKey, message: utf8('x'), signature: '0'.repeat(128) as Signature },
  { publicKey: zeroPublicKey, message: utf8('x'), signature: 'z'.repeat(128) as Signature },
  { publicKey: '' as PublicKey, message: utf8('x'), signature: '' as Signature },
  { publicKey: `${publicKey}00` as PublicKey, message: utf8('x'), signature: sign(utf8('x')) },
];

function ask(
  verifier: Verifier,
  claims: readonly SignatureClaim[],
  strict: boolean,
): Promise<readonly boolean[]> {
  return new Promise((answer) => verifier.verify(claims, strict, answer));
}

function fail(error: Error): never {
  throw error;
}

/** The port's promises, which all implementations keep. */
const implementations: [string, () => Verifier][] = [
  ['InlineVerifier', () => new InlineVerifier(setImmediate)],
  ['ThreadedVerifier', openThreaded],
];
if (withAddon) implementations.push(['ThreadedVerifier with the addon', () => openThreaded(true)]);

for (const [name, open] of implementations) {
  describe(`verifier contract: ${name}`, () => {
    test('one answer per claim, in order', async () => {
      const verifier = open();
      const claims = Array.from({ length: 200 }, (_, index) => claim(`m${index}`, index % 3 !== 0));
      const expected = claims.map((_, index) => index % 3 !== 0);
      assert.deepEqual(await ask(verifier, claims, true), expected);
      assert.deepEqual(await ask(verifier, claims, false), expected);
      await verifier.close();
    });

    test('the answer never comes before the call returns, also for no claims', async () => {
      const verifier = open();
      for (const claims of [[], [claim('now')]]) {
        let returned = false;
        const answered = new Promise<boolean>((resolve) => {
          verifier.verify(claims, true, () => resolve(returned));
        });
        returned = true;
        assert.equal(await answered, true);
      }
      await verifier.close();
    });

    test('calls are answered in their order', async () => {
      const verifier = open();
      const order: number[] = [];
      const sizes = [0, 3, 0, 1, 150, 0, 0, 64, 2, 0];
      await Promise.all(
        sizes.map(async (size, index) => {
          const claims = Array.from({ length: size }, (_, at) => claim(`${index}/${at}`));
          const valid = await ask(verifier, claims, true);
          assert.equal(valid.length, size);
          order.push(index);
        }),
      );
      assert.deepEqual(order, [...sizes.keys()]);
      await verifier.close();
    });

    test('each corner case has the verdict of the two-speed rule', async () => {
      const verifier = open();
      const byRule = cornerCases.map(({ valid }) => valid);
      assert.deepEqual(await ask(verifier, corners, false), byRule);
      const isByRule = name.endsWith('addon');
      const strictly = corners.map((corner) => verifySignature(corner, !isByRule));
      assert.deepEqual(await ask(verifier, corners, true), strictly);
      await verifier.close();
    });

    test('what is not hex is false, and nothing else suffers', async () => {
      const verifier = open();
      for (const strict of [true, false]) {
        const valid = await ask(verifier, [claim('before'), ...notHex, claim('after')], strict);
        assert.deepEqual(valid, [true, false, false, false, false, true]);
      }
      await verifier.close();
    });

    test('after close, no answer comes', async () => {
      const verifier = open();
      let answers = 0;
      verifier.verify([claim('late')], true, () => (answers += 1));
      await verifier.close();
      verifier.verify([claim('later')], true, () => (answers += 1));
      verifier.verify([], true, () => (answers += 1));
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      assert.equal(answers, 0);
    });
  });
}

describe('packed claims', () => {
  test('are judged one by one, whatever stands beside them', () => {
    const mixed = [claim(''), claim('x'.repeat(3_000)), claim('wrong', false), ...notHex, claim('last')];
    const runs = mixed.map((_, index) => ({
      claims: mixed,
      from: index,
      to: index + 1,
      strict: index % 2 === 0,
    }));
    assert.deepEqual([...verifyPacked(packClaims(runs))], [1, 1, 0, 0, 0, 0, 0, 1]);
  });

  test('claims whose parts stand in other bytes are packed as any other, also before and behind others', () => {
    const prefix = utf8('a prefix ');
    const inBytes = ['short', 'x'.repeat(300), ''].map((text) => {
      const bytes = concat(utf8(text), fromHex(publicKey), fromHex(sign(utf8(`a prefix ${text}`))));
      const signed = text.length;
      return new ClaimInBytes(prefix, bytes, { signed, key: signed, signature: signed + 32 });
    });
    const plain = inBytes.map(({ publicKey, message, signature }) => ({ publicKey, message, signature }));
    const pack = (claims: readonly SignatureClaim[]) =>
      packClaims([{ claims, from: 0, to: claims.length, strict: true }]);
    const mixed = [...inBytes, claim('between'), ...inBytes];
    assert.deepEqual(pack(mixed), pack([...plain, claim('between'), ...plain]));
    assert.deepEqual(
      [...verifyPacked(pack(mixed))],
      mixed.map(() => 1),
    );
  });

  test('a batch cut short is our own mistake', () => {
    const packed = packClaims([{ claims: [claim('whole')], from: 0, to: 1, strict: true }]);
    assert.throws(() => verifyPacked(packed.slice(0, -1)), InvariantError);
    assert.throws(() => verifyPacked(packed.slice(0, 50)), InvariantError);
  });
});

describe('ThreadedVerifier', () => {
  test('votes do not wait behind a flood of transactions, and the flood is not starved', async () => {
    const verifier = openThreaded();
    const order: string[] = [];
    const flood = Array.from({ length: 600 }, (_, index) => claim(`t${index}`));
    const votes = Array.from({ length: 200 }, (_, index) => claim(`v${index}`));
    const all = [
      ...flood.map((one) => ask(verifier, [one], true).then(() => order.push('t'))),
      ...votes.map((one) => ask(verifier, [one], false).then(() => order.push('v'))),
    ];
    assert.equal(verifier.waiting, 800);
    await Promise.all(all);
    assert.equal(verifier.waiting, 0);
    const lastVote = order.lastIndexOf('v');
    const before = order.slice(0, lastVote).filter((kind) => kind === 't').length;
    assert.ok(before < 100, `${before} transactions before the last vote`);
    assert.ok(before > 30, `${before} transactions before the last vote`);
    await verifier.close();
  });

  /** A thread that does nothing until `open` is called, and then one frame after the other. */
  class Gate implements FrameThread {
    /** Claims in each frame. */
    readonly sizes: number[] = [];
    readonly #waiting: (() => void)[] = [];
    #isOpen = false;

    check(frame: Uint8Array<ArrayBuffer>, done: (verdicts: Uint8Array) => void): void {
      const work = (): void => {
        const verdicts = verifyPacked(frame);
        this.sizes.push(verdicts.length);
        setImmediate(done, verdicts);
      };
      if (this.#isOpen) work();
      else this.#waiting.push(work);
    }

    open(): void {
      this.#isOpen = true;
      for (const work of this.#waiting) work();
    }

    async close(): Promise<void> {}
  }

  /** What `feed` asks for while the thread does nothing, as sizes of batches once it works. */
  async function batchesOf(
    feed: (ask: (urgent: boolean, count?: number, valid?: boolean) => Promise<void>) => Promise<void>,
    native?: NativeVerify,
  ) {
    const gate = new Gate();
    const verifier = new ThreadedVerifier({ thread: () => gate, native, onFatal: fail });
    const answers: Promise<unknown>[] = [];
    await feed(async (urgent, count = 1, valid = true) => {
      const claims = Array.from({ length: count }, (_, index) => claim(`g${index}`, valid));
      answers.push(ask(verifier, claims, !urgent));
      // Into another turn, after whatever this one sends.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    });
    gate.open();
    await Promise.all(answers);
    return gate.sizes;
  }

  test('what comes while the thread is busy is gathered, and what comes before is not held back', async () => {
    const sizes = await batchesOf(async (come) => {
      for (let i = 0; i < 6; i++) await come(false);
    });
    assert.deepEqual(sizes, [1, 5]);
  });

  test('of what is patient one batch is at the thread, and the next ones are full', async () => {
    const sizes = await batchesOf(async (come) => {
      await come(false);
      await come(false, 60);
      await come(false, 10);
      await come(false);
    });
    assert.deepEqual(sizes, [1, 64, 7]);
  });

  test('the addon gets larger batches of what is patient, until a wrong one is among it', async () => {
    const native = asAddon(byRule);
    const sizes = await batchesOf(async (come) => {
      await come(false, 5, false);
      await come(false, 600);
    }, native);
    assert.deepEqual(sizes, [5, 128, 256, 216]);
    const ofVotes = await batchesOf(async (come) => {
      await come(true, 300);
    }, native);
    assert.deepEqual(ofVotes, [128, 128, 44]);
  });

  test('good votes do not make up for a wrong transaction', async () => {
    const gate = new Gate();
    gate.open();
    const verifier = new ThreadedVerifier({ native: asAddon(byRule), thread: () => gate, onFatal: fail });
    const claims = (count: number, valid = true): SignatureClaim[] =>
      Array.from({ length: count }, (_, index) => claim(`w${index}`, valid));
    await ask(verifier, claims(5, false), true);
    await ask(verifier, claims(20), false);
    await ask(verifier, claims(600), true);
    assert.deepEqual(gate.sizes, [5, 20, 128, 256, 216]);
  });

  test('votes wait for no transactions, and those of a height go together', async () => {
    const feed: Parameters<typeof batchesOf>[0] = async (come) => {
      await come(false, 8);
      for (let i = 0; i < 20; i++) await come(true);
      await come(false, 30);
    };
    // Eight transactions; the first vote, at once; then what came meanwhile. A worker takes few transactions
    // with votes behind it: it has one frame after the other.
    assert.deepEqual(await batchesOf(feed), [8, 1, 16, 19, 14]);
    assert.deepEqual(await batchesOf(feed, asAddon(byRule)), [8, 1, 30, 19]);
  });

  test('the few that come while the thread has nothing to do are checked at hand', async () => {
    const atHand: number[] = [];
    const check: FrameCheck = (frame) => {
      const verdicts = byRule(frame);
      atHand.push(...verdicts);
      return verdicts;
    };
    const sent = await batchesOf(async (come) => {
      await come(true);
      await come(false, limits.claimsAtHand);
      await come(false, limits.claimsAtHand + 1);
      // Now the thread is busy: what comes next may be the first of many.
      await come(true);
    }, asAddon(check));
    assert.equal(atHand.length, 1 + limits.claimsAtHand);
    assert.deepEqual(sent, [limits.claimsAtHand + 1, 1]);
  });

  test('what is wrong is found at hand as well', async () => {
    const verifier = new ThreadedVerifier({
      native: asAddon(byRule),
      thread: () => new Gate(),
      onFatal: fail,
    });
    assert.deepEqual(await ask(verifier, [claim('good'), claim('bad', false)], true), [true, false]);
    assert.deepEqual(await ask(verifier, notHex.slice(0, 1), false), [false]);
  });

  test('a queue past its bound is our own mistake, not memory without end', async () => {
    const verifier = openThreaded();
    const one = claim('one');
    const many = Array.from({ length: limits.verifierQueue }, () => one);
    verifier.verify(many, true, () => assert.fail('closed before'));
    assert.throws(() => verifier.verify([one], true, () => undefined), InvariantError);
    await verifier.close();
  });

  test('what is urgent is answered while what is patient is checked', async () => {
    const frames: (() => void)[] = [];
    const verifier = new ThreadedVerifier({
      native: asAddon(byRule),
      thread: () => ({
        check: (frame, onVerdicts) => frames.push(() => onVerdicts(verifyPacked(frame))),
        close: async () => undefined,
      }),
      onFatal: fail,
    });
    const order: string[] = [];
    const come = async (name: string, strict: boolean): Promise<void> => {
      const claims = Array.from({ length: 20 }, (_, index) => claim(`${name}${index}`));
      verifier.verify(claims, strict, (verdicts) => {
        assert.deepEqual(verdicts, Array.from({ length: 20 }).fill(true));
        order.push(name);
      });
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    };
    await come('transactions', true);
    await come('votes', false);
    await come('more votes', false);
    assert.equal(frames.length, 2);
    frames[1]?.();
    assert.deepEqual(order, ['votes']);
    frames[0]?.();
    frames[2]?.();
    assert.deepEqual(order, ['votes', 'transactions', 'more votes']);
  });

  const dying: readonly [
    string,
    Pick<ConstructorParameters<typeof ThreadedVerifier>[0], 'native' | 'thread'>,
  ][] = [
    [
      'a worker',
      { thread: (onDeath) => workerThread(onDeath, new URL('./dying-worker.ts', import.meta.url)) },
    ],
    [
      'the addon',
      {
        native: {
          ...asAddon(byRule),
          verifyFrameLater: () => Promise.reject(new Error('the thread died')),
        },
      },
    ],
  ];
  for (const [who, parts] of dying) {
    test(`${who} that dies stops everything loudly, once`, async () => {
      const deaths: InvariantError[] = [];
      let answers = 0;
      const { promise, resolve } = Promise.withResolvers<InvariantError>();
      const verifier = new ThreadedVerifier({
        ...parts,
        onFatal(fatal) {
          deaths.push(fatal);
          resolve(fatal);
        },
      });
      const many = Array.from({ length: 3 * 256 }, (_, index) => claim(`last words ${index}`));
      verifier.verify(many, true, () => (answers += 1));
      const error = await promise;
      // Once the thread is gone, nothing more can come of it.
      await verifier.close();
      assert.ok(error instanceof InvariantError);
      assert.match(error.message, /signature verification thread/);
      assert.match(String(error.cause), /the thread died/);
      assert.equal(answers, 0);
      assert.equal(deaths.length, 1);
    });
  }
});
