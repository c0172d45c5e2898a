import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { Lots, placeFor as placeByLot, type Placed } from '../../src/network/places.ts';

const member = (key: string): Placed => ({ member: key, invited: false, block: '10.0.0.*' });
const stranger = (block: string): Placed => ({ member: undefined, invited: false, block });
/** Where all have the same lot. */
const placeFor = (newcomer: Placed, accepted: readonly Placed[]) => placeByLot(newcomer, accepted, () => 0);
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

void test('where each comes from elsewhere, the oldest stay, and of the others the one with the worst lot goes for a better one', () => {
  const lots: Record<string, number> = {};
  const lotOf = (block: string): number => lots[block] ?? 0;
  const full = many(limits.strangerConnections, (index) => stranger(`10.0.${index}.*`));
  for (const [index, { block }] of full.entries()) lots[block] = 100 + index;
  const newcomer = '10.9.9.*';
  // The oldest have the worst lots, and stay.
  const worst = full[limits.strangersStay] as Placed;
  lots[newcomer] = lotOf(worst.block) + 1;
  assert.equal(placeByLot(stranger(newcomer), full, lotOf), worst);
  lots[newcomer] = lotOf(worst.block);
  assert.equal(placeByLot(stranger(newcomer), full, lotOf), 'no');
  // A second one from a block that has one gets no other's place, whatever its lot.
  lots[full[50]?.block ?? ''] = 1_000;
  assert.equal(placeByLot(stranger(full[50]?.block ?? ''), full, lotOf), 'no');
});

void test('twice as many blocks as there are places keep a newcomer out for a while, and not for ever', () => {
  let now = 0;
  const lots = new Lots(() => now, new Uint8Array(32).fill(7));
  const newcomer = stranger('10.9.9.*');
  const others = many(2 * limits.strangerConnections, (index) => stranger(`10.0.${index}.*`));
  let present: Placed[] = [];
  /** All call, the newcomer first; oldest first, as they come. How many places changed hands. */
  const all = (): number => {
    const lotOf = new Map([newcomer, ...others].map(({ block }) => [block, lots.of(block)]));
    let changes = 0;
    for (const one of [newcomer, ...others]) {
      if (present.includes(one)) continue;
      const place = placeByLot(one, present, (block) => lotOf.get(block) ?? 0);
      if (place === 'no') continue;
      present = [...present.filter((other) => other !== place), one];
      if (place !== 'yes') changes += 1;
    }
    return changes;
  };
  present = others.slice(0, limits.strangerConnections);
  let periodsIn = 0;
  for (let period = 0; period < 40; period++) {
    now = period * limits.lotMs;
    all();
    assert.equal(all(), 0, 'nobody gets a place back by calling again');
    now += limits.lotMs - 1;
    assert.equal(all(), 0, 'nor later');
    if (present.includes(newcomer)) periodsIn += 1;
  }
  assert.ok(periodsIn > 5 && periodsIn < 40, `${periodsIn} of 40`);
});
