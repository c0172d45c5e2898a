import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressBlock } from '../../src/network/address-block.ts';

test('addresses that one party can have many of are one block', () => {
  const same = [
    ['/ip4/10.1.2.3/tcp/7000', '/ip4/10.1.2.250/tcp/9'],
    ['/ip6/2001:db8::1/tcp/1', '/ip6/2001:db8:0:0:ffff::2/tcp/1'],
    ['/ip6/2001:DB8:0:7:1:2:3:4/tcp/1', '/ip6/2001:db8::7:9:9:9:9/tcp/1'],
    ['/ip6/2001:db8::1/tcp/1', '/ip6/2001:db8:0:1::1/tcp/1'],
    ['/ip6/2001:db8:7:ff00::1/tcp/1', '/ip6/2001:db8:7::1/tcp/1'],
    ['/ip6/::ffff:10.1.2.3/tcp/1', '/ip4/10.1.2.9/tcp/1'],
  ] as const;
  for (const [one, other] of same) assert.equal(addressBlock(one), addressBlock(other), `${one} ${other}`);
});

test('others are not', () => {
  const different = [
    '/ip4/10.1.2.3/tcp/7000',
    '/ip4/10.1.3.3/tcp/7000',
    '/ip6/2001:db8::1/tcp/1',
    '/ip6/2001:db8:1::1/tcp/1',
    '/ip6/2001:db9::1/tcp/1',
    '/ip6/::1/tcp/1',
    '/ip4/127.0.0.1/tcp/1',
    '/ip4/127.0.0.2/tcp/1',
    '/dns4/example.org/tcp/1',
    'memory://somebody',
  ];
  assert.equal(new Set(different.map(addressBlock)).size, different.length);
});
