import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Penalties } from '../../src/network/penalties.ts';

const options = { limit: 4, halfLifeMs: 1_000, banMs: 5_000 };

void test('offences add up to a ban that ends', () => {
  const penalties = new Penalties(options);
  assert.deepEqual(
    [0, 0, 0, 0].map((now) => penalties.add('liar', now)),
    [false, false, false, true],
  );
  assert.equal(penalties.isBanned('liar', 4_999), true);
  assert.equal(penalties.isBanned('liar', 5_000), false);
  assert.equal(penalties.total('liar'), 4);
});

void test('old offences fade: one a half-life never bans', () => {
  const penalties = new Penalties(options);
  for (let now = 0; now < 100_000; now += 1_000) assert.equal(penalties.add('clumsy', now), false);
  assert.equal(penalties.total('clumsy'), 100);
});

void test('who comes back and goes on is banned sooner', () => {
  const penalties = new Penalties(options);
  for (let count = 0; count < 4; count++) penalties.add('liar', 0);
  assert.deepEqual([penalties.add('liar', 0), penalties.add('liar', 0)], [false, true]);
});

void test('a heavy offence counts more, and nobody else is touched', () => {
  const penalties = new Penalties(options);
  assert.equal(penalties.add('liar', 0, 4), true);
  assert.equal(penalties.isBanned('honest', 0), false);
  assert.equal(penalties.total('honest'), 0);
});

void test('a thousand made-up identities do not grow the memory for ever', () => {
  const penalties = new Penalties(options);
  for (let index = 0; index < 3_000; index++) penalties.add(`peer ${index}`, index);
  assert.equal(penalties.total('peer 0'), 0);
  assert.equal(penalties.total('peer 2999'), 1);
});

void test('a ban at once needs no offences, and a shorter one does not end a longer one', () => {
  const penalties = new Penalties({ limit: 10, halfLifeMs: 1_000, banMs: 100 });
  penalties.ban('liar', 1_000, 500);
  penalties.ban('liar', 1_100, 50);
  assert.equal(penalties.isBanned('liar', 1_499), true);
  assert.equal(penalties.isBanned('liar', 1_500), false);
  assert.equal(penalties.isBanned('another', 1_100), false);
});
