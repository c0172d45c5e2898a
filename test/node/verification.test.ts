import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import { utf8 } from '../../src/base/bytes.ts';
import type { Protocol, ValidatorIndex } from '../../src/consensus/engine.ts';
import type { PublicKey, Signature, SignatureClaim, Verifier } from '../../src/crypto/signature.ts';
import { type MessageVerdict, Verification } from '../../src/node/verification.ts';
import { VirtualTime } from './world.ts';

/** A message is a text "from:signature,signature:content"; a signature "good" is a good one. */
interface Note {
  readonly from: ValidatorIndex;
  readonly signatures: readonly string[];
  readonly content: string;
}

const malformed = new Problem('codec/malformed', 'not a note', { remedy: 'Write one.' });

function protocol(authentication: 'signature' | 'channel'): Protocol<Note> {
  return {
    engine: 'pbft',
    authentication,
    senderOf: ({ from }) => from,
    decode(bytes) {
      const [from, signatures, content] = Buffer.from(bytes).toString().split(':');
      if (content === undefined || signatures === undefined) return malformed;
      return { from: Number(from), signatures: signatures.split(',').filter(Boolean), content };
    },
    encode: () => new Uint8Array(),
    claims: ({ from, signatures, content }) =>
      content === 'not to be looked into'
        ? assert.fail(content)
        : content === 'absurd'
          ? malformed
          : signatures.map((signature) => claim(from, signature, content)),
    certificateClaims: () => [],
    snapshotCertificate: (certificate) => certificate,
    start: () => {
      throw new Error('not started here');
    },
  };
}

function claim(from: number, signature: string, content: string): SignatureClaim {
  const hex = Buffer.from(signature.padEnd(64)).toString('hex');
  return {
    publicKey: from.toString(16).padStart(64, '0') as PublicKey,
    message: utf8(content),
    signature: hex as Signature,
  };
}

class World {
  readonly time = new VirtualTime();
  readonly checked: SignatureClaim[] = [];
  readonly penalties: string[] = [];
  wants = (_note: Note): boolean => true;
  readonly verification: Verification<Note>;
  /** While true, the verifier keeps its answers. */
  held = false;
  readonly #late: (() => void)[] = [];

  constructor(authentication: 'signature' | 'channel' = 'signature') {
    const verifier: Verifier = {
      verify: (claims, _strict, done) => {
        this.checked.push(...claims);
        const isGood = (signature: Signature) => Buffer.from(signature, 'hex').toString().startsWith('good');
        const answer = (): void => done(claims.map(({ signature }) => isGood(signature)));
        if (this.held) this.#late.push(answer);
        else this.time.defer(answer);
      },
      close: async () => {},
    };
    this.verification = new Verification<Note>({
      protocol: protocol(authentication),
      verifier,
      clock: this.time.clock(),
      wants: (note) => this.wants(note),
      validatorOf: (peer) => Number(peer.slice('peer-'.length)),
      penalise: (peer, reason) => void this.penalties.push(`${peer} ${reason}`),
    });
  }

  /** What became of a message; undefined while nothing did. */
  deliver(peer: string, text: string, relayed = false): { verdict?: MessageVerdict<Note> } {
    const outcome: { verdict?: MessageVerdict<Note> } = {};
    const done = (verdict: MessageVerdict<Note>): void => void (outcome.verdict = verdict);
    if (relayed) this.verification.relayedMessage(peer, utf8(text), done);
    else this.verification.directMessage(peer, utf8(text), done);
    this.time.run(0);
    return outcome;
  }

  judge(peer: string, text: string, relayed = false): string | undefined {
    return this.deliver(peer, text, relayed).verdict?.type;
  }

