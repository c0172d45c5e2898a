import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { fakeApi, origin, problemReply, type Reply, status } from '../client/fake-api.ts';
import { jsonOf, problemOf, quorate, temporaryDirectory } from './quorate.ts';

const raft = { ...origin, engine: 'raft' };
const addressOf = (name: string): string => encodeAddress(developmentKeyPair(name).publicKey);

function member(index: number, role: string): object {
  const name = `validator-${index}`;
  const { publicKey } = developmentKeyPair(name);
  return {
    index,
    name,
    address: addressOf(name),
    publicKey,
    role,
    leader: index === 1,
    api: index === 1 ? 'http://10.0.0.1:4600\u001b[31m' : null,
    self: index === 0,
    connected: index !== 2,
  };
}

/** A node of a Raft chain with three members, of which the last is a learner. */
async function fakeMembers(t: TestContext, onPost: () => Reply = () => ({ body: { ...raft, height: 12 } })) {
  const posted: { path: string; body: unknown }[] = [];
  const { url, seen } = await fakeApi(t, (request) => {
    if (request.method === 'POST') {
      posted.push({ path: request.url, body: JSON.parse(request.body.toString()) });
      return onPost();
    }
    if (request.url === '/v1/members') {
      return { body: { ...raft, members: [member(0, 'voter'), member(1, 'voter'), member(2, 'learner')] } };
    }
    return request.url === '/v1/status'
      ? { body: { ...status, ...raft } }
      : problemReply(404, 'api/not-found');
  });
  return { url, posted, seen };
}

test('members list shows who votes, who follows and who leads', async (t) => {
  const { url } = await fakeMembers(t);
  const { out, code } = await quorate(['members', 'list', '--node', url]);
  assert.equal(code, 0);
  assert.match(out, /^0 +validator-0 +qr1\S+ +voter +this node *$/m);
  assert.match(
    out,
    /^1 +validator-1 +qr1\S+ +voter +connected +leader +http:\/\/10\.0\.0\.1:4600\ufffd\[31m$/m,
  );
  assert.match(out, /^2 +validator-2 +qr1\S+ +learner +none *$/m);
  assert.ok('members' in jsonOf(await quorate(['members', 'list', '--node', url, '--json'])));
});

test('add, promote and remove name a member by number, name, address or key, and say from when on it holds', async (t) => {
  const { url, posted } = await fakeMembers(t);
  for (const [args, name, role, force] of [
    [['add', 'validator-3'], 'validator-3', 'learner', false],
    [['add', addressOf('bob')], 'bob', 'learner', false],
    [['add', developmentKeyPair('bob').publicKey], 'bob', 'learner', false],
    [['promote', '2'], 'validator-2', 'voter', false],
    [['remove', 'validator-0', '--force'], 'validator-0', 'removed', true],
  ] as const) {
    const ran = await quorate(['members', ...args, '--node', url]);
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, new RegExp(`is ${role} from height 12 on`));
    assert.deepEqual(posted.pop(), {
      path: '/v1/members',
      body: { changes: [{ member: addressOf(name), role }], force },
    });
  }
  const json = jsonOf(await quorate(['members', 'promote', '2', '--node', url, '--json']));
  assert.deepEqual([json['height'], json['role'], json['engine']], [12, 'voter', 'raft']);
});

test('replace is one change: the new one votes and the old one is out', async (t) => {
  const { url, posted } = await fakeMembers(t);
  const ran = await quorate(['members', 'replace', 'validator-0', '2', '--node', url]);
  assert.equal(ran.code, 0, ran.err);
  assert.match(ran.out, /^qr1\S+ is voter in place of qr1\S+ from height 12 on\.$/m);
  const forced = ['members', 'replace', '1', addressOf('bob'), '--force', '--node', url, '--json'];
  const { voter, removed, height } = jsonOf(await quorate(forced));
  assert.deepEqual([voter, removed, height], [addressOf('bob'), addressOf('validator-1'), 12]);
  assert.deepEqual(
    posted.map(({ body }) => body),
    [
      ['validator-2', 'validator-0', false],
      ['bob', 'validator-1', true],
    ].map(([joins, leaves, force]) => ({
      changes: [
        { member: addressOf(String(joins)), role: 'voter' },
        { member: addressOf(String(leaves)), role: 'removed' },
      ],
      force,
    })),
  );
});

test('a replacement that has not caught up is refused with what to do', async (t) => {
  const refusal = problemReply(409, 'consensus/not-caught-up');
  const { url, posted } = await fakeMembers(t, () => refusal);
  const ran = await quorate(['members', 'replace', '0', '2', '--node', url, '--json']);
  assert.equal(ran.code, 1);
  assert.equal(problemOf(ran).code, 'consensus/not-caught-up');
  assert.equal(posted.length, 1);
});

