import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IdleConnections } from '../../src/api/idle-connections.ts';

/** Names of connections; those of a client begin with its name, and end with ! where bytes wait to be read. */
function idle(few = 2): IdleConnections<string> {
  return new IdleConnections<string>({ stalledMs: 100, few, isUnread: (name) => name.endsWith('!') });
}

const clientOf = (name: string): string => name[0] as string;

function come(all: IdleConnections<string>, now: number, ...names: readonly string[]): void {
  for (const name of names) all.came(name, clientOf(name), now);
}

/** One request, answered at once. */
function use(all: IdleConnections<string>, now: number, ...names: readonly string[]): void {
  for (const name of names) {
    all.asked(name);
    all.rests(name, clientOf(name), now);
  }
}

function goAll(all: IdleConnections<string>, now: number): string[] {
  const gone: string[] = [];
  for (let name = all.firstToGo(now); name !== undefined; name = all.firstToGo(now)) {
    gone.push(name);
    all.left(name, clientOf(name));
  }
  return gone;
}

describe('the connection that gives way', () => {
  test('is the longest idle among those that were used', () => {
    const all = idle();
    come(all, 0, 'a1', 'b1', 'c1');
    use(all, 10, 'b1', 'c1', 'a1');
    assert.deepEqual(goAll(all, 500), ['b1', 'c1', 'a1']);
  });

  test('is one that nobody ever used, before those that were, whoever has more of a few', () => {
    const all = idle();
    come(all, 0, 'a1', 'a2');
    use(all, 0, 'a1', 'a2');
    come(all, 1, 'x1', 'y1', 'z1');
    assert.deepEqual(goAll(all, 200), ['x1', 'y1', 'z1', 'a1', 'a2']);
  });

  test('is not one whose first request may be on its way', () => {
    const all = idle();
    come(all, 0, 'a1');
    use(all, 0, 'a1');
    come(all, 100, 'b1');
    assert.equal(all.firstToGo(199), 'a1');
    assert.equal(all.firstToGo(200), 'b1');
  });

  test('is not one on which a request came that we have not read, unless its client has more than a few', () => {
    const all = idle();
    come(all, 0, 'p1!', 'a1', 'b1', 'c1!', 'c2!', 'c3!');
    use(all, 10, 'a1');
    assert.deepEqual(goAll(all, 50), ['c1!', 'b1', 'a1', 'p1!', 'c2!', 'c3!']);
  });

  test('is one of a client that has more than a few, and of these one that nobody used', () => {
    const all = idle();
    come(all, 0, 'b1', 'a1', 'a2', 'a3');
    use(all, 50, 'a1');
    assert.deepEqual(goAll(all, 200), ['a2', 'b1', 'a3', 'a1']);
  });

  test('is none that has a request', () => {
    const all = idle();
    come(all, 0, 'a1', 'a2', 'a3');
    for (const name of ['a1', 'a2', 'a3']) all.asked(name);
    assert.equal(all.firstToGo(500), undefined);
    all.rests('a2', 'a', 500);
    assert.equal(all.firstToGo(500), 'a2');
  });

  test('is counted for its client only while it is there', () => {
    const all = idle();
    come(all, 0, 'b1', 'a1', 'a2', 'a3');
    all.left('a3', 'a');
    assert.equal(all.firstToGo(500), 'b1');
  });
});
