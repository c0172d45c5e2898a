import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Turns } from '../../src/node/turns.ts';

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
      turns.run(() => {
        throw new Error('one');
      });
      throw new Error('two');
    });
    turns.run(() => void events.push('never'));
    turns.wrap(() => void events.push('never'))();
    assert.deepEqual(events, ['throw one']);
    assert.ok(turns.ended);
  });

  test('after the end nothing runs', () => {
    const { events, turns } = world();
    turns.end();
    turns.run(() => void events.push('never'));
    assert.deepEqual(events, []);
  });
});
