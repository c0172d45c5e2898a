import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { concat, toHex } from '../../src/base/bytes.ts';
import { decode, encode } from '../../src/base/codec.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { zeroHash } from '../../src/crypto/hash.ts';
import {
  type BlockHeader,
  hashHeader,
  headerCodec,
  proposalCodec,
  toHeight,
  toView,
} from '../../src/ledger/block.ts';
import {
  type Block,
  checkLink,
  checkProposal,
  decodeBlock,
  decodeProposalOf,
  encodeBlock,
  hasRoom,
  maxEncodedBlockBytes,
  proposalOf,
  transactionBytes,
} from '../../src/ledger/block-body.ts';
import { widestLimits } from '../../src/ledger/chain-parameters.ts';
import { merkleRoot } from '../../src/ledger/merkle.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { hashOf, headerWith, put, reason, transfer } from './samples.ts';

const count = (n: number): Uint8Array => Uint8Array.of(n >>> 8, n & 255);

function blockOf(transactions: readonly Transaction[], changes: Partial<BlockHeader> = {}): Block {
  const transactionRoot = merkleRoot(transactions.map((transaction) => transaction.hash));
  return { header: headerWith({ transactionRoot, ...changes }), transactions };
}

const some = Array.from({ length: 5 }, (_, nonce) => transfer({ from: 'alice', nonce }, 'bob', 1n));

describe('a header', () => {
  test('is named by a hash over every one of its fields', () => {
    const header = headerWith();
    const changes: Partial<BlockHeader>[] = [
      { height: toHeight(6) },
      { parentHash: hashOf('x') },
      { view: toView(3) },
      { proposer: hashOf('x') as string as BlockHeader['proposer'] },
      { timestamp: 1 },
      { protocolVersion: 2 },
      { transactionRoot: hashOf('x') },
      { stateRoot: hashOf('x') },
      { receiptsRoot: hashOf('x') },
      { validatorsHash: hashOf('x') },
      { nextValidatorsHash: hashOf('x') },
    ];
    assert.deepEqual(new Set(changes.flatMap(Object.keys)), new Set(Object.keys(header)));
    const hashes = new Set(changes.map((change) => hashHeader({ ...header, ...change })));
    assert.equal(hashes.size, changes.length);
    assert.ok(!hashes.has(hashHeader(header)));
  });

  test('survives its codec; no byte can be missing, be added or go unnoticed', () => {
    const header = headerWith();
    const bytes = encode(headerCodec, header);
    assert.deepEqual(decode(headerCodec, bytes, 'header'), header);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] as number) ^ 1;
      const decoded = decode(headerCodec, changed, 'header');
      assert.ok(decoded instanceof Problem || hashHeader(decoded) !== hashHeader(header));
      assert.ok(decode(headerCodec, bytes.subarray(0, at), 'header') instanceof Problem);
    }
    assert.ok(decode(headerCodec, concat(bytes, Uint8Array.of(0)), 'header') instanceof Problem);
  });

  test('has a frozen format: this hash never changes', () => {
    const header = headerWith({ proposer: '44'.repeat(32) as BlockHeader['proposer'] });
    assert.equal(hashHeader(header), '29ad519242fc320509a910a5dce88aa97fad85071280332541888c9b041d7218');
  });
});

