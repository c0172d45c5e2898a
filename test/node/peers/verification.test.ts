import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { Problem } from '../../../src/base/problem.ts';
import { utf8 } from '../../../src/base/bytes.ts';
import type { ValidatorIndex } from '../../../src/consensus/engine.ts';
import type { Protocol } from '../../../src/consensus/protocol.ts';
import type { PublicKey, Signature, SignatureClaim, Verifier } from '../../../src/crypto/signature.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { type MessageVerdict, Verification } from '../../../src/node/peers/verification.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

/** A message is a text "from:signature,signature:content": its own signature, and those inside. A signature "good" is a good one. */
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
    capabilities: {
      proposerClockBinds: false,
      leaderTakesAll: false,
      membersVouch: false,
      censorshipMs: null,
      inFlightBytes: 0,
      makesSnapshots: false,
    },
    senderOf: ({ from }) => from,
    contradictionIn: () => null,
    partsIn: () => [],
    epochOf: ({ content }) => toHeight(Number(/^epoch (\d+)/.exec(content)?.[1] ?? 0)),
    decode(bytes) {
      const [from, signatures, content] = Buffer.from(bytes).toString().split(':');
      if (content === undefined || signatures === undefined) return malformed;
      return { from: Number(from), signatures: signatures.split(',').filter(Boolean), content };
    },
    encode: () => new Uint8Array(),
    claims({ from, signatures, content }) {
      if (content === 'not to be looked into') assert.fail(content);
      if (content === 'absurd') return malformed;
      const [own, ...inside] = signatures.map((signature) => claim(from, signature, content));
      const claims = own === undefined ? { own: [] } : { own: [own] };
      if (inside.length === 0 && content !== 'rotten') return claims;
      const open = () => {
        if (content === 'not to be opened') assert.fail(content);
        return content === 'rotten' ? malformed : inside;
      };
      return { ...claims, inside: { count: inside.length, open } };
    },
    certificateClaims: () => [],
    snapshotRoster: (_certificate, roster) => roster,
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
  /** Who is cut, and for how long. */
  readonly cut: { readonly peer: string; readonly banMs: number }[] = [];
  epoch = 0;
  /** Epochs that others are said to be in. */
  readonly later: number[] = [];
  wants = (_note: Note): boolean => true;
  readonly verification: Verification<Note>;
  /** Claims that were handed to the verifier or wait for it. */
  get handed(): number {
    return this.verification.claimsUnderWay;
  }

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
      roster: () => ({ keys: [], epoch: toHeight(this.epoch) }),
      onLater: (epoch) => void this.later.push(epoch),
      validatorOf: (peer) => (peer.startsWith('peer-') ? Number(peer.slice('peer-'.length)) : undefined),
      standingOf: (peer) =>
        peer.startsWith('peer-')
          ? { type: 'member', key: peer }
          : { type: 'stranger', block: peer.split('/')[0] ?? '' },
      penalise: (peer, reason) => void this.penalties.push(`${peer} ${reason}`),
      cut: (peer, banMs) => void this.cut.push({ peer, banMs }),
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
    while (this.#late.length > 0) for (const answer of this.#late.splice(0)) answer();
  }
}

