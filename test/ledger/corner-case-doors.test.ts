import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hash as sha512, Point, utils } from '@noble/ed25519';
import { bech32m } from '@scure/base';
import { concat, fromHex, toHex, utf8 } from '../../src/base/bytes.ts';
import { encode } from '../../src/base/codec.ts';
import { Problem } from '../../src/base/problem.ts';
import { contentFromJson } from '../../src/client/content-json.ts';
import { parseAddress } from '../../src/crypto/address.ts';
import { cornerCases } from '../../src/crypto/corner-cases.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { domainPrefix, zeroHash } from '../../src/crypto/hash.ts';
import { sign } from '../../src/crypto/keys.ts';
import type { PublicKey, Signature } from '../../src/crypto/signature.ts';
import { verifySignature } from '../../src/crypto/verify.ts';
import { verifyClaimZip215 } from '../../src/crypto/zip215.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { developmentGenesis, developmentPbft } from '../../src/ledger/development-genesis.ts';
import { createGenesis } from '../../src/ledger/genesis.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { parseReservation } from '../../src/ledger/reservation-id.ts';
import { assembleTransaction, decodeTransaction, transactionClaims } from '../../src/ledger/transaction.ts';
import { helloCodec, wireVersion } from '../../src/node/peers/hello.ts';
import { PeerRegistry } from '../../src/node/peers/peer-registry.ts';
import { silentLog } from '../../src/node/process/log.ts';
import { chainId, keyOf, someSignature, transaction, transfer } from './samples.ts';

/*
 * What each door does with each corner case of keys and signatures. A door is a place at which a key, or a
 * signature, comes in from outside. Operations are listed by type, so a new one does not compile without its
 * row, and every key in it is a door of its own.
 */

type Kind = 'forgeable' | 'off-curve' | 'sound';

const { publicKey: own, secretKey } = developmentKeyPair('alice');
const withSign = (y: string): string =>
  y.slice(0, 62) + (Number.parseInt(y.slice(62), 16) | 0x80).toString(16).padStart(2, '0');
const smallOrderYs = [
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '00'.repeat(32),
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
];

/** A key of mixed order, with one who can sign for it: its secret number, and a point of order 8 added. */
const mixed = (() => {
  const { scalar } = utils.getExtendedPublicKey(secretKey);
  const key = Point.BASE.multiply(scalar)
    .add(Point.fromHex(smallOrderYs[4] as string))
    .toBytes();
  const { n } = Point.CURVE();
  const scalarOf = (bytes: Uint8Array): bigint =>
    bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) % n;
  const littleEndian = (value: bigint): Uint8Array =>
    Uint8Array.from({ length: 32 }, (_, at) => Number((value >> BigInt(8 * at)) & 0xffn));
  return {
    publicKey: toHex(key) as PublicKey,
    sign(message: Uint8Array): Signature {
      const nonce = scalarOf(sha512(concat(secretKey, message)));
      const r = Point.BASE.multiply(nonce).toBytes();
      const k = scalarOf(sha512(concat(r, key, message)));
      return toHex(concat(r, littleEndian((nonce + k * scalar) % n))) as Signature;
    },
  };
})();

const keys: readonly (readonly [what: string, key: string, Kind])[] = [
  ...smallOrderYs.flatMap((y) => [
    [`small order ${y.slice(0, 4)}…${y.slice(62)}`, y, 'forgeable'] as const,
    [`small order ${y.slice(0, 4)}…, x negative`, withSign(y), 'forgeable'] as const,
  ]),
  ['another encoding of y = 4', `f1${'ff'.repeat(30)}7f`, 'forgeable'],
  ['all ff', 'ff'.repeat(32), 'forgeable'],
  ['off the curve, y = 2', `02${'00'.repeat(31)}`, 'off-curve'],
  ['off the curve, x negative', withSign(`02${'00'.repeat(31)}`), 'off-curve'],
  ['off the curve, at the prime', `eb${'ff'.repeat(30)}7f`, 'off-curve'],
  ['mixed order', mixed.publicKey, 'sound'],
  ['mixed order, published', cornerCases[3]?.publicKey ?? '', 'sound'],
  ['of somebody', own, 'sound'],
];

