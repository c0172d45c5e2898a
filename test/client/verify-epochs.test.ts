import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epochJson, finalityJson } from '../../src/api/present.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import type { EpochAnswer } from '../../src/client/answers.ts';
import { ProofChecker } from '../../src/client/proof-checker.ts';
import { verifyHeader } from '../../src/client/verify.ts';
import { type KeyPair, keyPairFromSeed, sign } from '../../src/crypto/keys.ts';
import { type BlockHeader, hashHeader, toHeight, toView } from '../../src/ledger/block.ts';
import { type FinalityCertificate, voteBytes } from '../../src/ledger/certificate.ts';
import { genesisHeader } from '../../src/ledger/genesis.ts';
import type { EpochProof } from '../../src/ledger/inclusion.ts';
import { validatorSet } from '../../src/ledger/validators.ts';
import { changesOf } from './json-changes.ts';
import { genesisOf, nextHeader, pairs, proofOf as receiptProof } from './proof-samples.ts';

const genesis = genesisOf('pbft');
const fifth = keyPairFromSeed(new Uint8Array(32).fill(9));
const [one, two, three] = pairs as [KeyPair, KeyPair, KeyPair];
const others: readonly KeyPair[] = [fifth, three, one, two];
const keysOf = (set: readonly KeyPair[]) => set.map(({ publicKey }) => publicKey);
const hashOf = (set: readonly KeyPair[]) => validatorSet(keysOf(set)).hash;

/** A quorum's word on a block, as validators of an epoch. */
function certificateOf(header: BlockHeader, set: readonly KeyPair[], epoch: number): FinalityCertificate {
  const slot = { view: toView(0), height: header.height, blockHash: hashHeader(header) };
  const about = { chainId: genesis.chainId, epoch: toHeight(epoch), validatorsHash: hashOf(set) };
  const message = voteBytes('commit', about, slot);
  const signatures = set
    .slice(0, 3)
    .map(({ secretKey }, validator) => ({ validator, signature: sign(secretKey, message) }));
  return { engine: 'pbft', phase: 'commit', epoch: toHeight(epoch), ...slot, signatures };
}

// Four validators, then others from block 3 on, and from block 5 on the first ones again.
const first = nextHeader(genesisHeader(genesis), {});
const toOthers = nextHeader(first, { nextValidatorsHash: hashOf(others) });
const third = nextHeader(toOthers, { validatorsHash: hashOf(others) });
const backAgain = nextHeader(third, { nextValidatorsHash: hashOf(pairs) });
const fifthHeader = nextHeader(backAgain, { validatorsHash: hashOf(pairs) });
const epochProof = (
  header: BlockHeader,
  by: readonly KeyPair[],
  epoch: number,
  next: readonly KeyPair[],
): EpochProof => ({
  header,
  descendants: [],
  certificate: certificateOf(header, by, epoch),
  validators: keysOf(next),
});
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const firstChange = json(epochJson(epochProof(toOthers, pairs, 0, others)));
const secondChange = json(epochJson(epochProof(backAgain, others, 2, pairs)));
const epochs = [firstChange, secondChange];
const proofOf = (header: BlockHeader, by: readonly KeyPair[], epoch: number): unknown =>
  json(finalityJson({ header, descendants: [], certificate: certificateOf(header, by, epoch) }));

const codeOf = (answer: unknown, known: unknown): string => {
  const verdict = verifyHeader(answer, { genesis, epochs: known });
  return verdict instanceof Problem ? verdict.code : 'proven';
};

test('blocks are proven over changes of the validators, with nothing but the genesis file', () => {
  for (const [header, by, epoch] of [
    [first, pairs, 0],
    [toOthers, pairs, 0],
    [third, others, 2],
    [backAgain, others, 2],
    [fifthHeader, pairs, 4],
  ] as const) {
    assert.equal(codeOf(proofOf(header, by, epoch), epochs), 'proven', `block ${header.height}`);
  }
  const last = unwrap(verifyHeader(proofOf(fifthHeader, pairs, 4), { genesis, epochs }));
  assert.match(last.steps.at(-1)?.says ?? '', /since block 4/);
});

