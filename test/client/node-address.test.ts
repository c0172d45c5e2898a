import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { parseNodeAddress } from '../../src/client/node-address.ts';
import { parseApiUrl } from '../../src/node/process/api-url.ts';

test('an address has one form, however it is written', () => {
  for (const [given, address] of [
    ['http://127.0.0.1:4600', 'http://127.0.0.1:4600'],
    ['HTTP://LocalHost:4600//', 'http://localhost:4600'],
    [' http://h:4600/\n', 'http://h:4600'],
    ['http://[::1]:4600', 'http://[::1]:4600'],
    ['http://münchen.example', 'http://xn--mnchen-3ya.example'],
    ['http://example.com.:4600', 'http://example.com.:4600'],
    ['https://h:443/nodes/a/', 'https://h/nodes/a'],
    ['http://h/a/../v', 'http://h/v'],
  ] as const) {
    assert.equal(parseNodeAddress(given), address);
  }
  assert.equal(parseNodeAddress(new URL('http://h:2/')), 'http://h:2');
});

test('what is none, or is read as another one than it looks like, is refused with its reason', () => {
  for (const [given, why] of [
    ['', /no http/],
    ['localhost:4600', /no http/],
    ['::1', /no http/],
    ['http:h', /no http/],
    ['http:/h', /no http/],
    ['http:///h', /no http/],
    ['ftp://h', /no http/],
    ['http://:4600', /host or its port/],
    ['http://h:65536', /host or its port/],
    ['http://256.1.1.1', /host or its port/],
    ['http://h:0', /port 0/],
    ['http://u:secret@h', /user name/],
    ['http://secret@h', /user name/],
    ['http://h?a=1', /query/],
    ['http://h/?', /query/],
    ['http://h/#', /fragment/],
    ['http://h h', /space/],
    ['http://h\\x', /backslash/],
    ['http://[fe80::1%25eth0]:4600', /zone/],
    ['http://[fe80::1%eth0]', /zone/],
    ['http://1', /read as 0\.0\.0\.1/],
    ['http://0x7f.1', /read as 127\.0\.0\.1/],
    ['http://127.1:4600', /read as 127\.0\.0\.1/],
    ['http://%31', /read as/],
  ] as const) {
    const problem = parseNodeAddress(given);
    assert.ok(problem instanceof Problem, given);
    assert.match(problem.message, why, given);
    assert.doesNotMatch(problem.message, /secret/);
    // Nor is it told to other nodes.
    assert.equal(parseApiUrl(given), undefined, given);
  }
});

test('a port to which no browser and no fetch connects is told at once', () => {
  for (const [given, why] of [
    ['http://h:6000', /connect to port 6000/],
    ['https://h:22/', /connect to port 22/],
  ] as const) {
    const problem = parseNodeAddress(given);
    assert.ok(problem instanceof Problem && why.test(problem.message), given);
    // Others may, with curl: nodes hand it on.
    assert.notEqual(parseApiUrl(given), undefined);
  }
});
