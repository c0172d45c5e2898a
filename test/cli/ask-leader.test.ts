import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { goesByItself } from '../../src/cli/ask-leader.ts';
import { fakeApi, origin, problemReply, type Reply } from '../client/fake-api.ts';
import { jsonOf, problemOf, quorate } from './quorate.ts';

const address = encodeAddress(developmentKeyPair('bob').publicKey);
const raft = { ...origin, engine: 'raft' };
const done: Reply = { body: { ...raft, height: 12 } };

/** A node that answers an operator's command with this, and what it was asked for. */
async function node(t: TestContext, reply: () => Reply) {
  const commands: { path: string; body: string; authorization: string | undefined }[] = [];
  const { url } = await fakeApi(t, (request) => {
    if (request.method !== 'POST') return { body: { ...raft, members: [] } };
    const { url: path, body, authorization } = request;
    commands.push({ path, body: body.toString(), authorization });
    return reply();
  });
  return { url, commands };
}

const notLeader = (leaderApi: unknown): Reply => problemReply(409, 'consensus/not-leader', { leaderApi });
const transfer = (url: string): string[] => ['leader', 'transfer', '--node', url];
const secret = { env: { QUORATE_TOKEN: 'the-secret-of-operators' } };

test('nothing goes to another address by itself but from this machine to this machine, and without a token', () => {
  const here = 'http://127.0.0.1:4600';
  const alsoHere = ['http://localhost:2', 'http://[::1]:4600', 'https://127.0.0.1'];
  const elsewhere = ['http://10.0.0.1:4600', 'https://node-1.example', 'http://127.0.0.1.example'];
  for (const url of alsoHere) {
    assert.equal(goesByItself(here, url, undefined), true, url);
    assert.equal(goesByItself(here, url, 'token'), false, url);
  }
  for (const url of elsewhere) {
    assert.equal(goesByItself(here, url, undefined), false, url);
    assert.equal(goesByItself(url, here, undefined), false, url);
    assert.equal(goesByItself(url, url, undefined), false, url);
  }
});

describe('a command for the leader, given to another node', () => {
  test('goes to the leader that the node names, once, and says so', async (t) => {
    const leader = await node(t, () => done);
    const follower = await node(t, () => notLeader(leader.url));
    const ran = await quorate(transfer(follower.url));
    assert.equal(ran.code, 0, ran.err);
    assert.equal(ran.err.trim(), `${follower.url} does not lead. Asking ${leader.url}.`);
    assert.deepEqual([follower.commands.length, leader.commands.length], [1, 1]);
    assert.deepEqual(leader.commands, follower.commands);
    assert.equal(jsonOf(await quorate([...transfer(follower.url), '--json']))['height'], 12);

    const removed = await quorate(['members', 'remove', address, '--force', '--node', follower.url]);
    assert.equal(removed.code, 0, removed.err);
    assert.deepEqual(leader.commands.at(-1), follower.commands.at(-1));
  });

  test('goes on to nobody else: two nodes that name each other are asked once each', async (t) => {
    let firstUrl = '';
    const second = await node(t, () => notLeader(firstUrl));
    const first = await node(t, () => notLeader(second.url));
    firstUrl = first.url;
    const ran = await quorate([...transfer(first.url), '--json']);
    assert.equal(problemOf(ran).code, 'consensus/not-leader');
    assert.deepEqual([first.commands.length, second.commands.length], [1, 1]);
  });

  test('never takes a token to another address, unless told to follow', async (t) => {
    const leader = await node(t, () => done);
    const follower = await node(t, () => notLeader(leader.url));
    const ran = await quorate([...transfer(follower.url), '--json'], secret);
    assert.equal(problemOf(ran).code, 'consensus/not-leader');
    assert.equal(leader.commands.length, 0);
    const followed = await quorate([...transfer(follower.url), '--follow'], secret);
    assert.equal(followed.code, 0, followed.err);
    assert.deepEqual(
      [...follower.commands, ...leader.commands].map(({ authorization }) => authorization),
      Array.from({ length: 3 }, () => 'Bearer the-secret-of-operators'),
    );
  });

  test('is not led off this machine, nor by what is no address', async (t) => {
    for (const named of [
      'http://192.0.2.1:4600',
      'http://127.0.0.1.example:4600',
      'http://localhost@192.0.2.1:4600',
      'file:///etc/passwd',
      'not an address',
      '',
      null,
      7,
    ]) {
      const follower = await node(t, () => notLeader(named));
      const ran = await quorate([...transfer(follower.url), '--json', '--timeout', '1']);
      assert.equal(problemOf(ran).code, 'consensus/not-leader', String(named));
      assert.equal(follower.commands.length, 1);
    }
  });

  test('is led nowhere by any other problem', async (t) => {
    const leader = await node(t, () => done);
    const follower = await node(t, () =>
      problemReply(409, 'consensus/quorum-loss', { leaderApi: leader.url }),
    );
    const ran = await quorate([...transfer(follower.url), '--json']);
    assert.equal(problemOf(ran).code, 'consensus/quorum-loss');
    assert.equal(leader.commands.length, 0);
  });
});
