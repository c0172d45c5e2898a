import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defined, invariant, InvariantError, unreachable } from '../../src/base/invariant.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { meaningOf, problemCodes } from '../../src/base/problem-codes.ts';

describe('problem: somebody else’s fault', () => {
  const cause = new Error('disk on fire');
  const problem = new Problem('storage/damaged', 'the database is damaged', {
    remedy: 'Buy a disk.',
    details: { sector: 7, name: 'sda', gone: true, since: null },
    cause,
  });

  test('it says what, and what to do, to people and to programs', () => {
    assert.ok(problem instanceof Error);
    assert.equal(problem.name, 'Problem');
    assert.equal(String(problem), 'Problem: the database is damaged');
    assert.equal(problem.code, 'storage/damaged');
    assert.equal(problem.remedy, 'Buy a disk.');
    assert.equal(problem.cause, cause);
  });

  test('its details survive JSON', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(problem.details)), problem.details);
  });

  test('without details and cause it has none', () => {
    const plain = new Problem('cli/usage', 'no', { remedy: 'yes' });
    assert.deepEqual(plain.details, {});
    assert.equal('cause' in plain, false);
  });

  test('a problem of a newer node keeps its code, although nobody here knows it', () => {
    const received = Problem.received('api/of-tomorrow', 'no', { remedy: 'yes' });
    assert.equal(received.code, 'api/of-tomorrow');
    assert.equal(meaningOf(received.code), undefined);
    assert.equal(meaningOf('constructor'), undefined);
    assert.equal(meaningOf(problem.code), 'The database is damaged');
  });

  test('said again by one who knows more, it is the same problem', () => {
    const again = problem.restated('the disk is broken', { remedy: 'Buy another one.' });
    assert.equal(again.code, problem.code);
    assert.equal(again.message, 'the disk is broken');
    assert.equal(again.remedy, 'Buy another one.');
  });

  test('each code means one thing, and no two the same', () => {
    const meanings = Object.values(problemCodes);
    assert.equal(new Set(meanings).size, meanings.length);
    for (const meaning of meanings) assert.match(meaning, /^[A-Z].{10,100}[^.]$/);
  });

  test('unwrap gives the value, or throws the problem', () => {
    assert.equal(unwrap<number>(5), 5);
    assert.equal(unwrap<number | undefined>(undefined), undefined);
    assert.throws(
      () => unwrap<number>(problem),
      (thrown) => thrown === problem,
    );
  });
});

const broken = (thrown: unknown): boolean =>
  thrown instanceof InvariantError && !(thrown instanceof Problem) && /the sky is up/.test(thrown.message);

describe('invariant: our own fault', () => {
  test('a promise that holds says nothing', () => {
    invariant(true, 'the sky is up');
    assert.equal(defined(0, 'zero'), 0);
    assert.equal(defined('', 'empty text'), '');
  });

  test('a broken one is an error that names it, and no Problem', () => {
    assert.throws(() => invariant(false, 'the sky is up'), broken);
    assert.throws(() => defined(undefined, 'the sky is up, which'), broken);
    assert.throws(() => defined(null, 'the sky is up, which'), broken);
  });

  test('a case that there is not is told with its value', () => {
    assert.throws(() => unreachable({ type: 'ghost' } as never), /ghost/);
  });
});
