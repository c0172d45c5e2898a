import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defined } from '../../../src/base/invariant.ts';
import { limits } from '../../../src/base/limits.ts';
import type { PublicKey, Signature, SignatureClaim, Verifier } from '../../../src/crypto/signature.ts';
import type { Transaction } from '../../../src/ledger/transaction.ts';
import { ClaimChecker } from '../../../src/node/peers/claim-checker.ts';
import type { Lane } from '../../../src/node/peers/claim-lines.ts';
import type { NamedClaim } from '../../../src/node/peers/named-claims.ts';
import { transaction } from '../../ledger/samples.ts';

interface Call {
  readonly names: string[];
  readonly strict: boolean;
  readonly urgent: boolean;
  readonly done: (valid: readonly boolean[]) => void;
}

/** A verifier that answers when told. What is named "odd" is valid by the consensus rule alone, "bad" by none. */
class SlowVerifier implements Verifier {
  readonly calls: Call[] = [];

  verify(claims: readonly SignatureClaim[], strict: boolean, done: Call['done'], urgent = !strict): void {
    this.calls.push({ names: claims.map(({ signature }) => signature), strict, urgent, done });
  }

  answer(): void {
    for (const { names, strict, done } of this.calls.splice(0)) {
      done(names.map((name) => !name.startsWith('bad') && !(strict && name.startsWith('odd'))));
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** One that answers before `verify` returns. */
class PromptVerifier extends SlowVerifier {
  override verify(...asked: Parameters<Verifier['verify']>): void {
    super.verify(...asked);
    this.answer();
  }
}

const claim = (name: string): NamedClaim => ({
  hash: name,
  claim: { publicKey: '' as PublicKey, message: new Uint8Array(), signature: name as Signature },
});

class World {
  readonly verifier: SlowVerifier;
  readonly checker: ClaimChecker;
  readonly answers: (readonly boolean[])[] = [];

  constructor(verifier = new SlowVerifier()) {
    this.verifier = verifier;
    this.checker = new ClaimChecker(verifier);
  }

  check(lane: Lane, ...names: string[]): void {
    this.checker.check(names.map(claim), lane, (valid) => this.answers.push(valid));
  }

  /** As for what a client brings. */
  checkStrictly(...names: string[]): void {
    this.checker.check(names.map(claim), 'transactions', (valid) => this.answers.push(valid), true);
  }

  get asked(): [names: string, how: string][] {
    return this.verifier.calls.map(({ names, strict, urgent }) => [
      names.join(),
      `${strict ? 'strict' : 'consensus'}${urgent ? ' urgent' : ''}`,
    ]);
  }

  answerAll(): void {
    while (this.verifier.calls.length > 0) this.verifier.answer();
  }
}

describe('the claim checker', () => {
  test('answers for each claim, in order', () => {
    const world = new World();
    world.check('transactions', 'a', 'bad', 'b');
    world.verifier.answer();
    assert.deepEqual(world.answers, [[true, false, true]]);
  });

  test('a verifier that answers at once is heard as any other', () => {
    const world = new World(new PromptVerifier());
    world.check('transactions', 'a', 'bad', 'b');
    world.checkStrictly('odd', 'bad');
    world.check('blocks', 'odd', 'bad', 'a');
    assert.deepEqual(world.answers, [
      [true, false, true],
      [false, false],
      [true, false, true],
    ]);
  });

  test('asks nothing about what it knows', () => {
    const world = new World();
    world.check('transactions', 'a');
    world.verifier.answer();
    world.check('blocks', 'a');
    world.check('transactions', 'a', 'a');
    assert.deepEqual(world.answers, [[true], [true], [true, true]]);
    assert.deepEqual(world.asked, []);
  });

  test('a strict check refuses only to save work: what the rule accepted, or is being asked for, is good', () => {
    const world = new World();
    world.check('blocks', 'odd');
    world.checkStrictly('odd');
    assert.deepEqual(world.asked, [['odd', 'consensus urgent']]);
    world.verifier.answer();
    world.checkStrictly('odd');
    assert.deepEqual(world.answers, [[true], [true], [true]]);
    world.checkStrictly('odd two');
    world.verifier.answer();
    assert.deepEqual(world.answers[3], [false]);
  });

  test('keeps no more new transactions at the verifier than keep it busy', () => {
    const world = new World();
    const names = Array.from({ length: limits.patientHanded + 10 }, (_, index) => `t${index}`);
    world.check('transactions', ...names);
    assert.deepEqual(
      world.verifier.calls.map(({ names }) => names.length),
      [limits.patientHanded],
    );
    world.verifier.answer();
    assert.deepEqual(
      world.verifier.calls.map(({ names }) => names.length),
      [10],
    );
    world.verifier.answer();
    assert.equal(defined(world.answers[0], 'the answer').length, names.length);
    assert.equal(world.checker.load, 0);
  });

  test('keeps no more of any kind at the verifier, however much peers send: its own bound is out of reach', () => {
    const world = new World();
    let most = 0;
    for (const lane of ['messages', 'blocks', 'transactions', 'strangers'] as const) {
      world.check(lane, ...Array.from({ length: 10_000 }, (_, index) => `${lane} ${index}`));
    }
    while (world.verifier.calls.length > 0) {
      const at = world.verifier.calls.reduce((sum, { names }) => sum + names.length, 0);
      most = Math.max(most, at);
      world.verifier.answer();
    }
    assert.equal(most, limits.consensusHanded + limits.patientHanded);
    assert.ok(most <= limits.verifierQueue);
    assert.equal(world.answers.length, 4);
    assert.equal(world.checker.load, 0);
  });

  test('hands over messages before blocks, and what members and clients bring before what strangers bring', () => {
    const world = new World();
    world.check('blocks', ...Array.from({ length: limits.consensusHanded + 1 }, (_, index) => `b${index}`));
    world.check('strangers', ...Array.from({ length: limits.patientHanded + 1 }, (_, index) => `s${index}`));
    world.check('transactions', 't');
    world.check('messages', 'm');
    world.verifier.calls.splice(0).forEach(({ names, done }) => done(names.map(() => true)));
    assert.deepEqual(
      world.asked.map(([names]) => names).toSorted((a, b) => a.localeCompare(b)),
      [`m,b${limits.consensusHanded}`, `t,s${limits.patientHanded}`],
    );
  });

  test('what a stranger brought goes on in the place of the member who brings it, too', () => {
    const world = new World();
    world.check('strangers', ...Array.from({ length: limits.patientHanded + 10 }, (_, index) => `s${index}`));
    world.check('transactions', 't', `s${limits.patientHanded + 9}`);
    world.verifier.answer();
    assert.deepEqual(world.asked[0]?.[0].split(',').slice(0, 3), [
      't',
      `s${limits.patientHanded + 9}`,
      `s${limits.patientHanded}`,
    ]);
  });

  test('takes what a block needs out of the queue and checks it at once, and only once', () => {
    const world = new World();
    const names = Array.from({ length: limits.patientHanded + 10 }, (_, index) => `t${index}`);
    world.check('transactions', ...names);
    const last = defined(names.at(-1), 'the last');
    world.check('blocks', last);
    assert.deepEqual(world.asked.at(-1), [last, 'consensus urgent']);
    world.answerAll();
    assert.deepEqual(
      world.answers.map((valid) => valid.every(Boolean)),
      [true, true],
    );
    assert.equal(world.checker.load, 0);
  });

  test('waits for a strict answer that is under way, and asks the consensus rule only after a no', () => {
    const world = new World();
    world.checkStrictly('a', 'odd', 'bad');
    world.check('blocks', 'a', 'odd', 'bad');
    assert.deepEqual(world.asked, [['a,odd,bad', 'strict']]);
    world.verifier.answer();
    assert.deepEqual(world.answers, [[true, false, false]]);
    assert.deepEqual(world.asked, [['odd,bad', 'consensus urgent']]);
    world.verifier.answer();
    assert.deepEqual(world.answers[1], [true, true, false]);
  });

  test('what a client and a peer bring share one place, and each is judged by its own rule', () => {
    const world = new World();
    world.checkStrictly('odd');
    world.check('transactions', 'odd');
    assert.deepEqual(world.asked, [['odd', 'strict']]);
    world.verifier.answer();
    assert.deepEqual(world.asked, [['odd', 'consensus']]);
    world.verifier.answer();
    assert.deepEqual(world.answers, [[false], [true]]);
  });

  test('forgets nothing that is asked for while its answer is being given', () => {
    const world = new World();
    world.checker.check([claim('bad')], 'transactions', () => world.check('transactions', 'bad'));
    world.verifier.answer();
    world.verifier.answer();
    assert.deepEqual(world.answers, [[false]]);
    assert.equal(world.checker.load, 0);
  });
});

describe('transactions in the claim checker', () => {
  /** Their signatures are named by the nonce. */
  const signedBy = (signers: number, nonce: number): Transaction => {
    const names = Array.from({ length: signers }, (_, index) => `signer ${index}`);
    return transaction({ from: 'alice', nonce, signers: names }, { type: 'delete', key: 'k' });
  };

  test('are good when all their signatures are, and each signature counts as one', () => {
    const world = new World();
    const list = [signedBy(1, 0), signedBy(3, 1), signedBy(2, 2)];
    assert.equal(world.checker.costOf(list), 6);
    world.checker.check(list, 'transactions', (valid) => world.answers.push(valid));
    const [call] = world.verifier.calls.splice(0);
    assert.equal(call?.names.length, 6);
    call?.done([true, true, false, true, true, true]);
    assert.deepEqual(world.answers, [[true, false, true]]);
    assert.equal(world.checker.costOf(list), 3);
  });

  test('of many signatures wait until there is room for all of them, and nothing passes them', () => {
    const world = new World();
    const few = Array.from({ length: limits.patientHanded - 1 }, (_, index) => `t${index}`);
    world.check('transactions', ...few);
    world.checker.check([signedBy(2, 0)], 'transactions', (valid) => world.answers.push(valid));
    world.check('strangers', 's');
    const most = () => world.verifier.calls.map(({ names }) => names.length);
    assert.deepEqual(most(), [limits.patientHanded - 1]);
    world.verifier.answer();
    assert.deepEqual(most(), [3]);
  });

  test('can be had until a call has their answer: a block that needs one joins, and asks nobody for it', () => {
    const world = new World();
    const first = signedBy(1, 0);
    const rest = Array.from({ length: limits.patientHanded }, (_, nonce) => signedBy(1, nonce + 1));
    const last = defined(rest.at(-1), 'the last');
    world.checker.check([first, ...rest], 'transactions', (valid) => world.answers.push(valid));
    world.verifier.answer();
    assert.equal(world.checker.transaction(first.hash), first, 'its answer is there, and nobody has it');
    assert.equal(world.checker.transaction(last.hash), last);
    assert.equal(world.checker.knows(first), true);
    world.checker.check([first], 'blocks', (valid) => world.answers.push(valid));
    assert.deepEqual(world.answers, [[true]], 'at once');
    world.verifier.answer();
    assert.equal(world.answers[1]?.length, 1 + rest.length);
    assert.equal(world.checker.transaction(first.hash), undefined);
    assert.equal(world.checker.transaction(last.hash), undefined);
  });

  test('that are wrong are not remembered, and not to be had', () => {
    const world = new World();
    const wrong = signedBy(1, 0);
    world.checker.check([wrong], 'transactions', (valid) => world.answers.push(valid));
    world.verifier.calls.splice(0).forEach(({ names, done }) => done(names.map(() => false)));
    assert.equal(world.checker.transaction(wrong.hash), undefined);
    assert.equal(world.checker.knows(wrong), false);
  });
});

test('what was found good is forgotten past the bound, the oldest first, and nothing that is being checked is', () => {
  const world = new World();
  world.check('transactions', 'under way', 'bad');
  const under = world.verifier.calls.splice(0);
  world.checker.take(Array.from({ length: limits.verifiedClaims }, (_, index) => claim(`n${index}`)));
  assert.equal(world.checker.knows(claim('n0')), true, 'as many as fit');
  world.checker.take([claim('one more')]);
  const kept = limits.verifiedClaims - limits.verifiedClaims / 16;
  assert.equal(world.checker.knows(claim(`n${limits.verifiedClaims - kept}`)), false);
  assert.equal(world.checker.knows(claim(`n${limits.verifiedClaims - kept + 1}`)), true);
  assert.equal(world.checker.knows(claim('one more')), true);
  world.check('blocks', 'under way');
  assert.deepEqual(world.asked, [], 'it is waited for');
  for (const { names, done } of under) done(names.map((name) => name !== 'bad'));
  assert.deepEqual(world.answers, [[true], [true, false]]);
});

test('what is remembered elsewhere costs no check, and a message is never known by that', () => {
  const verifier = new SlowVerifier();
  const kept = transaction({ from: 'alice', nonce: 0 }, { type: 'delete', key: 'k' });
  const checker = new ClaimChecker(verifier, { knows: () => true, sawFinal: () => false });
  const answers: boolean[][] = [];
  assert.equal(checker.costOf([kept]), 0);
  checker.check([kept], 'transactions', (valid) => answers.push([...valid]));
  assert.deepEqual(answers, [[true]]);
  assert.equal(checker.knows(kept), true);
  assert.equal(checker.knows(claim('message')), false);
  checker.check([claim('message')], 'messages', (valid) => answers.push([...valid]));
  assert.equal(verifier.calls.length, 1);
});

test('what is final costs no check in a block, and what is new is not looked for there', () => {
  const verifier = new SlowVerifier();
  const final = transaction({ from: 'alice', nonce: 0 }, { type: 'delete', key: 'k' });
  const checker = new ClaimChecker(verifier, { knows: () => false, sawFinal: () => true });
  const answers: boolean[][] = [];
  checker.check([final], 'blocks', (valid) => answers.push([...valid]));
  assert.deepEqual(answers, [[true]]);
  assert.equal(checker.knows(final), true);
  const fresh = new ClaimChecker(verifier, { knows: () => false, sawFinal: () => assert.fail('asked') });
  assert.equal(fresh.costOf([final]), 1);
  fresh.check([final], 'transactions', () => {});
});

test('what is remembered elsewhere is forgotten here, and not while it is being checked', () => {
  const world = new World();
  world.check('transactions', 'a');
  world.checker.forget(claim('a'));
  world.check('blocks', 'a');
  assert.equal(world.checker.load, 1, 'it is waited for');
  world.verifier.answer();
  assert.deepEqual(world.answers, [[true], [true]]);
  world.checker.forget(claim('a'));
  assert.equal(world.checker.knows(claim('a')), false);
});

test('what is taken by the word of a member while it is checked is known at once, and stays so', () => {
  const world = new World();
  world.check('transactions', 'bad');
  world.checker.take([claim('bad')]);
  world.check('blocks', 'bad');
  assert.deepEqual(world.answers, [[true]]);
  world.verifier.answer();
  assert.deepEqual(world.answers, [[true], [false]]);
  assert.equal(world.checker.knows(claim('bad')), true);
});