test('who is no validator of a block proves nothing of it, whenever they were or will be one', () => {
  for (const [header, by, epoch, known, code] of [
    // Their own proof in the answer does not help them either.
    [third, others, 2, [], 'proof/unknown-validators'],
    [third, pairs, 0, epochs, 'proof/unknown-validators'],
    [third, pairs, 2, epochs, 'proof/certificate'],
    [fifthHeader, pairs, 4, [firstChange], 'proof/unknown-validators'],
    // They are the same ones, and what they signed in their first time means nothing now.
    [fifthHeader, pairs, 0, epochs, 'proof/unknown-validators'],
    [fifthHeader, others, 2, epochs, 'proof/unknown-validators'],
    [first, others, 2, epochs, 'proof/unknown-validators'],
  ] as const) {
    assert.equal(codeOf(proofOf(header, by, epoch), known), code, `block ${header.height}, epoch ${epoch}`);
  }
});

test('a change of the validators needs the word of those before, and names those after', () => {
  const good = proofOf(fifthHeader, pairs, 4);
  const strangers = epochProof(
    { ...toOthers, nextValidatorsHash: hashOf([fifth]) },
    [fifth, fifth, fifth],
    0,
    [fifth],
  );
  const noChange = epochProof(first, pairs, 0, pairs);
  const covered = { ...epochProof(first, pairs, 0, others), descendants: [toOthers] };
  for (const known of [
    [secondChange],
    [secondChange, firstChange],
    [json(epochJson(strangers)), secondChange],
    [json(epochJson(noChange)), ...epochs],
    [json(epochJson(covered)), ...epochs],
    [json(epochJson(epochProof(toOthers, pairs, 0, pairs))), secondChange],
    'no list',
    [null],
  ]) {
    assert.notEqual(codeOf(good, known), 'proven', JSON.stringify(known).slice(0, 90));
  }
  assert.equal(codeOf(good, [firstChange, firstChange, secondChange]), 'proven', 'told twice is told once');
});

test('more validators than a set has room for are no proof', () => {
  const many = Array.from({ length: limits.maxValidators + 1 }, () => fifth);
  const crowded = epochProof(toOthers, pairs, 0, many);
  const good = proofOf(fifthHeader, pairs, 4);
  assert.equal(codeOf(good, [json(epochJson(crowded)), secondChange]), 'proof/malformed');
});

test('nothing in it can be another', () => {
  const good = proofOf(fifthHeader, pairs, 4);
  let tried = 0;
  for (const { json: changed, where } of changesOf(epochs, '', 9)) {
    // Told twice is told once.
    if (/ with \d+ twice$/.test(where) && where.startsWith(' ')) continue;
    tried++;
    assert.notEqual(codeOf(good, changed), 'proven', where);
  }
  assert.ok(tried > 200);
});

