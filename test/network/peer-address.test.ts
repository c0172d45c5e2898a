import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { checkListenAddress, parsePeerAddress } from '../../src/network/peer-address.ts';

const id = '12D3KooWGzBgM5YwAWQGMsgGRPqqWJGh3rgzsZrLQmcGsrpRrsXF';

function refused(why: RegExp) {
  return (problem: unknown): boolean => {
    assert.ok(problem instanceof Problem && problem.code === 'network/address');
    assert.match(problem.message, why);
    assert.match(problem.remedy, /Write it as \/ip4/);
    return true;
  };
}

test('addresses of peers: a machine, a port, and the id when it is known', () => {
  for (const host of ['/ip4/10.0.0.1', '/ip6/::1', '/dns4/node-1.example', '/dns/node-1']) {
    assert.equal(parsePeerAddress(`${host}/tcp/7000`).peer, undefined);
    assert.equal(parsePeerAddress(`${host}/tcp/7000/p2p/${id}`).peer, id);
  }
  assert.equal(parsePeerAddress(`/dnsaddr/nodes.example/p2p/${id}`).peer, id);
});

test('what no connection can ever come of is refused, and why is said', () => {
  for (const [address, why] of [
    ['127.0.0.1:7000', /no multiaddr/],
    ['http://10.0.0.1:7000', /no multiaddr/],
    ['/ip4/10.0.0.1', /by TCP/],
    ['/ip4/10.0.0.1/udp/7000', /by TCP/],
    ['/ip4/10.0.0.1/udp/7000/quic-v1', /by TCP/],
    ['/ip4/10.0.0.1/tcp/7000/ws', /nothing on top/],
    [`/ip4/10.0.0.1/tcp/7000/p2p/${id}/p2p-circuit`, /nothing on top/],
    ['/ip4/10.0.0.1/tcp/0', /port 0/],
    ['/ip4/0.0.0.0/tcp/7000', /no machine/],
    ['/ip6/::/tcp/7000', /no machine/],
    ['/ip4/224.0.0.1/tcp/7000', /no machine/],
    ['/ip4/255.255.255.255/tcp/7000', /no machine/],
    ['/ip6/ff02::1/tcp/7000', /no machine/],
    ['/unix/a', /names no machine/],
    [`/p2p/${id}`, /names no machine/],
    ['/ip4/10.0.0.1/tcp/7000/p2p/me', /no multiaddr/],
    ['', /names no machine|no multiaddr/],
  ] as const) {
    assert.throws(() => parsePeerAddress(address), refused(why), address);
  }
});

test('addresses to listen on may be every address and any port, and hold no id', () => {
  for (const address of ['/ip4/0.0.0.0/tcp/0', '/ip6/::/tcp/7000', '/ip4/127.0.0.1/tcp/4601']) {
    checkListenAddress(address);
  }
  for (const [address, why] of [
    [`/ip4/0.0.0.0/tcp/7000/p2p/${id}`, /key of the node/],
    ['/ip4/0.0.0.0/udp/7000', /by TCP/],
    ['/dnsaddr/nodes.example', /by TCP/],
    ['0.0.0.0:7000', /no multiaddr/],
  ] as const) {
    assert.throws(() => checkListenAddress(address), refused(why), address);
  }
});