describe('a message of another epoch', () => {
  test('is looked at no further, and held against nobody; a later one is a reason to ask', () => {
    const world = new World();
    world.epoch = 5;
    for (const relayed of [false, true]) {
      assert.equal(world.judge('peer-1', '1:bad:epoch 3', relayed), 'ignored');
      assert.equal(world.judge('peer-1', '1:bad:epoch 9', relayed), 'ignored');
      const { verdict } = world.deliver('peer-1', '1:bad:epoch 3', relayed);
      assert.deepEqual(verdict, { type: 'ignored', unread: false }, 'it is so whoever brings it');
    }
    assert.deepEqual(world.later, [9, 9]);
    assert.deepEqual([world.checked, world.penalties], [[], []]);
    assert.equal(world.judge('peer-1', '1:good:epoch 5'), 'good');
  });
});

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
  test('is cut once it is not listened to, and so is its like when it says a word, which nobody decodes', () => {
    const world = new World();
    for (let count = 1; count < limits.peerFaults; count++) world.judge('block/a', `1:bad:${count}`);
    assert.deepEqual(world.cut, []);
    world.judge('block/a', '1:bad:last');
    assert.deepEqual(world.cut, [{ peer: 'block/a', banMs: limits.peerMuteMs }]);
    // Malformed: had anybody looked, it would be bad.
    assert.equal(world.judge('block/b', 'no message'), 'ignored');
    assert.deepEqual(world.cut[1], { peer: 'block/b', banMs: limits.peerMuteMs });
    assert.equal(world.judge('other/c', '1:good:hello'), 'good');
    assert.equal(world.cut.length, 2);
  });

  test('is not listened to after some bad signatures, for a while, and others are', () => {
    const world = new World();
    for (let index = 0; index < limits.peerFaults; index++) world.judge('peer-1', `1:bad:vote ${index}`);
    assert.equal(world.checked.length, limits.peerFaults);
    assert.deepEqual(world.deliver('peer-1', '1:good:vote').verdict, { type: 'ignored', unread: true });
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

  test('has only so many signatures checked at once, counted in signatures and not in messages', () => {
    const world = new World();
    world.held = true;
    const { underWay } = limits.memberClaims;
    for (let index = 0; index < underWay; index++) world.deliver('peer-1', `1:good:vote ${index}`);
    const unread = { type: 'ignored', unread: true };
    assert.deepEqual(world.deliver('peer-1', '1:good:one more').verdict, unread);
    assert.equal(world.judge('peer-2', '1:good:from another'), undefined, 'being checked');
    world.release();
    assert.equal(world.checked.length, underWay + 1);
    world.held = false;
    assert.equal(world.judge('peer-1', '1:good:one more'), 'good');
  });

  test('gives back the room that it had, whatever became of its messages', () => {
    const world = new World();
    for (const text of ['1:good:fine', '1:bad:wrong', '1:good,good,bad:wrong inside'])
      world.deliver('peer-1', text);
    assert.equal(world.handed, 0);
    world.held = true;
    const { underWay } = limits.memberClaims;
    const others = limits.verifyingClaims / underWay;
    for (let peer = 2; peer < 2 + others; peer++) {
      for (let index = 0; index < underWay; index++) {
        world.deliver(`peer-${peer}`, `${peer}:good:vote ${index}`);
      }
    }
    assert.equal(world.handed, limits.verifyingClaims);
    for (let index = 0; index <= underWay; index++) {
      assert.equal(world.judge('peer-1', `1:good:vote ${index}`), 'ignored', 'the node has no room');
    }
    world.release();
    assert.equal(world.handed, 0);
    world.deliver('peer-1', '1:good:first');
    assert.equal(world.judge('peer-1', '1:good:second'), undefined, 'being checked, beside the first');
  });

  test('has only so many checked in a second, after a burst', () => {
    const world = new World();
    const { burst, perSecond } = limits.memberClaims.rate;
    let ignored = 0;
    for (let index = 0; index < burst + 100; index++) {
      if (world.judge('peer-1', `1:good:vote ${index}`) === 'ignored') ignored += 1;
    }
    assert.equal(ignored, 100);
    world.time.run(100);
    for (let index = 0; index < perSecond; index++) world.judge('peer-1', `1:good:later ${index}`);
    assert.ok(world.checked.length <= burst + perSecond / 10 + 1);
    assert.equal(world.judge('peer-2', '1:good:from another'), 'good');
  });

  test('strangers share what is theirs: by address block, and in all; members have their own', () => {
    const world = new World();
    world.held = true;
    const { underWay } = limits.strangerClaims;
    for (let index = 0; index < 2 * underWay; index++) {
      world.deliver(`10.0.0/${index}`, `1:good:vote ${index}`, true);
    }
    assert.equal(world.handed, underWay, 'one address, as many identities as it likes');
    for (let index = 0; index < 10_000; index++) {
      world.deliver(`10.${index}/1`, `1:good:other ${index}`, true);
    }
    assert.equal(world.handed, limits.strangersClaims.underWay, 'many addresses');
    world.deliver('peer-1', '1:good:of a member');
    world.release();
    assert.ok(world.checked.length <= limits.strangersClaims.underWay + 1);
    assert.equal(world.judge('peer-1', '1:good:of a member'), 'good');
  });

  test('faults of a stranger mute its address block, however many identities it has, and no member', () => {
    const world = new World();
    for (let index = 0; index < limits.peerFaults; index++) {
      world.judge(`10.0.0/${index}`, `1:bad:vote ${index}`, true);
    }
    const { length } = world.checked;
    assert.equal(world.judge('10.0.0/another', '1:good:vote', true), 'ignored');
    assert.equal(world.checked.length, length);
    assert.equal(world.judge('10.0.1/1', '1:good:vote', true), 'good');
    assert.equal(world.judge('peer-1', '1:good:vote 2'), 'good');
  });

  test('bytes of strangers are decoded only so fast', () => {
    const world = new World();
    const text = `1:good:${'x'.repeat(10_000)}`;
    let read = 0;
    for (let index = 0; index < 1_000; index++) {
      if (world.judge(`10.0.0/${index}`, `${text}${index % 7}`, true) !== 'ignored') read += 1;
    }
    assert.ok(read * 10_000 <= limits.strangerBytes.burst && read > 0, String(read));
    assert.equal(world.judge('peer-1', '1:good:a vote'), 'good');
  });

  test('bytes of a member, too, though many more', () => {
    const world = new World();
    const text = `1:good:${'x'.repeat(1_000_000)}`;
    let read = 0;
    for (let index = 0; index < 100; index++) if (world.judge('peer-1', text) !== 'ignored') read += 1;
    assert.ok(read > 10 && read * 1_000_000 <= limits.memberBytes.burst, String(read));
    assert.equal(world.judge('peer-2', '1:good:of another'), 'good');
    world.time.run(1_000);
    assert.equal(world.judge('peer-1', text), 'good');
  });
});

