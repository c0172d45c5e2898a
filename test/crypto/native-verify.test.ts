import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { buildNative, buildPlain, whyNotNative } from '../../scripts/native-build.ts';
import { fromHex, toHex, utf8 } from '../../src/base/bytes.ts';
import { Problem } from '../../src/base/problem.ts';
import { batchVectors } from '../../src/crypto/batch-vectors.ts';
import { packClaims, verifyPacked } from '../../src/crypto/claim-batch.ts';
import { cornerCases } from '../../src/crypto/corner-cases.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { findNativeFile, nativeFileName, nativeFiles } from '../../src/crypto/native-file.ts';
import { type FrameCheck, loadNativeVerify, type NativeVerify } from '../../src/crypto/native-addon.ts';
import { frameCheckProblem, openNativeVerify } from '../../src/crypto/native-verify.ts';
import type { PublicKey, Signature, SignatureClaim } from '../../src/crypto/signature.ts';
import { verifyClaimZip215 } from '../../src/crypto/zip215.ts';
import { oddEncodings, oddSignature } from './odd-signatures.ts';
import { asAddon } from './as-addon.ts';

const rule: FrameCheck = verifyPacked as FrameCheck;
const directory = mkdtempSync(join(tmpdir(), 'quorate-addon-'));
after(() => rmSync(directory, { recursive: true }));

const frameOf = (claims: readonly SignatureClaim[]): Uint8Array =>
  packClaims([{ claims, from: 0, to: claims.length, strict: false }]);
const cornerClaims = cornerCases.map(({ publicKey, message, signature }) => ({
  publicKey: publicKey as PublicKey,
  message: fromHex(message),
  signature: signature as Signature,
}));

test('the rule in TypeScript says of each vector of the self-test what the vector says', () => {
  const vectors = batchVectors();
  const valid = vectors.filter((vector) => vector.valid).length;
  assert.equal(vectors.length, 1_000);
  assert.ok(valid > 400 && valid < 600, `${valid} of them are good`);
  for (const { claim, valid } of vectors) assert.equal(verifyClaimZip215(claim), valid, claim.signature);
});

describe('the self-test of a check of frames', () => {
  const twisted =
    (twist: (verdicts: Uint8Array, frame: Uint8Array) => Uint8Array): FrameCheck =>
    (frame) =>
      twist(rule(frame), frame);

  test('the rule itself passes', () => assert.equal(frameCheckProblem(rule), undefined));

  test('one that accepts all is found', () => {
    assert.match(frameCheckProblem(twisted((verdicts) => verdicts.fill(1))) ?? '', /accepts signature/);
  });

  test('one that accepts nothing is found', () => {
    assert.match(frameCheckProblem(twisted((verdicts) => verdicts.fill(0))) ?? '', /rejects signature/);
  });

  test('one without the cofactor is found', () => {
    const strictly: FrameCheck = (frame) => {
      const claims = Uint8Array.from(frame);
      for (let at = 0; at < claims.length; at += 101 + new DataView(claims.buffer).getUint32(at + 97)) {
        claims[at] = 1;
      }
      return verifyPacked(claims);
    };
    assert.match(frameCheckProblem(strictly) ?? '', /rejects signature/);
  });

  test('one that judges a batch as a whole is found', () => {
    const whole = twisted((verdicts) => verdicts.fill(verdicts.includes(0) ? 0 : 1));
    assert.match(frameCheckProblem(whole) ?? '', /rejects signature/);
  });

  test('one that mixes up places is found', () => {
    assert.notEqual(frameCheckProblem(twisted((verdicts) => verdicts.toReversed())), undefined);
  });

  test('one that answers for too few is found', () => {
    assert.match(frameCheckProblem(twisted((verdicts) => verdicts.subarray(1))) ?? '', /verdicts for/);
  });
});

/** A directory with sources, and a library that was built from them. */
function crateWith(library = 'no library'): { crate: string; path: string } {
  const crate = mkdtempSync(join(directory, 'crate-'));
  mkdirSync(join(crate, 'src'));
  for (const name of ['Cargo.lock', 'Cargo.toml', 'build.rs', 'src/lib.rs']) {
    writeFileSync(join(crate, name), `source of ${name}`);
  }
  const path = join(crate, nativeFileName(utf8(library), crate));
  writeFileSync(path, library);
  return { crate, path };
}

