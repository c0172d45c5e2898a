import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import type { Problem } from '../../../src/base/problem.ts';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import { nativeSigner } from '../../../src/crypto/native.ts';
import { verifySignature } from '../../../src/crypto/verify.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import type { PublicKey, Signature } from '../../../src/crypto/signature.ts';
import { type ProtocolVersions, wireVersion } from '../../../src/node/peers/hello.ts';
import { PeerRegistry, type Observers } from '../../../src/node/peers/peer-registry.ts';
import { type Logger, silentLog } from '../../../src/node/process/log.ts';

const keys = ['validator-0', 'validator-1', 'validator-2'].map((name) => developmentKeyPair(name).publicKey);
const chain = 'aa'.repeat(32) as Hash;
const otherChain = 'bb'.repeat(32) as Hash;

function registry(
  name: string,
  options: {
    chainId?: Hash;
    engine?: 'pbft' | 'raft';
    log?: Logger;
    api?: string;
    observers?: Observers;
    protocolVersions?: ProtocolVersions;
  } = {},
): PeerRegistry {
  const { publicKey, secretKey } = developmentKeyPair(name);
  return new PeerRegistry({
    chainId: chain,
    engine: 'pbft',
    protocolVersions: { oldest: 1, newest: 1 },
    keys,
    identity: { publicKey, sign: nativeSigner(secretKey) },
    checkSignature: (claim) => verifySignature(claim, false),
    log: silentLog,
    ...options,
  });
}

const codeOf = (answer: Problem | undefined): string | undefined => answer?.code;

/** The peer greets, and its connection opens. */
function meet(here: PeerRegistry, peer: string, hello: Uint8Array): void {
  assert.equal(here.admit(peer, hello), undefined);
  here.connected(peer);
}