describe('a block', () => {
  test('survives its bytes, empty or full', () => {
    const full = Array.from({ length: limits.maxBlockTransactions }, (_, nonce) =>
      transfer({ from: 'alice', nonce }, 'bob', 1n),
    );
    for (const transactions of [[], some, full]) {
      const block = blockOf(transactions);
      assert.deepEqual(unwrap(decodeBlock(encodeBlock(block))), block);
    }
  });

  test('with a byte changed anywhere is refused, or is another block by hash or by transactions', () => {
    const block = blockOf(some.slice(0, 2));
    const bytes = encodeBlock(block);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      const decoded = decodeBlock(changed);
      if (decoded instanceof Problem) continue;
      assert.equal(toHex(encodeBlock(decoded)), toHex(changed), 'one encoding for one value');
      const sameHeader = hashHeader(decoded.header) === hashHeader(block.header);
      assert.ok(!sameHeader || checkProposal(proposalOf(decoded)) !== undefined);
    }
    for (let length = 0; length < bytes.length; length++) {
      assert.ok(decodeBlock(bytes.subarray(0, length)) instanceof Problem);
    }
    assert.ok(decodeBlock(concat(bytes, Uint8Array.of(0))) instanceof Problem);
  });

  test('of any bytes at all is a problem or decodes to what encodes to them', () => {
    const bytes = encodeBlock(blockOf(some));
    const splice = fc.tuple(fc.nat(bytes.length), fc.nat(40), fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(splice, ([at, drop, insert]) => {
        const changed = concat(bytes.subarray(0, at), insert, bytes.subarray(at + drop));
        const decoded = decodeBlock(changed);
        if (!(decoded instanceof Problem)) assert.deepEqual(encodeBlock(decoded), changed);
      }),
      { seed: 61, numRuns: 500 },
    );
  });

  test('may hold so many transactions and so many bytes of them, and not one more', () => {
    const value = new Uint8Array(limits.maxRecordValueBytes);
    const large = Array.from({ length: 500 }, (_, nonce) => put({ from: 'alice', nonce }, 'k', value));
    const size = transactionBytes(large.slice(0, 1));
    const fitting = Math.floor(limits.maxBlockBytes / size);
    assert.ok(fitting < large.length);
    assert.ok(!(decodeBlock(encodeBlock(blockOf(large.slice(0, fitting)))) instanceof Problem));
    assert.throws(() => encodeBlock(blockOf(large.slice(0, fitting + 1))), /may have/);
    const tooMany = Array.from({ length: limits.maxBlockTransactions + 1 }, () => some[0] as Transaction);
    assert.throws(() => encodeBlock(blockOf(tooMany)), /above the limit/);
  });

  test('above the limit is refused by its size, its count and its sum, whoever encoded it', () => {
    const huge = decodeBlock(new Uint8Array(maxEncodedBlockBytes + 1));
    assert.ok(huge instanceof Problem && huge.code === 'block/oversize');
    const header = encode(headerCodec, headerWith());
    assert.match(
      reason(decodeBlock(concat(header, count(limits.maxBlockTransactions + 1)))),
      /above the limit/,
    );
    const large = put({ from: 'alice', nonce: 0 }, 'k', new Uint8Array(limits.maxRecordValueBytes)).bytes;
    const framed = concat(count(large.length), large);
    const many = Math.floor(limits.maxBlockBytes / large.length) + 1;
    const frames = Array.from({ length: many }, () => framed);
    assert.match(reason(decodeBlock(concat(header, count(many), ...frames))), /its transactions have/);
  });

  test('has room while any transaction would fit', () => {
    assert.equal(hasRoom([], widestLimits), true);
    assert.equal(hasRoom(some, widestLimits), true);
    const value = new Uint8Array(limits.maxRecordValueBytes);
    const large = put({ from: 'alice', nonce: 0 }, 'k', value);
    const fitting = Math.floor((limits.maxBlockBytes - limits.maxTransactionBytes) / large.bytes.length);
    assert.equal(
      hasRoom(
        Array.from({ length: fitting }, () => large),
        widestLimits,
      ),
      true,
    );
    assert.equal(
      hasRoom(
        Array.from({ length: fitting + 1 }, () => large),
        widestLimits,
      ),
      false,
    );
    const copies = (length: number) => Array.from({ length }, () => some[0] as Transaction);
    assert.equal(hasRoom(copies(limits.maxBlockTransactions - 1), widestLimits), true);
    assert.equal(hasRoom(copies(limits.maxBlockTransactions), widestLimits), false);
  });
});

