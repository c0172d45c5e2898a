import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Turns } from '../../../src/node/core/turns.ts';

function world() {
  const events: string[] = [];
  const turns = new Turns({
    settle: () => void events.push('settle'),
    onThrow: (error) => void events.push(`throw ${(error as Error).message}`),
  });
  return { events, turns };
}

describe('turns', () => {
  test('settle after each, once', () => {
    const { events, turns } = world();
    turns.run(() => void events.push('a'));
    turns.run(() => void events.push('b'));
    assert.deepEqual(events, ['a', 'settle', 'b', 'settle']);
  });

  test('what comes within a turn is part of it', () => {
    const { events, turns } = world();
    turns.run(() => {
      events.push('a');
      turns.run(() => void events.push('b'));
      events.push('c');
    });
    assert.deepEqual(events, ['a', 'b', 'c', 'settle']);
  });

  test('what comes while it settles is part of it too', () => {
    const events: string[] = [];
    const turns: Turns = new Turns({
      settle: () => {
        events.push('settle');
        turns.run(() => void events.push('inside'));
      },
      onThrow: (error) => assert.fail(String(error)),
    });
    turns.run(() => void events.push('a'));
    assert.deepEqual(events, ['a', 'settle', 'inside']);
  });

  test('the first throw ends everything, and is told once', () => {
    const { events, turns } = world();
    turns.run(() => {
      throw new Error('one');
    });
    turns.run(() => void events.push('never'));
    turns.wrap(() => void events.push('never'))();
    assert.deepEqual(events, ['throw one']);
    assert.ok(turns.ended);
  });

  test('a throw in a nested turn ends the outer one there, too: nothing more of it is done, and nothing settles', () => {
    const { events, turns } = world();
    turns.run(() => {
      turns.run(() => {
        throw new Error('one');
      });
      events.push('never');
    });
    turns.run(() => void events.push('never'));
    assert.deepEqual(events, ['throw one']);
  });

  test('nothing settles when somebody between the two caught it', () => {
    const { events, turns } = world();
    turns.run(() => {
      try {
        turns.run(() => {
          throw new Error('one');
        });
      } catch {
        events.push('caught');
      }
    });
    assert.deepEqual(events, ['throw one', 'caught']);
  });

  test('a turn that ends all others does not settle', () => {
    const { events, turns } = world();
    turns.run(() => turns.end());
    assert.deepEqual(events, []);
  });

  test('what a turn answers comes back, and a throw is told like any other', () => {
    const { events, turns } = world();
    assert.equal(
      turns.answer(() => 'yes', 'ended'),
      'yes',
    );
    const failing = (): string => {
      throw new Error('one');
    };
    assert.equal(turns.answer(failing, 'ended'), 'ended');
    assert.equal(
      turns.answer(() => 'never', 'ended'),
      'ended',
    );
    assert.deepEqual(events, ['settle', 'throw one']);
  });

  test('after the end nothing runs', () => {
    const { events, turns } = world();
    turns.end();
    turns.run(() => void events.push('never'));
    assert.deepEqual(events, []);
  });
});
