import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { placeFor, type Placed } from '../../src/network/places.ts';

const member = (key: string): Placed => ({ member: key, invited: false, block: '10.0.0.*' });
const stranger = (block: string): Placed => ({ member: undefined, invited: false, block });
const invited: Placed = { member: undefined, invited: true, block: '10.0.0.*' };

const many = (count: number, make: (index: number) => Placed): Placed[] =>
  Array.from({ length: count }, (_, i) => make(i));

void test('members and those whom we dialled have places, however many strangers there are', () => {
  const full = many(limits.strangerConnections, () => stranger('10.0.0.*'));
  assert.equal(placeFor(member('a'), full), 'yes');
  assert.equal(placeFor(invited, full), 'yes');
});

void test('when all places are taken a stranger goes for a member, and a member for nobody', () => {
  const strangers = many(limits.strangerConnections, (index) => stranger(`10.0.${index % 8}.*`));
  const members = many(limits.maxConnections - strangers.length, (index) => member(`key ${index}`));
  const gone = placeFor(member('new'), [...strangers, ...members]);
  assert.ok(gone !== 'yes' && gone !== 'no' && gone.member === undefined);
  const onlyMembers = many(limits.maxConnections, (index) => member(`key ${index}`));
  assert.equal(placeFor(member('new'), onlyMembers), 'no');
  assert.equal(placeFor(stranger('10.0.0.*'), onlyMembers), 'no');
});

void test('members take no places of strangers', () => {
  const members = many(200, (index) => member(`key ${index % 100}`));
  assert.equal(placeFor(stranger('10.0.0.*'), members), 'yes');
});

void test('one key has four places, and a fifth connection takes that of the oldest', () => {
  const links = [member('b'), ...many(4, () => member('a')), member('c')];
  assert.equal(placeFor(member('a'), links.slice(0, 4)), 'yes');
  assert.equal(placeFor(member('a'), links), links[1]);
});

void test('when the places of strangers are taken, one goes to who comes from where fewer are', () => {
  const full = many(limits.strangerConnections, () => stranger('10.0.0.*'));
  assert.equal(placeFor(stranger('10.0.0.*'), full), 'no', 'who is there stays');
  assert.equal(placeFor(stranger('10.0.1.*'), full), full.at(-1));
  const fair = many(limits.strangerConnections, (index) => stranger(`10.0.${index}.*`));
  assert.equal(placeFor(stranger('10.9.9.*'), fair), 'no', 'nobody has more than the newcomer would have');
});
