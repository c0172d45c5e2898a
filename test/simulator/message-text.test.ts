import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMessage as encodePbft } from '../../src/consensus/pbft/message-codec.ts';
import { encodeMessage as encodeRaft } from '../../src/consensus/raft/message.ts';
import { kindOf } from '../../src/simulator/plan/message-kinds.ts';
import { messageText } from '../../src/simulator/plan/message-text.ts';
import { pbftSamples } from '../golden/pbft-values.ts';
import { raftSamples } from '../golden/raft-values.ts';
import { hashOf, someSignature } from '../ledger/samples.ts';
import { toHeight, toView } from '../../src/ledger/block.ts';

const certificate = {
  phase: 'commit',
  epoch: toHeight(0),
  view: toView(3),
  height: toHeight(5),
  blockHash: hashOf('five'),
  signatures: [0, 1, 2].map((validator) => ({ validator, signature: someSignature })),
} as const;

test('each message of either engine says what decides something', () => {
  const texts = [
    ...Object.values(pbftSamples(certificate)).map((message) => ['pbft', encodePbft(message)] as const),
    ...raftSamples.messages.map((message) => ['raft', encodeRaft(message)] as const),
  ].map(([engine, bytes]) => `${kindOf(engine, bytes)}: ${messageText(engine, bytes)}`);
  assert.ok(
    texts.every((text) => !/bytes|undefined|NaN/.test(text)),
    texts.join('\n'),
  );
  for (const text of [
    `pre-prepare: block 6 (${hashOf('proposed').slice(0, 6)}), view 4, 3 transactions`,
    'suspect: view 4, censorship at height 6',
    `view-change: to view 5; final 5, best prepare of block 6 (${hashOf('five').slice(0, 6)}), view 3`,
    `accepted: term 12: has all up to 7 (${hashOf('seven').slice(0, 6)})`,
    'heartbeat: term 12, round 99, committed 6',
  ]) {
    assert.ok(texts.includes(text), `${text}\n${texts.join('\n')}`);
  }
});

test('what is no message is counted in bytes', () => {
  for (const engine of ['pbft', 'raft'] as const) {
    assert.equal(messageText(engine, Uint8Array.of(200, 1, 2)), '3 bytes');
    assert.equal(messageText(engine, new Uint8Array()), '0 bytes');
  }
});