/** One of each type, with a key in every place that has one. */
const samples: Readonly<Record<Operation['type'], readonly Operation[]>> = {
  transfer: [{ type: 'transfer', to: keyOf('a'), amount: 1n, memo: '' }],
  put: [{ type: 'put', key: 'k', value: new Uint8Array() }],
  delete: [{ type: 'delete', key: 'k' }],
  give: [{ type: 'give', key: 'k', to: keyOf('a') }],
  'open-namespace': [{ type: 'open-namespace', name: 'n', mode: 'writers', writers: [keyOf('a')] }],
  'set-namespace': [
    { type: 'set-namespace', name: 'n', owner: keyOf('a'), mode: 'writers', writers: [keyOf('b')] },
  ],
  reserve: [{ type: 'reserve', to: keyOf('a'), amount: 1n, expiryHeight: toHeight(9), memo: '' }],
  post: [{ type: 'post', reservation: { sender: keyOf('a'), nonce: 0, operation: 0 }, amount: 1n }],
  void: [{ type: 'void', reservation: { sender: keyOf('a'), nonce: 0, operation: 0 } }],
  'set-keys': [{ type: 'set-keys', keys: [keyOf('a')], threshold: 1, force: true }],
  'propose-change': [
    {
      type: 'propose-change',
      change: { type: 'validators', validators: [keyOf('a'), keyOf('b')] },
      expiryHeight: toHeight(9),
      validatorsHash: zeroHash,
      members: new Uint8Array(),
      replaces: false,
    },
  ],
  'approve-change': [{ type: 'approve-change', proposal: zeroHash }],
};
const hasNoKey = new Set<Operation['type']>(['put', 'delete', 'approve-change']);

/** The same operation with another key in one of its places, for each of them. */
function withKey(operation: Operation, key: PublicKey): Operation[] {
  const places = new Set<string>();
  const walk = (value: unknown, put: ReadonlyMap<string, string>): unknown => {
    if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) && value !== zeroHash) {
      places.add(value);
      return put.get(value) ?? value;
    }
    if (Array.isArray(value)) return value.map((one) => walk(one, put));
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, walk(one, put)]));
  };
  walk(operation, new Map());
  return [...places].map((place) => walk(operation, new Map([[place, key]])) as Operation);
}

/** The code of what is refused, or 'taken'. */
function verdict(act: () => unknown): string {
  try {
    const result = act();
    return result instanceof Problem ? result.code : 'taken';
  } catch (error) {
    assert.ok(error instanceof Problem, String(error));
    return error.code;
  }
}

/** Bytes that name the key, however they are made, in place of those that name bob. */
function decodedWith(key: string, operation: Operation): unknown {
  const [written = operation] = withKey(operation, keyOf('bob'));
  const { bytes } = transaction({ from: 'alice', nonce: 0 }, written);
  return decodeTransaction(fromHex(toHex(bytes).replace(keyOf('bob'), key)));
}

const genesis = developmentGenesis({ name: 'four', validators: 4, consensus: developmentPbft });
const replaced = (index: number, publicKey: PublicKey) =>
  genesis.validators.map((one, at) => (at === index ? { ...one, publicKey } : one));

