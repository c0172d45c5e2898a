import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Problem, unwrap } from '../../src/base/problem.ts';
import type { ReceiptAnswer } from '../../src/client/answers.ts';
import { certifiedHeader, verifyBlockBody, verifyHeader, verifyReceipt } from '../../src/client/verify.ts';
import { type KeyPair, sign } from '../../src/crypto/keys.ts';
import { type BlockHeader, hashHeader, headerJson, toHeight } from '../../src/ledger/block.ts';
import { voteBytes } from '../../src/ledger/certificate.ts';
import { createGenesis, type Genesis } from '../../src/ledger/genesis.ts';
import { receiptJson } from '../../src/ledger/receipt.ts';
import { transactionJson } from '../../src/ledger/transaction.ts';
import { changesOf } from './json-changes.ts';
import { genesisOf, pairs, proofOf, signers } from './proof-samples.ts';

const inside = (json: Record<string, unknown>) => json['inclusion'] as Record<string, unknown>;
const refused = (json: unknown, genesis: Genesis): string => {
  const verdict = verifyReceipt(json, { genesis });
  assert.ok(verdict instanceof Problem, 'this proves nothing');
  return verdict.code;
};

describe('a receipt', () => {
  test('is proven by what a node answers, with nothing but the genesis file', () => {
    for (const engine of ['pbft', 'raft'] as const) {
      const genesis = genesisOf(engine);
      for (const above of [0, 1, 3]) {
        for (const at of [0, 2, 3, 4]) {
          const { json, inclusion, transaction } = proofOf(genesis, above, at);
          for (const answer of [json, inside(json)]) {
            const verified = unwrap(verifyReceipt(answer, { genesis, hash: transaction.hash }));
            assert.deepEqual(verified.inclusion.receipt, inclusion.receipt);
            assert.deepEqual(
              verified.steps.map(({ check }) => check),
              ['transaction', 'receipt', 'headers', 'certificate'],
            );
          }
        }
      }
    }
  });

  test('is proven no more when any letter, digit, field or element of it is another', () => {
    for (const engine of ['pbft', 'raft'] as const) {
      const genesis = genesisOf(engine);
      const proof = inside(proofOf(genesis).json);
      let tried = 0;
      for (const changed of changesOf(proof)) {
        tried++;
        const verdict = verifyReceipt(changed.json, { genesis });
        assert.ok(verdict instanceof Problem, `${engine}: ${changed.where}`);
        assert.match(verdict.code, /^proof\//, changed.where);
      }
      assert.ok(tried > 1_000, `${tried} changes`);
    }
  });

  test('of another transaction, chain or engine is told apart', () => {
    const genesis = genesisOf('pbft');
    const { json } = proofOf(genesis);
    const other = proofOf(genesis, 1, 3).transaction.hash;
    const verdict = verifyReceipt(json, { genesis, hash: other });
    assert.ok(verdict instanceof Problem);
    assert.equal(verdict.code, 'proof/transaction');
    assert.equal(refused(json, genesisOf('pbft', 'another')), 'proof/transaction');
    assert.equal(refused(json, genesisOf('raft')), 'proof/transaction');
  });

  test('needs a quorum of the validators of the genesis file, each once, over a commit', () => {
    const genesis = genesisOf('pbft');
    const proof = proofOf(genesis);
    const withCertificate = (certificate: unknown): unknown => ({ ...inside(proof.json), certificate });
    const { certificate } = proof.inclusion;
    assert.ok(certificate.engine === 'pbft');
    const { signatures } = certificate;
    assert.equal(
      refused(withCertificate({ ...certificate, signatures: signatures.slice(1) }), genesis),
      'proof/certificate',
    );
    const twice = [signatures[0], signatures[0], signatures[1]];
    assert.equal(
      refused(withCertificate({ ...certificate, signatures: twice }), genesis),
      'proof/certificate',
    );
    assert.equal(
      refused(withCertificate({ ...certificate, phase: 'prepare' }), genesis),
      'proof/certificate',
    );
    const slot = { view: certificate.view, height: certificate.height, blockHash: certificate.blockHash };
    const top = proof.inclusion.descendants.at(-1) as BlockHeader;
    const prepare = voteBytes(
      'prepare',
      { chainId: genesis.chainId, epoch: toHeight(0), validatorsHash: top.validatorsHash },
      slot,
    );
    const prepared = signers.map((validator) => ({
      validator,
      signature: sign((pairs[validator] as KeyPair).secretKey, prepare),
    }));
    for (const phase of ['prepare', 'commit']) {
      assert.equal(
        refused(withCertificate({ ...certificate, phase, signatures: prepared }), genesis),
        'proof/certificate',
      );
    }
  });

  test('from validators of their own choice proves nothing', () => {
    const mine = genesisOf('pbft');
    const strangers = unwrap(
      createGenesis({
        ...mine,
        validators: pairs.map(({ publicKey }, index) => ({ name: `x${index}`, publicKey })).slice(0, 3),
      }),
    );
    const { json } = proofOf({ ...strangers, chainId: mine.chainId });
    assert.equal(refused(json, mine), 'proof/unknown-validators');
    const raft = genesisOf('raft');
    const outsider = proofOf(raft, 0);
    const header = { ...(inside(outsider.json)['header'] as object), proposer: undefined };
    assert.equal(refused({ ...inside(outsider.json), header }, raft), 'proof/malformed');
  });

  test('is a problem and no exception whatever is given', () => {
    const genesis = genesisOf('pbft');
    for (const json of [undefined, null, 7, 'x', [], {}, { inclusion: null }, { inclusion: { header: 5 } }]) {
      assert.equal(refused(json, genesis), 'proof/malformed');
    }
  });
});

test('a header is proven by the headers above it and their certificate', () => {
  const genesis = genesisOf('pbft');
  const proof = inside(proofOf(genesis, 2).json);
  const { header, steps } = unwrap(verifyHeader(proof, { genesis }));
  assert.equal(header.height, 1);
  assert.equal(steps.length, 2);
  const { header: first, descendants, certificate } = proof;
  const [second, third] = descendants as object[];
  for (const [wrong, code] of [
    [{ header: first, descendants: [third], certificate }, 'proof/headers'],
    [{ header: first, descendants: [second], certificate }, 'proof/certificate'],
    [{ header: first, descendants: [], certificate }, 'proof/certificate'],
    [{ header: first, descendants: [second, third, third], certificate }, 'proof/headers'],
    [{ header: first, descendants: [second, third] }, 'proof/malformed'],
  ] as const) {
    const verdict = verifyHeader(wrong, { genesis });
    assert.ok(verdict instanceof Problem);
    assert.equal(verdict.code, code);
  }
});

describe('what stands in a block', () => {
  const { block, inclusion } = proofOf(genesisOf('pbft'));
  const { header } = inclusion;

  test('is proven by the roots of its header', () => {
    const { transactions, receipts, steps } = unwrap(verifyBlockBody(block, header));
    assert.deepEqual(transactions.map(transactionJson), block.transactions);
    assert.deepEqual(receipts.map(receiptJson), block.receipts);
    assert.match(steps[0]?.says ?? '', /its 10 transactions/);
  });

  test('is proven no more when any letter, digit, field or element of it is another', () => {
    let tried = 0;
    for (const { json, where } of changesOf(block)) {
      tried++;
      const verdict = verifyBlockBody(json, header);
      assert.ok(verdict instanceof Problem, where);
      assert.match(verdict.code, /^proof\//, where);
    }
    assert.ok(tried > 1_000, `${tried} changes`);
  });

  test('is read without what no hash covers', () => {
    const lie = (one: object): object => ({ ...one, lie: 'more' });
    const receipts = block.receipts.map((one) => {
      const { failure, records, accounts } = one as unknown as ReceiptAnswer;
      const found = failure?.found;
      return lie({
        ...one,
        failure: failure && lie({ ...failure, ...(found && { found: lie(found) }) }),
        records: records.map(lie),
        accounts: accounts.map(lie),
      });
    });
    const body = unwrap(verifyBlockBody({ ...block, receipts }, header));
    assert.deepEqual(body.receipts.map(receiptJson), block.receipts);
    assert.match(JSON.stringify(receipts), /"found":\{[^}]*lie/);
    const shown = certifiedHeader(lie(headerJson(header)), hashHeader(header));
    assert.deepEqual(shown, header);
  });

  test('is that of the certified header alone', () => {
    for (const changed of changesOf(headerJson(header))) {
      const verdict = certifiedHeader(changed.json, hashHeader(header));
      assert.ok(verdict instanceof Problem, changed.where);
      assert.match(verdict.code, /^proof\/(headers|malformed)$/);
    }
  });
});