describe('signatures inside a message', () => {
  const many = (count: number, wrongAt?: number): string =>
    Array.from({ length: count }, (_, index) => (index === wrongAt ? 'bad' : `good${index}`)).join();

  test('are neither made nor checked when the outer one is wrong', () => {
    const world = new World();
    for (const peer of ['peer-1', 'stranger']) {
      assert.equal(world.judge(peer, '1:bad,good,good2:not to be opened', true), 'bad');
    }
    assert.equal(world.checked.length, 2);
  });

  test('are checked in parts: the first wrong one ends it', () => {
    const world = new World();
    assert.equal(world.judge('peer-1', `1:${many(5_000, 10)}:new view`), 'bad');
    assert.equal(world.checked.length, 1 + limits.claimsAtOnce);
    assert.equal(world.judge('peer-2', `2:${many(5_000)}:new view`), 'good');
  });

  test('cost their signer and not who brings them; one who signed rubbish is not looked into for a while', () => {
    const world = new World();
    assert.equal(world.judge('stranger', `1:${many(500, 400)}:rubbish`, true), 'bad');
    assert.equal(world.judge('another', `1:${many(500, 300)}:more of it`, true), 'ignored');
    assert.equal(world.judge('another', `2:${many(500)}:of somebody else`, true), 'good');
    world.time.run(limits.peerMuteMs);
    assert.equal(world.judge('another', `1:${many(3)}:later`, true), 'good');
  });

  test('count the more against who brought them, the more was checked in vain', () => {
    const world = new World();
    const inVain = limits.claimsPerFault * limits.peerFaults;
    assert.equal(world.judge('peer-1', `1:${many(inVain + 1, inVain)}:rubbish`), 'bad');
    assert.equal(world.judge('peer-1', '1:good:vote'), 'ignored');
  });

  test('what is wrong with the content behind a good signature is held against who brought it', () => {
    const world = new World();
    assert.equal(world.judge('peer-2', '1:good:rotten'), 'bad');
    assert.deepEqual(world.penalties, ['peer-2 codec/malformed']);
    assert.equal(world.judge('peer-1', `1:${many(3)}:of the signer itself`), 'good');
  });

  test('are known when the same message comes again: it costs nothing, wanted or not', () => {
    const world = new World();
    assert.equal(world.judge('peer-1', `1:${many(300)}:new view`), 'good');
    const { length } = world.checked;
    world.wants = () => false;
    assert.equal(world.judge('peer-2', `1:${many(300)}:new view`, true), 'good');
    assert.equal(world.judge('peer-2', `1:${many(301)}:new view`, true), 'ignored', 'another one is not');
    assert.equal(world.checked.length, length);
  });
});

describe('a message tells whether it came from its sender', () => {
  test('on the sender’s own stream it is direct, brought by anybody else it is not', () => {
    const world = new World();
    const directs = [
      world.deliver('peer-1', '1:good:a'),
      world.deliver('peer-2', '1:good:b'),
      world.deliver('peer-1', '1:good:c', true),
    ].map(({ verdict }) => verdict?.type === 'good' && verdict.direct);
    assert.deepEqual(directs, [true, false, false]);
  });
});

describe('a relayed message', () => {
  /** What becomes of one that comes behind the seal of a validator. */
  function sealed(world: World, text: string, mark: string, signature = 'good'): string | undefined {
    let type: string | undefined;
    const seal = claim(7, signature, mark);
    world.verification.relayedMessage('peer-1', utf8(text), (verdict) => (type = verdict.type), seal);
    world.time.run(0);
    return type;
  }

  test('behind a seal is passed on, also when it is of no use here: others may be behind', () => {
    const world = new World();
    world.wants = () => false;
    assert.equal(sealed(world, '1:good:vote of a view that was left', 'first'), 'good');
    assert.equal(world.judge('peer-1', '1:good:another vote', true), 'ignored', 'nobody sealed it');
    assert.equal(world.checked.length, 2);
    assert.equal(sealed(world, '1:good:vote of a view that was left', 'second'), 'good');
    assert.equal(world.checked.length, 3, 'only the seal is new');
  });

  test('behind a seal that was seen before is not passed on again', () => {
    const world = new World();
    assert.equal(sealed(world, '1:good:vote', 'first'), 'good');
    assert.equal(sealed(world, '1:good:vote', 'first'), 'ignored');
    assert.equal(sealed(world, '1:good,good:with one inside', 'second'), 'good');
    assert.equal(sealed(world, '1:good,good:with one inside', 'third'), 'good');
    assert.equal(sealed(world, '1:good,good:with one inside', 'third'), 'ignored');
  });

  test('behind a seal that its validator did not make is held against who brought it', () => {
    const world = new World();
    assert.equal(sealed(world, '1:good:vote', 'first', 'bad'), 'bad');
    assert.equal(sealed(world, '1:good,good:with one inside', 'second'), 'good');
    assert.equal(sealed(world, '1:good,good:with one inside', 'third', 'bad'), 'bad');
    assert.equal(world.penalties.length, 2);
  });

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