test('leader transfer names a transferee, or lets the leader choose', async (t) => {
  const { url, posted } = await fakeMembers(t);
  assert.match((await quorate(['leader', 'transfer', '2', '--node', url])).out, /^validator-1 leads\.$/m);
  await quorate(['leader', 'transfer', '--node', url]);
  assert.deepEqual(
    posted.map(({ path, body }) => [path, body]),
    [
      ['/v1/leader', { to: addressOf('validator-2') }],
      ['/v1/leader', { to: null }],
    ],
  );
});

test('a refusal is told with its reason and never tried again by itself', async (t) => {
  for (const [httpStatus, code, exit] of [
    [409, 'consensus/quorum-loss', 1],
    [409, 'consensus/change-outcome-unknown', 1],
    [503, 'consensus/busy', 3],
    [401, 'api/token-missing', 1],
  ] as const) {
    const { url, posted } = await fakeMembers(t, () => problemReply(httpStatus, code));
    const ran = await quorate(['members', 'remove', '0', '--node', url, '--json']);
    assert.equal(ran.code, exit, ran.err);
    assert.equal(problemOf(ran).code, code);
    assert.equal(posted.length, 1);
  }
});

test('what may have been made is not called undone', async (t) => {
  const answers: Reply[] = [
    { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>' },
    { body: '{' },
    { body: { ...raft, height: -1 } },
    problemReply(500, 'api/internal'),
  ];
  for (const answer of answers) {
    const { url, posted } = await fakeMembers(t, () => answer);
    for (const command of [
      ['members', 'remove', '0'],
      ['leader', 'transfer', '0'],
    ]) {
      const ran = await quorate([...command, '--node', url, '--json']);
      assert.equal(ran.code, 4, ran.err);
      const { message, remedy } = problemOf(ran);
      assert.match(message, /; whether the change is made is unknown$/);
      assert.match(remedy, /^Look with "quorate members list" before you ask for it again\. \S/);
    }
    assert.equal(posted.length, 2);
  }
});

test('the operator’s token comes from a file or the environment, and is sent with changes only', async (t) => {
  const file = join(temporaryDirectory(t), 'token');
  writeFileSync(file, 'a-token-of-operators\n');
  let sent: string | undefined;
  const { url } = await fakeApi(t, (request) => {
    sent = request.method === 'POST' ? request.authorization : sent;
    if (request.method === 'GET') assert.equal(request.authorization, undefined);
    return request.method === 'POST'
      ? { body: { ...raft, height: 1 } }
      : { body: { ...raft, members: [member(0, 'voter')] } };
  });
  const args = ['members', 'remove', '0', '--node', url];
  await quorate([...args, '--token-file', file]);
  assert.equal(sent, 'Bearer a-token-of-operators');
  await quorate(args, { env: { QUORATE_TOKEN: 'from-the-environment' } });
  assert.equal(sent, 'Bearer from-the-environment');
  const missing = await quorate([...args, '--token-file', '/nowhere/token', '--json']);
  assert.equal(problemOf(missing).code, 'cli/file');
});

test('who adds a member is told how many there is room for, and how to need fewer', async () => {
  for (const command of ['add', 'replace']) {
    const { out } = await quorate(['members', command, '--help']);
    assert.match(out, /room for 256 members in its life/);
    assert.match(out, /the key of a member that was removed/);
  }
});

test('who is meant must be clear, and the command line right, before anything is asked for', async (t) => {
  const { url, posted } = await fakeMembers(t);
  const unknown = await quorate(['members', 'remove', 'nobody', '--node', url, '--json']);
  assert.equal(problemOf(unknown).code, 'cli/account-unknown');
  for (const args of [
    ['members', 'add'],
    ['members', 'promote', 'a', 'b'],
    ['members', 'replace', '0'],
    ['members', 'replace', '0', '1', '2'],
    ['leader', 'take'],
  ]) {
    assert.equal((await quorate([...args, '--node', url])).code, 2, args.join(' '));
  }
  assert.deepEqual(posted, []);
});

test('who stops while a change is asked for is told that it may be made all the same', async (t) => {
  const { url, seen } = await fakeApi(t, ({ method }) =>
    method === 'POST' ? { body: null } : { body: { ...raft, members: [member(0, 'voter')] } },
  );
  const ran = await quorate(['members', 'remove', '0', '--node', url, '--json'], {
    interruptWhen: () => seen.some(({ method }) => method === 'POST'),
  });
  assert.equal(ran.code, 4);
  const problem = problemOf(ran);
  assert.equal(problem.code, 'cli/interrupted');
  assert.match(problem.remedy, /may have been made.*quorate members list/);
});