describe('a proposal', () => {
  test('lists exactly what its header commits to', () => {
    const proposal = proposalOf(blockOf(some));
    assert.equal(checkProposal(proposal), undefined);
    assert.equal(checkProposal(proposalOf(blockOf([]))), undefined);
    assert.deepEqual(decode(proposalCodec, encode(proposalCodec, proposal), 'proposal'), proposal);
    const others = [
      proposal.transactionHashes.toReversed(),
      proposal.transactionHashes.slice(1),
      [...proposal.transactionHashes, zeroHash],
      [],
    ];
    for (const transactionHashes of others) {
      assert.equal(checkProposal({ ...proposal, transactionHashes })?.code, 'block/transaction-root');
    }
  });

  test('lists nothing twice and not too much, even when its header commits to that', () => {
    const twice = proposalOf(blockOf([...some, some[0] as Transaction]));
    assert.equal(checkProposal(twice)?.code, 'block/duplicate-transaction');
    const hashes = Array.from({ length: limits.maxBlockTransactions + 1 }, (_, i) => hashOf(`${i}`));
    const tooMany = {
      header: headerWith({ transactionRoot: merkleRoot(hashes) }),
      transactionHashes: hashes,
    };
    assert.equal(checkProposal(tooMany)?.code, 'block/oversize');
  });
});

describe('a link between a header and its parent', () => {
  const parent = headerWith();
  const child = headerWith({
    height: toHeight(parent.height + 1),
    parentHash: hashHeader(parent),
    timestamp: parent.timestamp + 1,
  });

  test('holds for the next height, the parent hash, a later time and the announced validators', () => {
    assert.equal(checkLink(parent, child), undefined);
  });

  test('breaks with any of them', () => {
    const wrong: [string, Partial<BlockHeader>][] = [
      ['block/height', { height: parent.height }],
      ['block/height', { height: toHeight(parent.height + 2) }],
      ['block/parent', { parentHash: hashOf('another') }],
      ['block/timestamp', { timestamp: parent.timestamp }],
      ['block/timestamp', { timestamp: parent.timestamp - 1 }],
      ['block/validators', { validatorsHash: hashOf('others') }],
    ];
    for (const [code, change] of wrong) {
      const problem = checkLink(parent, { ...child, ...change });
      assert.equal(problem?.code, code);
      assert.match(problem?.message ?? '', /^the block at height \d+ /);
    }
  });

  test('lets a block announce other validators for the next height', () => {
    const change = { nextValidatorsHash: hashOf('next') };
    assert.equal(checkLink(parent, { ...child, ...change }), undefined);
    const successor = headerWith({
      height: toHeight(child.height + 1),
      parentHash: hashHeader({ ...child, ...change }),
      timestamp: child.timestamp + 1,
      validatorsHash: hashOf('next'),
    });
    assert.equal(checkLink({ ...child, ...change }, successor), undefined);
  });
});

describe('the proposal of a stored block', () => {
  test('is what the whole block would give', () => {
    for (const transactions of [[], some, [put({ from: 'bob', nonce: 3 }, 'key', Uint8Array.of(1, 2))]]) {
      const block = blockOf(transactions);
      assert.deepEqual(decodeProposalOf(encodeBlock(block)), proposalOf(block));
    }
  });

  test('is a problem for anything that is no block: cut short, longer, or with an oversized part', () => {
    const bytes = encodeBlock(blockOf(some));
    for (let end = 0; end < bytes.length; end += 7) {
      assert.ok(decodeProposalOf(bytes.subarray(0, end)) instanceof Problem, `${end} bytes`);
    }
    assert.ok(decodeProposalOf(concat(bytes, Uint8Array.of(0))) instanceof Problem);
    const tooMany = concat(encode(headerCodec, headerWith()), count(limits.maxBlockTransactions + 1));
    assert.ok(decodeProposalOf(tooMany) instanceof Problem);
  });
});
