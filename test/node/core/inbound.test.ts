import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Input, Verified } from '../../../src/consensus/engine.ts';
import { Problem } from '../../../src/base/problem.ts';
import type { PublicKey, Signature } from '../../../src/crypto/signature.ts';
import type { GossipVerdict } from '../../../src/network/port.ts';
import { inbound } from '../../../src/node/core/inbound.ts';
import { silentLog } from '../../../src/node/process/log.ts';
import { Turns } from '../../../src/node/core/turns.ts';
import type { MessageVerdict } from '../../../src/node/peers/verification.ts';

interface Note {
  readonly from: number;
}

/** The door of a node whose verification says of everything what the test says. */
function world(verdict: MessageVerdict<Note>, actsFor: Readonly<Record<string, number>> = {}) {
  const reached: number[] = [];
  const given: Input<Note>[] = [];
  const faults: string[] = [];
  const claim = { publicKey: '' as PublicKey, message: new Uint8Array(), signature: '' as Signature };
  const heard: number[] = [];
  const present = new Set<string>();
  /** Of whom it is known where they come from. */
  const placed = new Set<string>();
  const met: string[] = [];
  const nothing = (): never => assert.fail('not asked for here');
  const handlers = inbound<Note>({
    turns: new Turns({ settle: () => {}, onThrow: (error) => assert.fail(String(error)) }),
    protocol: { senderOf: ({ from }) => from },
    registry: {
      admit: nothing,
      connected: (peer) => void present.add(peer),
      forget: (peer) => void present.delete(peer),
      validatorOf: (peer) => (present.has(peer) ? actsFor[peer] : undefined),
      peerOf: (validator) => [...present].find((peer) => actsFor[peer] === validator),
      memberKeyOf: nothing,
    },
    standings: { connected: (peer) => void placed.add(peer), forget: (peer) => void placed.delete(peer) },
    verification: {
      directMessage: (_peer, _bytes, done) => done(verdict),
      relayedMessage: (_peer, _bytes, done) => done(verdict),
      fault: (peer, reason) => void faults.push(`${peer} ${reason}`),
      muted: () => false,
    },
    relay: { open: (bytes) => (bytes.length === 0 ? { message: bytes, claim } : noSeal) },
    intake: { frame: nothing, reaches: (validator) => void reached.push(validator) },
    announcing: { heard: nothing },
    messenger: {
      heardByGossip: (validator, from) => {
        assert.equal(from, 'peer');
        heard.push(validator);
      },
    },
    serving: { answer: nothing },
    enqueue: (input) => void given.push(input),
    onMet: (peer) => void met.push(peer),
    log: silentLog,
  });
  const verdicts: GossipVerdict[] = [];
  const gossip = (bytes = new Uint8Array()): void =>
    handlers.onGossip('consensus', bytes, 'peer', (answer) => verdicts.push(answer));
  return { handlers, given, heard, faults, verdicts, gossip, placed, met, reached };
}

const noSeal = new Problem('consensus/unknown-relay', 'no seal', { remedy: 'Make one.' });
const note = { from: 2 } as Verified<Note>;

test('a message that is wanted goes to the engine, and tells whether its sender brought it', () => {
  for (const direct of [true, false]) {
    const { handlers, given } = world({ type: 'good', message: note, wanted: true, direct });
    handlers.onMessage('peer', new Uint8Array());
    assert.deepEqual(given, [{ type: 'message', message: note, direct }]);
  }
});

test('by gossip it also shows that its sender can be reached by gossip', () => {
  const { gossip, given, heard, verdicts } = world({
    type: 'good',
    message: note,
    wanted: true,
    direct: false,
  });
  gossip();
  assert.deepEqual([verdicts, heard], [['accept'], [2]]);
  assert.deepEqual(given, [{ type: 'message', message: note }]);
});

test('one that we had is passed on and shows nothing: anybody can send again what a dead validator signed', () => {
  const { gossip, given, heard, verdicts } = world({
    type: 'good',
    message: note,
    wanted: false,
    direct: false,
  });
  gossip();
  assert.deepEqual([verdicts, heard, given], [['accept'], [], []]);
});

test('one that nobody looked at is not passed on', () => {
  const ignored = world({ type: 'ignored' });
  ignored.gossip();
  assert.deepEqual(ignored.verdicts, ['ignore']);
});

test('one for which its peer had no room may come again from another', () => {
  const unread = world({ type: 'ignored', unread: true });
  unread.gossip();
  assert.deepEqual(unread.verdicts, ['unread']);
});

test('one without a seal is refused unread', () => {
  const { gossip, verdicts, faults } = world({ type: 'ignored' });
  gossip(Uint8Array.of(1));
  assert.deepEqual([verdicts, faults], [['reject'], ['peer consensus/unknown-relay']]);
});

test('what nobody publishes is held against who does, once', () => {
  const { handlers, faults } = world({ type: 'ignored' });
  const verdicts: GossipVerdict[] = [];
  handlers.onGossip('evidence', new Uint8Array(), 'peer', (answer) => verdicts.push(answer));
  assert.deepEqual([verdicts, faults], [['reject'], ['peer network/no-evidence']]);
});

test('a validator is lost with the last of its connections, and not before', () => {
  const { handlers, given } = world({ type: 'ignored' }, { old: 2, new: 2 });
  handlers.onConnected('old');
  handlers.onConnected('new');
  handlers.onConnected('observer');
  given.length = 0;
  handlers.onLost('old');
  handlers.onLost('observer');
  assert.deepEqual(given, []);
  handlers.onLost('new');
  assert.deepEqual(given, [{ type: 'lost', validator: 2 }]);
});

test('where a stranger comes from is known for as long as it is connected, and it may be asked for news', () => {
  const { handlers, given, placed, met } = world({ type: 'ignored' });
  handlers.onConnected('stranger');
  assert.deepEqual([[...placed], met, given], [['stranger'], ['stranger'], []]);
  handlers.onLost('stranger');
  assert.deepEqual([...placed], []);
});

test('a validator that gossip reaches anew is told to the intake, and nobody else', () => {
  const { handlers, reached } = world({ type: 'ignored' }, { old: 2 });
  for (const peer of ['old', 'observer']) {
    handlers.onConnected(peer);
    handlers.onGossipOpen?.(peer);
  }
  assert.deepEqual(reached, [2]);
});