describe('a checker', () => {
  const strangers = epochProof(
    { ...toOthers, nextValidatorsHash: hashOf([fifth]) },
    [fifth, fifth, fifth],
    0,
    [fifth],
  );
  const made = json(epochJson(strangers));
  const unreachable = new Problem('api/unreachable', 'nobody is there', { remedy: 'Wait.' });

  /** One that asks a node which tells what is put here, a page at a time. */
  function checking() {
    const asked: number[] = [];
    const node = {
      epochs: [] as readonly unknown[],
      problem: undefined as Problem | undefined,
      isDeaf: false,
    };
    const checker = new ProofChecker(genesis, {
      epochs: (options) => {
        const from = options?.from ?? toHeight(0);
        asked.push(from);
        const fresh = node.epochs.filter(
          (one) => (one as { header: { height: number } }).header.height >= from || node.isDeaf,
        );
        return Promise.resolve(
          node.problem ?? {
            ...genesis,
            engine: 'pbft',
            epochs: fresh.slice(0, node.isDeaf ? 9 : 1) as EpochAnswer[],
          },
        );
      },
    });
    const codeBy = async (header: BlockHeader, by: readonly KeyPair[], epoch: number) => {
      const verdict = await checker.header(proofOf(header, by, epoch));
      return verdict instanceof Problem ? verdict.code : 'proven';
    };
    return { checker, node, asked, codeBy };
  }

  test('asks how the validators changed when strangers signed, and no sooner or oftener', async () => {
    const { checker, node, asked, codeBy } = checking();
    node.epochs = epochs;
    assert.equal(await codeBy(first, pairs, 0), 'proven');
    assert.deepEqual(asked, []);
    assert.equal(await codeBy(fifthHeader, pairs, 4), 'proven');
    assert.deepEqual(asked, [1, 3, 5]);
    assert.equal(await codeBy(third, others, 2), 'proven');
    assert.equal(await codeBy(toOthers, pairs, 0), 'proven');
    assert.deepEqual(asked, [1, 3, 5]);
    // A proof that is kept is checked elsewhere with these beside it.
    assert.deepEqual(checker.epochs, epochs);
    assert.equal(codeOf(proofOf(fifthHeader, pairs, 4), checker.epochs), 'proven');
  });

  test('keeps each change once, whatever a node tells again', async () => {
    const { checker, node, codeBy } = checking();
    node.isDeaf = true;
    node.epochs = [firstChange];
    assert.equal(await codeBy(third, others, 2), 'proven');
    node.epochs = epochs;
    assert.equal(await codeBy(fifthHeader, pairs, 4), 'proven');
    assert.deepEqual(checker.epochs, epochs);
  });

  test('keeps nothing that is not proven, so a node that lied once is asked again', async () => {
    const { checker, node, codeBy } = checking();
    node.epochs = [made];
    assert.equal(await codeBy(third, others, 2), 'proof/certificate');
    node.epochs = [{ ...(firstChange as object), validators: ['nobody'] }];
    assert.equal(await codeBy(third, others, 2), 'proof/malformed');
    assert.deepEqual(checker.epochs, []);
    // As many as the lies were, and true.
    node.epochs = [firstChange];
    assert.equal(await codeBy(third, others, 2), 'proven');
    node.epochs = [made];
    assert.equal(await codeBy(fifthHeader, pairs, 4), 'proof/unknown-validators');
    assert.deepEqual(checker.epochs, [firstChange]);
    assert.equal(await codeBy(third, others, 2), 'proven', 'what is proven stays so');
  });

  test('says that nobody could be asked, and asks when somebody can', async () => {
    const { node, codeBy } = checking();
    node.problem = unreachable;
    assert.equal(await codeBy(third, others, 2), 'api/unreachable');
    node.problem = undefined;
    node.epochs = epochs;
    assert.equal(await codeBy(third, others, 2), 'proven');
  });

  test('ends with what a node without end makes up, at the first page', async () => {
    const { asked, node, codeBy } = checking();
    node.epochs = Array.from({ length: 50 }, (_, height) => ({
      ...(made as object),
      header: { ...(made as { header: object }).header, height: height + 2 },
    }));
    assert.match(await codeBy(fifthHeader, pairs, 4), /^proof\//);
    assert.deepEqual(asked, [1]);
  });

  test('of another genesis file knows nothing of what was proven against this one', async () => {
    const { checker, node, codeBy } = checking();
    node.epochs = epochs;
    assert.equal(await codeBy(fifthHeader, pairs, 4), 'proven');
    const other = new ProofChecker(genesisOf('pbft', 'another'), {
      epochs: () => Promise.resolve({ ...genesis, engine: 'pbft', epochs: checker.epochs }),
    });
    const verdict = await other.header(proofOf(fifthHeader, pairs, 4));
    assert.ok(verdict instanceof Problem);
    assert.deepEqual(other.epochs, []);
  });

  test('proves the receipt that was meant', async () => {
    const { checker } = checking();
    const { json: answer, transaction } = receiptProof(genesis);
    assert.ok(!((await checker.receipt(answer, transaction.hash)) instanceof Problem));
    const another = await checker.receipt(answer, hashHeader(first));
    assert.ok(another instanceof Problem);
    assert.equal(another.code, 'proof/transaction');
  });
});
