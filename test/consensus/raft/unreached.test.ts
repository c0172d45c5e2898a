import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Solo } from './solo.ts';

// Raft needs a connection between each two members: `why` names those that this node has none to.

test('a member in a star names those that it reaches over somebody else only', () => {
  const member = new Solo(1, 7);
  assert.doesNotMatch(member.engine.why(), /no connection/, 'before it has any, nothing is known');
  member.give({ type: 'connected', validator: 0 });
  assert.match(member.engine.why(), /; no connection to member 2, 3, 4, 5 and 1 more$/);
  for (const validator of [2, 3, 4, 5]) member.give({ type: 'connected', validator });
  assert.match(member.engine.why(), /; no connection to member 6$/);
  member.give({ type: 'connected', validator: 6 });
  assert.doesNotMatch(member.engine.why(), /no connection/);
  member.give({ type: 'lost', validator: 0 });
  assert.match(member.engine.why(), /; no connection to member 0$/);
});

test('a leader does, too, and a node that is no member has nobody to reach', () => {
  const leader = new Solo(0, 3).lead();
  leader.give({ type: 'connected', validator: 1 });
  assert.match(leader.engine.why(), /no connection to member 2$/);
  const observer = new Solo(5, 3).give({ type: 'connected', validator: 1 });
  assert.doesNotMatch(observer.engine.why(), /no connection/);
});