describe('the registry of peers', () => {
  test('knows a peer for the validator whose key signed for it', () => {
    const here = registry('validator-0');
    assert.equal(here.admit('peer-1', registry('validator-1').hello('peer-1')), undefined);
    assert.equal(here.peerOf(1), undefined, 'it is not connected yet');
    here.connected('peer-1');
    assert.equal(here.validatorOf('peer-1'), 1);
    assert.equal(here.peerOf(1), 'peer-1');
    assert.equal(here.peerOf(2), undefined);
  });

  test('knows whether a link to another validator is missing', () => {
    const here = registry('validator-0');
    const others = [...here.validators.keys()].slice(1);
    for (const index of others) {
      assert.equal(here.isLinkedToAll, false);
      meet(here, `peer-${index}`, registry(`validator-${index}`).hello(`peer-${index}`));
    }
    assert.equal(here.isLinkedToAll, true);
    here.forget('peer-1');
    assert.equal(here.isLinkedToAll, false);
    here.setKeys(keys, new Set(keys.slice(1, 2)));
    assert.equal(here.isLinkedToAll, true, 'one that was removed may be gone for ever');
  });

  test('welcomes a peer that knows other protocol versions, and knows which', () => {
    const here = registry('validator-0');
    meet(
      here,
      'peer-1',
      registry('validator-1', { protocolVersions: { oldest: 2, newest: 7 } }).hello('peer-1'),
    );
    assert.deepEqual(here.protocolVersionsOf(1), { oldest: 2, newest: 7 });
    assert.deepEqual(here.protocolVersionsOf(0), { oldest: 1, newest: 1 });
    assert.equal(here.protocolVersionsOf(2), undefined, 'it is not connected');
    for (const protocolVersions of [
      { oldest: 0, newest: 1 },
      { oldest: 3, newest: 2 },
    ]) {
      const none = registry('validator-2', { protocolVersions });
      assert.throws(() => none.hello('peer-2'), /no versions/);
    }
  });

  test('welcomes an observer, as nobody', () => {
    const here = registry('validator-0');
    meet(here, 'peer-x', registry('carol').hello('peer-x'));
    assert.equal(here.validatorOf('peer-x'), undefined);
  });

  test('where only members are welcome, refuses all others before it checks a signature', () => {
    let checks = 0;
    const here = new PeerRegistry({
      chainId: chain,
      engine: 'pbft',
      protocolVersions: { oldest: 1, newest: 1 },
      keys,
      identity: { publicKey: developmentKeyPair('validator-0').publicKey, sign: () => '' as Signature },
      observers: 'members',
      checkSignature: () => (checks++, true),
      log: silentLog,
    });
    const observer = registry('carol').hello('peer-x');
    assert.equal(codeOf(here.admit('peer-x', observer)), 'network/not-a-member');
    assert.equal(checks, 0);
    assert.equal(here.memberKeyOf('peer-x'), undefined);
    assert.equal(here.admit('peer-1', registry('validator-1').hello('peer-1')), undefined);
    assert.equal(here.memberKeyOf('peer-1'), keys[1], 'known from its good hello on');
    assert.equal(here.admit('peer-x', observer, true), undefined, 'whom this node dials is welcome');
    assert.equal(here.memberKeyOf('peer-x'), undefined, 'and no member');
  });

  test('welcomes those whose keys are listed, as members, and nobody who only says so', () => {
    const carol = developmentKeyPair('carol').publicKey;
    const here = registry('validator-0', { observers: [carol] });
    assert.equal(here.admit('peer-x', registry('carol').hello('peer-x')), undefined);
    assert.equal(here.memberKeyOf('peer-x'), carol);
    assert.equal(codeOf(here.admit('peer-y', registry('bob').hello('peer-y'))), 'network/not-a-member');
    const stolen = registry('carol').hello('peer-x');
    assert.equal(codeOf(here.admit('peer-z', stolen)), 'network/false-hello');
  });

  test('who joined is a member from then on, and who was removed is none', () => {
    const carol = developmentKeyPair('carol').publicKey;
    const here = registry('validator-0', { observers: 'members' });
    const hello = registry('carol').hello('peer-x');
    assert.equal(codeOf(here.admit('peer-x', hello)), 'network/not-a-member');
    here.setKeys([...keys, carol]);
    meet(here, 'peer-x', hello);
    assert.equal(here.memberKeyOf('peer-x'), carol);
    here.setKeys([...keys, carol], new Set([carol]));
    assert.equal(here.memberKeyOf('peer-x'), undefined);
    assert.equal(here.validatorOf('peer-x'), 3, 'its index is its own for ever');
    assert.equal(codeOf(here.admit('peer-x', hello)), 'network/not-a-member');
  });

  test('who is no member is a stranger unless this node dialled it; who was removed is one in any case', () => {
    const here = registry('validator-0');
    const hello = registry('carol').hello('peer-x');
    assert.equal(here.isStranger('peer-x'), true, 'it has not said who it is');
    meet(here, 'peer-x', hello);
    assert.equal(here.isStranger('peer-x'), true);
    here.admit('peer-x', hello, true);
    here.connected('peer-x');
    assert.equal(here.isStranger('peer-x'), false);
    meet(here, 'peer-1', registry('validator-1').hello('peer-1'));
    assert.equal(here.isStranger('peer-1'), false);
    here.setKeys(keys, new Set(keys.slice(1, 2)));
    assert.equal(here.isStranger('peer-1'), true);
    here.admit('peer-1', registry('validator-1').hello('peer-1'), true);
    here.connected('peer-1');
    assert.equal(here.isStranger('peer-1'), true, 'the settings may still name it');
  });

  test('a validator of the set before the last is welcome until the next: one of the two may be behind', () => {
    const here = registry('validator-0', { observers: 'members' });
    const [, , third] = keys;
    const hello = registry('validator-2').hello('peer-2');
    here.setKeys(keys.slice(0, 2));
    meet(here, 'peer-2', hello);
    assert.equal(here.memberKeyOf('peer-2'), third);
    assert.equal(here.validatorOf('peer-2'), undefined, 'and no validator any more');
    here.setKeys(keys.slice(0, 1));
    assert.equal(here.memberKeyOf('peer-2'), undefined);
    assert.equal(codeOf(here.admit('peer-2', hello)), 'network/not-a-member');
  });

  test('refuses another chain, another engine and another version, each with its own code', () => {
    const here = registry('validator-0');
    const hello = (options: Parameters<typeof registry>[1]) =>
      registry('validator-1', options).hello('peer-1');
    assert.equal(codeOf(here.admit('peer-1', hello({ chainId: otherChain }))), 'network/other-chain');
    assert.equal(codeOf(here.admit('peer-1', hello({ engine: 'raft' }))), 'network/other-engine');
    for (const other of [1, wireVersion - 1, wireVersion + 1, 0x0102]) {
      const otherVersion = Buffer.concat([
        Buffer.of(other >> 8, other & 0xff),
        Buffer.from('whatever it has'),
      ]);
      const refused = here.admit('peer-1', otherVersion);
      assert.equal(codeOf(refused), 'network/other-version');
      assert.equal(refused?.details['theirs'], other);
    }
  });

  test('refuses bytes that are no hello, whatever they are', () => {
    const here = registry('validator-0');
    const good = registry('validator-1').hello('peer-1');
    assert.equal(codeOf(here.admit('peer-1', new Uint8Array())), 'codec/malformed');
    assert.equal(codeOf(here.admit('peer-1', new Uint8Array(1))), 'codec/malformed');
    assert.equal(codeOf(here.admit('peer-1', good.subarray(0, -1))), 'codec/malformed');
    assert.equal(codeOf(here.admit('peer-1', Buffer.concat([good, Buffer.of(0)]))), 'codec/malformed');
  });

  test('refuses a hello that another peer made: nobody acts for a validator by repeating its words', () => {
    const here = registry('validator-0');
    const stolen = registry('validator-1').hello('peer-1');
    assert.equal(codeOf(here.admit('peer-2', stolen)), 'network/false-hello');
    assert.equal(here.peerOf(1), undefined);
  });

  test('refuses a key for which anybody can sign', () => {
    const publicKey = '00'.repeat(32) as PublicKey;
    const signature = `${publicKey}${'00'.repeat(32)}` as Signature;
    const anybody = new PeerRegistry({
      chainId: chain,
      engine: 'pbft',
      protocolVersions: { oldest: 1, newest: 1 },
      keys,
      identity: { publicKey, sign: () => signature },
      checkSignature: () => true,
      log: silentLog,
    });
    const here = registry('validator-0');
    assert.equal(codeOf(here.admit('peer-x', anybody.hello('peer-x'))), 'network/false-hello');
  });

  test('takes the newer of two peers for one validator, says so, and goes back to the older when it is lost', () => {
    const warnings: string[] = [];
    const log: Logger = { ...silentLog, warn: (text) => void warnings.push(text) };
    const here = registry('validator-0', { log });
    meet(here, 'peer-a', registry('validator-1').hello('peer-a'));
    meet(here, 'peer-b', registry('validator-1').hello('peer-b'));
    assert.equal(here.peerOf(1), 'peer-b');
    assert.equal(warnings.length, 1);
    here.forget('peer-b');
    assert.equal(here.peerOf(1), 'peer-a');
  });

  test('takes the one that greeted last for the newer, whoever was there first', () => {
    const here = registry('validator-0');
    const hellos = ['peer-a', 'peer-b'].map((peer) => registry('validator-1').hello(peer));
    for (const [at, hello] of hellos.entries()) meet(here, at === 0 ? 'peer-a' : 'peer-b', hello);
    meet(here, 'peer-a', hellos[0] ?? new Uint8Array());
    assert.equal(here.peerOf(1), 'peer-a');
  });

  test('knows a peer that greets anew before its old connection is given up', () => {
    const warnings: string[] = [];
    const here = registry('validator-0', {
      log: { ...silentLog, warn: (text) => void warnings.push(text) },
    });
    const hello = registry('validator-1').hello('peer-1');
    meet(here, 'peer-1', hello);
    assert.equal(here.admit('peer-1', hello), undefined);
    here.forget('peer-1');
    assert.equal(here.peerOf(1), undefined);
    here.connected('peer-1');
    assert.equal(here.peerOf(1), 'peer-1');
    assert.deepEqual(warnings, []);
  });

  test('remembers few of those who greet and are never connected', () => {
    const here = registry('validator-0');
    meet(here, 'peer-1', registry('validator-1').hello('peer-1'));
    const guest = registry('carol');
    for (let number = 0; number <= limits.peersRemembered; number++) {
      assert.equal(here.admit(`guest-${number}`, guest.hello(`guest-${number}`)), undefined);
    }
    here.setKeys([...keys, developmentKeyPair('carol').publicKey]);
    here.connected('guest-0');
    assert.equal(here.validatorOf('guest-0'), undefined, 'it was forgotten');
    const newest = `guest-${limits.peersRemembered}`;
    here.connected(newest);
    assert.equal(here.validatorOf(newest), 3);
    assert.equal(here.validatorOf('peer-1'), 1, 'who is connected is not');
  });

  test('warns loudly of another peer with the key of this very node', () => {
    const errors: string[] = [];
    const here = registry('validator-0', { log: { ...silentLog, error: (text) => void errors.push(text) } });
    meet(here, 'peer-0', registry('validator-0').hello('peer-0'));
    assert.equal(errors.length, 1);
  });

  test('knows where a validator says that its API is, as long as it is connected', () => {
    const here = registry('validator-0', { api: 'http://10.0.0.1:4600' });
    assert.equal(here.apiOf(0), 'http://10.0.0.1:4600');
    meet(here, 'peer-1', registry('validator-1', { api: 'https://node-1.example' }).hello('peer-1'));
    meet(here, 'peer-2', registry('validator-2').hello('peer-2'));
    assert.deepEqual([here.apiOf(1), here.apiOf(2)], ['https://node-1.example', undefined]);
    meet(here, 'peer-1', registry('validator-1', { api: 'http://10.0.0.2:2' }).hello('peer-1'));
    assert.equal(here.apiOf(1), 'http://10.0.0.2:2');
    here.forget('peer-1');
    assert.equal(here.apiOf(1), undefined);
    assert.equal(registry('validator-0').apiOf(0), undefined);
  });

  test('refuses a hello with what is no address of an API, or not in its one form', () => {
    const here = registry('validator-0');
    const good = 'http://10.0.0.1:4600';
    const hello = registry('validator-1', { api: good }).hello('peer-1');
    const place = Buffer.from(hello).indexOf(good);
    for (const bad of [
      'ftp://10.0.0.1:4600x',
      'http://10.0.0.1:460/',
      'http://u@10.0.0.1:46',
      'http://10.0.0.1\u001b[31m',
    ]) {
      assert.equal(bad.length, good.length);
      const forged = Buffer.from(hello);
      forged.write(bad, place, 'latin1');
      assert.equal(codeOf(here.admit('peer-1', forged)), 'codec/malformed', bad);
    }
    const long = encodeHello(`http://${'a'.repeat(limits.apiUrlBytes)}`);
    assert.equal(codeOf(here.admit('peer-1', long)), 'codec/malformed');
    assert.equal(here.peerOf(1), undefined);
    assert.equal(here.admit('peer-1', encodeHello(good)), undefined);

    /** What a liar sends, who is not held back by our own encoder. */
    function encodeHello(api: string): Uint8Array {
      const before = hello.subarray(0, place - 1);
      return Buffer.concat([before, Buffer.of(api.length), Buffer.from(api)]);
    }
  });

  test('follows a change of the validators', () => {
    const here = registry('validator-0');
    meet(here, 'peer-x', registry('carol').hello('peer-x'));
    here.setKeys([...keys, developmentKeyPair('carol').publicKey]);
    assert.equal(here.validatorOf('peer-x'), 3);
  });
});