  release(): void {
    for (const answer of this.#late.splice(0)) answer();
  }
}

describe('verification of messages', () => {
  test('lets through what is signed, and tells whether it is wanted', () => {
    const world = new World();
    assert.equal(world.judge('peer-1', '1:good:hello'), 'good');
  });

  test('checks no signature of a message that the engine does not want', () => {
    const world = new World();
    world.wants = () => false;
    assert.equal(world.judge('peer-1', '1:good:not to be looked into'), 'ignored');
    assert.equal(world.checked.length, 0);
  });

  test('checks a vote once, however often it is seen, alone or inside something larger', () => {
    const world = new World();
    world.judge('peer-1', '1:good:vote');
    assert.equal(world.judge('peer-2', '1:good:vote'), 'good');
    assert.equal(world.judge('peer-3', '1:good,good:vote'), 'good');
    assert.equal(world.checked.length, 1);
  });

  test('checks a vote once when it comes twice at the same time', () => {
    const world = new World();
    world.held = true;
    const [first, second] = [world.deliver('peer-1', '1:good:vote'), world.deliver('peer-2', '1:good:vote')];
    assert.deepEqual([first, second], [{}, {}]);
    world.release();
    assert.deepEqual([first.verdict?.type, second.verdict?.type], ['good', 'good']);
    assert.equal(world.checked.length, 1);
  });

  test('a good signature is good for its own message and key only', () => {
    const world = new World();
    world.judge('peer-1', '1:good:vote');
    world.judge('peer-1', '1:good:another vote');
    world.judge('peer-1', '2:good:vote');
    assert.equal(world.checked.length, 3);
  });

  test('remembers no claim that was false', () => {
    const world = new World();
    assert.equal(world.judge('peer-1', '1:bad:vote'), 'bad');
    assert.equal(world.judge('peer-2', '1:bad:vote'), 'bad');
    assert.equal(world.checked.length, 2);
  });

  test('one bad signature among good ones makes a message bad', () => {
    const world = new World();
    assert.equal(world.judge('peer-1', '1:good,bad,good2:vote'), 'bad');
    assert.deepEqual(world.penalties, ['peer-1 crypto/signature']);
  });

  test('holds malformed and absurd messages against who delivered them', () => {
    const world = new World();
    assert.equal(world.judge('peer-1', 'nonsense'), 'bad');
    assert.equal(world.judge('peer-1', '1:good:absurd'), 'bad');
    assert.equal(world.penalties.length, 2);
    assert.equal(world.checked.length, 0);
  });
});

describe('a peer that costs too much', () => {
  test('is not listened to after some bad signatures, for a while, and others are', () => {
    const world = new World();
    for (let index = 0; index < limits.peerFaults; index++) world.judge('peer-1', `1:bad:vote ${index}`);
    assert.equal(world.checked.length, limits.peerFaults);
    assert.equal(world.judge('peer-1', '1:good:vote'), 'ignored');
    assert.equal(world.judge('peer-2', '1:good:vote'), 'good');
    world.time.run(limits.peerMuteMs + 1);
    assert.equal(world.judge('peer-1', '1:good:later vote'), 'good');
  });

  test('is forgiven faults that are long ago', () => {
    const world = new World();
    for (let index = 0; index < 3 * limits.peerFaults; index++) {
      world.judge('peer-1', `1:bad:vote ${index}`);
      world.time.run(limits.peerFaultWindowMs / 2);
    }
    assert.equal(world.judge('peer-1', '1:good:vote'), 'good');
  });

  test('has only so many messages checked at once', () => {
    const world = new World();
    world.held = true;
    for (let index = 0; index < limits.verifyingPerPeer; index++)
      world.deliver('peer-1', `1:good:vote ${index}`);
    assert.equal(world.judge('peer-1', '1:good:one more'), 'ignored');
    assert.equal(world.judge('peer-2', '1:good:from another'), undefined, 'being checked');
    world.release();
    assert.equal(world.checked.length, limits.verifyingPerPeer + 1);
    world.held = false;
    assert.equal(world.judge('peer-1', '1:good:one more'), 'good');
  });
});

describe('a relayed message', () => {
  test('that is unwanted here is judged when that costs nothing, so that it reaches others', () => {
    const world = new World();
    world.judge('peer-1', '1:good:vote');
    world.wants = () => false;
    const { verdict } = world.deliver('peer-2', '1:good:vote', true);
    assert.deepEqual(verdict?.type === 'good' && verdict.wanted, false);
    assert.equal(verdict?.type, 'good');
  });

  test('that is unwanted and unknown is dropped', () => {
    const world = new World();
    world.wants = () => false;
    assert.equal(world.judge('peer-2', '1:good:vote', true), 'ignored');
    assert.equal(world.checked.length, 0);
  });
});

describe('where the channel proves the sender', () => {
  test('a message is good from its own sender only', () => {
    const world = new World('channel');
    assert.equal(world.judge('peer-1', '1::hello'), 'good');
    assert.equal(world.judge('peer-2', '1::hello'), 'bad');
  });

  test('a relayed message is never good', () => {
    const world = new World('channel');
    assert.equal(world.judge('peer-1', '1::hello', true), 'bad');
  });
});