describe('the file of the addon', () => {
  test('is found beside the sources that it was built from', () => {
    const { crate, path } = crateWith();
    assert.equal(findNativeFile(crate), path);
    writeFileSync(join(crate, 'native-verify.node'), 'of an older version, under its name');
    assert.equal(findNativeFile(crate), path);
    assert.equal(nativeFiles(crate).length, 2);
  });

  test('is not there: a node goes without', () => {
    const { crate, path } = crateWith();
    rmSync(path);
    assert.equal(openNativeVerify(crate), undefined);
    assert.equal(openNativeVerify(join(directory, 'nowhere')), undefined);
  });

  for (const source of ['Cargo.lock', 'Cargo.toml', 'build.rs', 'src/lib.rs', 'src/another.rs']) {
    test(`is of other sources when ${source} changed`, () => {
      const { crate } = crateWith();
      appendFileSync(join(crate, source), ' ');
      refused(openNativeVerify(crate, unloaded), /other sources/);
    });
  }

  test('is never loaded when it is not whole, or longer, or empty', () => {
    for (const torn of ['no librar', 'no library, and more', '', 'no_library']) {
      const { crate, path } = crateWith();
      writeFileSync(path, torn);
      refused(openNativeVerify(crate, unloaded), /damaged/);
    }
  });

  test('is of an older version, which had one name for all', () => {
    const { crate, path } = crateWith();
    rmSync(path);
    writeFileSync(join(crate, 'native-verify.node'), 'library');
    refused(openNativeVerify(crate, unloaded), /other sources/);
  });

  test('is no library, or has not what is needed', () => {
    const { crate } = crateWith();
    refused(openNativeVerify(crate), /cannot be used/);
    const missing = {} as { arithmetic: () => string };
    const half = (): NativeVerify => ({ ...asAddon(rule), name: missing.arithmetic() });
    refused(openNativeVerify(crate, half), /not a function/);
  });

  test('accepts everything: the self-test finds it', () => {
    const { crate } = crateWith();
    const yes = asAddon(() => new Uint8Array([1]));
    refused(
      openNativeVerify(crate, () => yes),
      /verdicts for 0 signatures/,
    );
  });

  test('is good: it is what a node gets', () => {
    const { crate, path } = crateWith();
    const loaded: string[] = [];
    const good = asAddon(rule);
    const opened = openNativeVerify(crate, (file) => {
      loaded.push(file);
      return good;
    });
    assert.equal(opened, good);
    assert.deepEqual(loaded, [path]);
  });

  function unloaded(path: string): NativeVerify {
    assert.fail(`${path} was loaded`);
  }

  function refused(opened: NativeVerify | Problem | undefined, reason: RegExp): void {
    assert.ok(opened instanceof Problem);
    assert.equal(opened.code, 'crypto/native-verify');
    assert.match(opened.message, reason);
    assert.match(opened.remedy, /npm run native/);
  }
});

const checks: [string, FrameCheck][] = [['what npm brings', rule]];
const whyNot = whyNotNative();
if (whyNot === undefined) {
  const opened = buildNative() ?? openNativeVerify();
  const isGood = opened !== undefined && !(opened instanceof Problem);
  test('the addon is built, and passes its self-test', () => {
    assert.ok(isGood, opened instanceof Problem ? opened.message : 'it is not there');
  });
  if (isGood) checks.push([`the addon (${opened.name})`, opened.verifyFrame]);
  const path = buildPlain();
  test('so is one without AVX-512, which has no self-test at a start', () => {
    assert.ok(typeof path === 'string', 'it was built');
    const { name, verifyFrame } = loadNativeVerify(path);
    assert.doesNotMatch(name, /AVX-512/);
    assert.equal(frameCheckProblem(verifyFrame), undefined);
  });
  if (typeof path === 'string')
    checks.push(['the addon without AVX-512', loadNativeVerify(path).verifyFrame]);
} else {
  console.error(whyNot);
  test(whyNot, () => assert.equal(whyNotNative(), whyNot));
}

const keys = developmentKeyPair('alice');
/** Valid with the cofactor alone. */
const odd = Array.from({ length: 40 }, (_, i) => oddSignature(keys, utf8(`odd ${i}`)));
/** Every third R, because the rule in TypeScript takes its time. */
const oddPairs = oddEncodings.flatMap((key) =>
  oddEncodings
    .filter((_, i) => i % 3 === 0)
    .map((r) => ({
      publicKey: toHex(key) as PublicKey,
      message: utf8('any'),
      signature: `${toHex(r)}${'00'.repeat(32)}` as Signature,
    })),
);
const verdictsOf = (claims: readonly SignatureClaim[]): number[] =>
  claims.map((claim) => Number(verifyClaimZip215(claim)));
const pairVerdicts = verdictsOf(oddPairs);

for (const [name, check] of checks) {
  describe(`verdicts of ${name} are those of the rule in TypeScript`, () => {
    test('on the published corner cases', () => {
      assert.deepEqual(
        [...check(frameOf(cornerClaims))],
        cornerCases.map(({ valid }) => Number(valid)),
      );
    });

    test('on what only the cofactor makes valid, alone and among others', () => {
      assert.deepEqual(verdictsOf(odd.slice(0, 3)), [1, 1, 1]);
      assert.ok(check(frameOf(odd)).every((verdict) => verdict === 1));
      const mixed = odd.map((claim, i) => (i % 5 === 3 ? { ...claim, message: utf8('other') } : claim));
      assert.deepEqual(
        [...check(frameOf(mixed))],
        odd.map((_, i) => Number(i % 5 !== 3)),
      );
      for (const claim of mixed.slice(0, 5))
        assert.deepEqual([...check(frameOf([claim]))], verdictsOf([claim]));
    });

    test('on every pair of odd encodings of key and R', () => {
      const verdicts: number[] = [];
      for (let from = 0; from < oddPairs.length; from += 96) {
        verdicts.push(...check(frameOf(oddPairs.slice(from, from + 96))));
      }
      assert.deepEqual(verdicts, pairVerdicts);
      assert.ok(verdicts.includes(1));
    });

    test('on what is no hex, and what has another length', () => {
      const noHex = { ...keys, message: utf8('x'), signature: 'z'.repeat(128) as Signature };
      const short = { publicKey: '' as PublicKey, message: utf8('x'), signature: '' as Signature };
      assert.deepEqual([...check(frameOf([noHex, short, ...cornerClaims.slice(0, 1)]))], [0, 0, 1]);
    });

    test('and a frame that is cut short, which is our own mistake, is an exception', () => {
      const frame = frameOf(cornerClaims);
      assert.throws(() => check(frame.slice(0, -1)), /whole/);
      assert.throws(() => check(frame.slice(0, 40)), /whole/);
      assert.equal(check(new Uint8Array()).length, 0);
    });
  });
}
