import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { Problem } from '../../../src/base/problem.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { hashHeader } from '../../../src/ledger/block.ts';
import { encodeBlock } from '../../../src/ledger/block-body.ts';
import type { FinalityCertificate } from '../../../src/ledger/certificate.ts';
import { readSegment, type Segment } from '../../../src/node/catch-up/sync-segment.ts';
import { ChainMaker, type Made } from '../chain-maker.ts';
import { signedTransaction, testGenesis } from '../cluster.ts';

const genesis = testGenesis(4);
const maker = new ChainMaker(genesis);
const chain = maker.run(4, (height) => [signedTransaction(genesis, 'alice', { nonce: height - 1 })]);
const at = (height: number): Made => chain[height - 1] ?? assert.fail();
/** As valid as the block in whose place it stands: the same parent and transactions, a moment later. */
const siblingOf = (made: Made): Made => {
  const header = { ...made.header, timestamp: made.header.timestamp + 1 };
  return { ...made, block: { ...made.block, header }, header, hash: hashHeader(header) };
};

function read(blocks: readonly Made[], above: readonly Made[], proof: FinalityCertificate): Segment | string {
  const answer = {
    blocks: blocks.map(({ block }) => encodeBlock(block)),
    headers: above.map(({ header }) => header),
    certificate: proof,
    snapshot: undefined,
  };
  const found = readSegment({ tip: maker.start, count: limits.syncBlocks }, answer, proof);
  return found instanceof Problem ? found.code : found;
}

test('blocks up to that of the certificate are taken, and blocks with the headers between', () => {
  const whole = read(chain, [], maker.certificate(at(4)));
  assert.ok(typeof whole !== 'string');
  assert.deepEqual([whole.blocks.length, whole.last.hash, whole.complete], [4, at(4).hash, true]);
  const part = read(chain.slice(0, 2), chain.slice(2), maker.certificate(at(4)));
  assert.ok(typeof part !== 'string');
  assert.deepEqual([part.blocks.length, part.last.hash, part.complete], [2, at(2).hash, false]);
});

test('a sibling in the place of any block is refused, whatever true thing stands above it', () => {
  for (let height = 1; height <= 4; height++) {
    const below = chain.slice(0, height - 1);
    const above = chain.slice(height);
    const forged = [...below, siblingOf(at(height))];
    const proof = maker.certificate(at(4));
    assert.equal(typeof read([...forged, ...above], [], proof), 'string', 'blocks on top');
    assert.equal(typeof read(forged, above, proof), 'string', 'headers on top');
    assert.equal(typeof read(forged, [], maker.certificate(at(height))), 'string', 'nothing on top');
    assert.equal(typeof read(forged, above.slice(-1), proof), 'string', 'the last header alone');
  }
});

test('so are blocks that do not begin where it was asked, that have a gap, or other transactions', () => {
  const proof = maker.certificate(at(4));
  assert.equal(typeof read(chain.slice(1), [], proof), 'string');
  assert.equal(typeof read([at(1), at(3), at(4)], [], proof), 'string');
  const other = { ...at(2), block: { header: at(2).header, transactions: at(3).block.transactions } };
  assert.equal(typeof read([at(1), other, at(3), at(4)], [], proof), 'string');
  assert.equal(typeof read(chain, [], maker.certificate(at(3))), 'string', 'a certificate of an earlier one');
});

test('blocks past a change of the validators are refused: their certificate is by others', () => {
  const next = 'ab'.repeat(32) as Hash;
  const change = maker.block(maker.start, [], { nextValidatorsHash: next });
  const after = maker.block(change, [], { validatorsHash: next, nextValidatorsHash: next });
  assert.equal(read([change, after], [], maker.certificate(after)), 'sync/unproven');
  const alone = read([change], [], maker.certificate(change));
  assert.ok(typeof alone !== 'string' && alone.whole, 'nothing more can stand in that answer');
});

test('an answer is whole when it has as many blocks as one may have, and not when it has few small ones', () => {
  const long = maker.run(limits.syncBlocks);
  const last = long.at(-1) ?? assert.fail();
  const whole = read(long, [], maker.certificate(last));
  assert.ok(typeof whole !== 'string' && whole.whole);
  const few = read(chain, [], maker.certificate(at(4)));
  assert.ok(typeof few !== 'string' && !few.whole);
});