function helloOf(publicKey: PublicKey): Problem | undefined {
  const here = developmentKeyPair('validator-0');
  const registry = new PeerRegistry({
    chainId,
    engine: 'pbft',
    protocolVersions: { oldest: 1, newest: 1 },
    keys: [here.publicKey, publicKey],
    identity: { publicKey: here.publicKey, sign: () => someSignature },
    checkSignature: (claim) => verifySignature(claim, false),
    log: silentLog,
  });
  const message = concat(domainPrefix('quorate/v1/hello'), fromHex(chainId), utf8('peer'));
  const hello = {
    version: wireVersion,
    chainId,
    engine: 'pbft' as const,
    publicKey,
    signature: signatureFor(publicKey, message),
    protocolVersions: { oldest: 1, newest: 1 },
    api: undefined,
  };
  return registry.admit('peer', encode(helloCodec, hello));
}

/** The best signature that there is for a key: for one of small order R = A and S = 0, good for any message. */
function signatureFor(publicKey: PublicKey, message: Uint8Array): Signature {
  if (publicKey === own) return sign(secretKey, message);
  if (publicKey === mixed.publicKey) return mixed.sign(message);
  return `${publicKey}${'00'.repeat(32)}` as Signature;
}

const canSign = (key: string): boolean => key === own || key === mixed.publicKey;
const byKind = (prefix: string, suffix = ''): Readonly<Record<Kind, string>> => ({
  forgeable: `${prefix}/forgeable${suffix}`,
  'off-curve': `${prefix}/off-curve${suffix}`,
  sound: 'taken',
});
const named = byKind('transaction', '-key');
const ofAddress = byKind('keys');
const ofField = { forgeable: 'genesis/field', 'off-curve': 'genesis/field', sound: 'taken' };

/** Doors beside the operations. What a door does is said for each kind of key. */
const doors: Readonly<
  Record<string, readonly [Readonly<Record<Kind, string>>, (key: PublicKey) => unknown]>
> = {
  'address in hex': [ofAddress, parseAddress],
  'address in bech32m': [ofAddress, (key) => parseAddress(bech32m.encodeFromBytes('qr', fromHex(key)))],
  'name of a reservation': [ofAddress, (key) => parseReservation(`${key}:0:0`)],
  'operation in JSON': [
    { ...named, forgeable: 'transaction/content', 'off-curve': 'transaction/content' },
    (key) => contentFromJson({ operations: [{ type: 'transfer', to: key, amount: '1' }] }),
  ],
  'account of a genesis': [
    ofField,
    (key) => createGenesis({ ...genesis, accounts: [{ publicKey: key, balance: 1n }] }),
  ],
  'validator of a genesis': [ofField, (key) => createGenesis({ ...genesis, validators: replaced(2, key) })],
  'owner of a namespace of a genesis': [
    ofField,
    (owner) => createGenesis({ ...genesis, namespaces: [{ name: 'n', owner, mode: 'open', writers: [] }] }),
  ],
  'writer of a namespace of a genesis': [
    ofField,
    (key) =>
      createGenesis({
        ...genesis,
        namespaces: [{ name: 'n', owner: own, mode: 'writers', writers: [key] }],
      }),
  ],
  // A condition moves nothing: no such account has anything.
  'account of a condition': [
    { forgeable: 'taken', 'off-curve': 'taken', sound: 'taken' },
    (account) => {
      const conditions = [{ type: 'balance-at-least', account, amount: 1n }] as const;
      return decodeTransaction(transaction({ from: 'alice', nonce: 0, conditions }, ...samples.delete).bytes);
    },
  ],
};

