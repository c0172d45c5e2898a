import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Hash } from '../../src/crypto/hash.ts';
import { hashHeader, toHeight } from '../../src/ledger/block.ts';
import { merkleRoot } from '../../src/ledger/merkle.ts';
import { proposalOf } from '../../src/ledger/block-body.ts';
import { type Judged, judgePlainly } from '../../src/simulator/checkers/plain-ledger.ts';
import { plainGenesisChain } from '../../src/simulator/checkers/plain-changes.ts';
import {
  plainHashesRoot,
  plainHeaderHash,
  plainStateRoot,
} from '../../src/simulator/checkers/plain-roots.ts';
import { ChainMaker } from '../node/chain-maker.ts';
import { signedTransaction, testGenesis } from '../node/cluster.ts';

const genesis = testGenesis(4);
const maker = new ChainMaker(genesis);
const accounts = new Map(
  genesis.accounts.map(({ publicKey, balance }) => [
    publicKey as string,
    { balance, held: 0n, nonce: 0, keys: null },
  ]),
);
const namespaces = new Map(genesis.namespaces.map(({ name, ...rules }) => [name, rules]));
const start = {
  header: maker.start.header,
  state: {
    accounts,
    records: new Map(),
    reservations: [],
    namespaces,
    chain: plainGenesisChain(maker.start.header, genesis),
  },
};
const transactions = [
  signedTransaction(genesis, 'alice', { nonce: 0 }),
  signedTransaction(genesis, 'alice', {
    nonce: 1,
    operation: { type: 'put', key: 'deed', value: Uint8Array.of(7) },
  }),
  signedTransaction(genesis, 'alice', {
    nonce: 2,
    operation: { type: 'put', key: 'demo/deed', value: Uint8Array.of(8) },
  }),
  signedTransaction(genesis, 'bob', { nonce: 0, operation: { type: 'delete', key: 'deed' } }),
  signedTransaction(genesis, 'bob', { nonce: 1, operation: { type: 'delete', key: 'nothing' } }),
];
const made = maker.block(maker.start, transactions);
const { block } = made;

function judged(
  change: Partial<typeof block.header> = {},
  hashes = proposalOf(block).transactionHashes,
): Judged {
  const header = { ...block.header, ...change };
  return judgePlainly({
    blockHash: hashHeader(header),
    proposal: { header, transactionHashes: hashes },
    parent: start,
    rules: genesis,
    transaction: (hash) => transactions.find((each) => each.hash === hash),
  });
}

function why(found: Judged): string {
  return found.verdict === 'invalid' ? found.why : 'valid';
}

describe('the ledger once more, plainly', () => {
  test('agrees with the ledger on what is valid, and on the state after it', () => {
    const found = judged();
    assert.equal(why(found), 'valid');
    if (found.verdict === 'valid') {
      assert.equal(plainStateRoot(found.state), block.header.stateRoot);
    }
    assert.equal(plainHeaderHash(block.header), hashHeader(block.header));
    for (let count = 0; count < 20; count++) {
      const hashes = Array.from(
        { length: count },
        (_, index) => index.toString(16).padStart(64, '0') as Hash,
      );
      assert.equal(plainHashesRoot(hashes), merkleRoot(hashes));
    }
  });

  test('a block that breaks one rule is invalid, and says why', () => {
    const other = 'cd'.repeat(32) as Hash;
    const hashes = proposalOf(block).transactionHashes;
    assert.equal(why(judged({ height: toHeight(2) })), 'it is not one above its parent');
    assert.equal(why(judged({ parentHash: other })), 'it names another parent');
    assert.equal(why(judged({ timestamp: start.header.timestamp })), 'it is not later than its parent');
    assert.equal(why(judged({ validatorsHash: other })), 'it names other validators');
    assert.equal(why(judged({}, hashes.slice(1))), 'it lists other transactions');
    assert.equal(why(judged({ receiptsRoot: other })), 'it claims another receipts root');
    assert.equal(why(judged({ stateRoot: other })), 'it claims another state root');
    assert.equal(why(judged({ protocolVersion: 2 })), 'it names another version');
    assert.equal(why(judged({ nextValidatorsHash: other })), 'it names other next validators');
    const twice = [...hashes, ...hashes.slice(0, 1)];
    assert.equal(why(judged({ transactionRoot: merkleRoot(twice) }, twice)), 'it lists one twice');
    const later = hashes.toReversed();
    assert.match(why(judged({ transactionRoot: merkleRoot(later) }, later)), /holds nonce 1/);
    const unknown = [other];
    assert.match(why(judged({ transactionRoot: merkleRoot(unknown) }, unknown)), /nobody made/);
  });
});