describe('keys at each door', () => {
  for (const [what, text, kind] of keys) {
    const key = text as PublicKey;
    test(`${what}: ${kind}`, () => {
      for (const operation of Object.values(samples).flat()) {
        const changed = withKey(operation, key);
        assert.equal(changed.length === 0, hasNoKey.has(operation.type), operation.type);
        for (const one of changed) {
          const said = verdict(() => transaction({ from: 'alice', nonce: 0 }, one));
          assert.equal(said, named[kind], `${one.type}, encoded`);
        }
        if (changed.length > 0) {
          assert.equal(
            verdict(() => decodedWith(key, operation)),
            named[kind],
            `${operation.type}, decoded`,
          );
        }
      }
      for (const [door, [expected, act]] of Object.entries(doors)) {
        assert.equal(
          verdict(() => act(key)),
          expected[kind],
          door,
        );
      }
    });

    test(`${what}: as sender, signer and peer`, () => {
      const { bytes, sender } = transfer({ from: 'alice', nonce: 0 }, 'bob', 1n);
      const cosigned = transaction({ from: 'alice', nonce: 0, signers: ['b'] }, ...samples.delete);
      // Off the curve the form is good, and no signature is.
      const form = kind === 'forgeable' ? 'transaction/forgeable-key' : 'taken';
      for (const [of, given] of [
        [bytes, sender],
        [cosigned.bytes, keyOf('b')],
      ] as const) {
        assert.equal(
          verdict(() => decodeTransaction(fromHex(toHex(of).replace(given, key)))),
          form,
        );
      }
      if (form === 'taken') {
        const { signatures: _, ...body } = transfer({ from: 'alice', nonce: 0 }, 'bob', 1n);
        const unsigned = assembleTransaction({ ...body, sender: key, signers: [key] }, [someSignature]);
        const [claim] = transactionClaims(unsigned);
        assert.ok(claim !== undefined);
        const { publicKey, message } = claim;
        const signed = { publicKey, message, signature: signatureFor(key, message) };
        assert.equal(verifySignature(signed, false), canSign(text));
        assert.equal(verifyClaimZip215(signed), canSign(text));
      }
      assert.equal(helloOf(key)?.code ?? 'taken', canSign(text) ? 'taken' : 'network/false-hello');
    });
  }
});

describe('signatures, wherever one is checked: transactions, votes, certificates, evidence, hellos', () => {
  const message = utf8('message');
  const good = sign(secretKey, message);
  const [r, s] = [good.slice(0, 64), good.slice(64)];
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const little = (value: bigint): string => toHex(fromHex(value.toString(16).padStart(64, '0')).toReversed());
  const sOf = fromHex(s).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const identity = `01${'00'.repeat(31)}`;
  const { scalar } = utils.getExtendedPublicKey(secretKey);
  /** S for an R that is nothing: R = 0 to the rule with the cofactor. */
  const sFor = (nothing: string): string => {
    const k = sha512(concat(fromHex(nothing), fromHex(own), message));
    const reduced = k.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) % order;
    return little((reduced * scalar) % order);
  };
  const rows: readonly (readonly [what: string, signature: string, valid: boolean])[] = [
    ['as it is made', good, true],
    ['S + the order', r + little(sOf + order), false],
    ['S = the order', r + little(order), false],
    ['S = 2^256 - 1', r + 'ff'.repeat(32), false],
    ['S = 0', r + '00'.repeat(32), false],
    ['R of small order, S to match', identity + sFor(identity), true],
    ['R of order 8, S to match', (smallOrderYs[4] as string) + sFor(smallOrderYs[4] as string), true],
    ['R in another encoding, S to match', `ee${'ff'.repeat(30)}7f` + sFor(`ee${'ff'.repeat(30)}7f`), true],
    ['R of small order, S of another', identity + s, false],
    ['R off the curve', `02${'00'.repeat(31)}${s}`, false],
    ['R all ff', 'ff'.repeat(32) + s, false],
    ['all zero', '00'.repeat(64), false],
  ];
  for (const [what, text, valid] of rows) {
    test(`${what}: ${valid ? 'valid' : 'not valid'}`, () => {
      const claim = { publicKey: own, message, signature: text as Signature };
      assert.equal(verifyClaimZip215(claim), valid, 'the rule, as browsers have it');
      assert.equal(verifySignature(claim, false), valid, 'the rule, as nodes have it');
      // A client's own node may refuse more, and never less.
      if (!valid) assert.equal(verifySignature(claim, true), false, 'strict');
    });
  }
});
