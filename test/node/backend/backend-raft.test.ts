import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Problem, unwrap } from '../../../src/base/problem.ts';
import type { Protocol } from '../../../src/consensus/protocol.ts';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import type { NodeBackend } from '../../../src/node/backend/backend.ts';
import type { PeerId } from '../../../src/network/port.ts';
import { protocolOf } from '../../../src/node/core/protocol.ts';
import { Cluster, signedTransaction } from '../cluster.ts';
import { ask, change, genesis, leaderOf, makeBlocks } from '../raft-cluster.ts';
import { backendOf } from './backend-of.ts';

const { bytes, hash } = signedTransaction(genesis, 'alice', { nonce: 0 });
const key = (name: string) => developmentKeyPair(name).publicKey;

const coded = (code: string) => (problem: unknown) => problem instanceof Problem && problem.code === code;

/** Three nodes, of which the named one is left alone. */
async function alone(): Promise<{ cluster: Cluster; others: string[]; backend: NodeBackend }> {
  const cluster = await Cluster.start(3, genesis);
  leaderOf(cluster);
  const [name = '', ...others] = cluster.all.map((node) => node.name);
  for (const other of others) cluster.kill(other);
  const { engine } = cluster.node(name).driver;
  assert.ok(cluster.time.runUntil(() => engine.status().primary === null, 10_000));
  return { cluster, others, backend: backendOf(cluster, name) };
}

/** Until all have a block, and the leader an answer of each: who did not answer yet may not be there. */
function untilHeard(cluster: Cluster): void {
  assert.ok(cluster.time.runUntil(() => cluster.heights().every((height) => height > 0), 5_000));
  cluster.time.run(1_000);
}

describe('the backend of a Raft node', () => {
  test('names the voters that it has no connection to, whenever they became voters', async () => {
    const cluster = await Cluster.start(3, genesis);
    const leader = leaderOf(cluster);
    const why = (name: string): string => backendOf(cluster, name).why();
    const all = cluster.all.map(({ name }) => name);
    // It is connected before it is a member.
    await cluster.boot('validator-3');
    cluster.time.run(1_000);
    unwrap(ask(cluster, leader, change('validator-3', 'learner')));
    makeBlocks(cluster, 1, 0);
    unwrap(ask(cluster, leader, change('validator-3', 'voter')));
    makeBlocks(cluster, 1, 1);
    for (const name of [...all, 'validator-3']) assert.doesNotMatch(why(name), /no connection/);

    const [one = '', other = ''] = all.filter((name) => name !== leader);
    cluster.net.cut(one, other);
    cluster.time.run(1_000);
    assert.match(why(one), new RegExp(`; no connection to member ${other.at(-1)}$`));
    assert.match(why(other), new RegExp(`; no connection to member ${one.at(-1)}$`));
    cluster.net.mend(one, other);
    cluster.time.run(5_000);
    assert.doesNotMatch(why(one), /no connection/);

    unwrap(ask(cluster, leader, change('validator-3', 'removed')));
    makeBlocks(cluster, 1, 2);
    cluster.kill('validator-3');
    cluster.time.run(1_000);
    for (const name of all) assert.doesNotMatch(why(name), /no connection/);
  });

  test('says that another node uses its key', async () => {
    const cluster = await Cluster.start(3, genesis);
    const { registry } = cluster.node('validator-1').driver;
    const why = (): string => backendOf(cluster, 'validator-1').why();
    assert.doesNotMatch(why(), /uses the key/);
    const copy = 'its copy' as PeerId;
    assert.equal(registry.admit(copy, registry.hello(copy)), undefined);
    registry.connected(copy);
    assert.match(
      why(),
      /another node uses the key of this one, with the peer id its copy: stop one of the two/,
    );
    registry.forget(copy);
    assert.doesNotMatch(why(), /uses the key/);
  });

  test('takes nothing while nobody leads, and a client may try again', async () => {
    const { cluster, backend } = await alone();
    await assert.rejects(cluster.time.settle(backend.submit([bytes])), (problem) => {
      assert.ok(problem instanceof Problem && problem.code === 'consensus/no-leader');
      return problem.details['retryable'] === true;
    });
    assert.equal((await backend.transaction(hash)).status, 'unknown', 'it was not taken');
    const begin = cluster.time.now;
    await assert.rejects(
      cluster.time.settle(backend.submit([bytes], { waitMs: 700 })),
      coded('consensus/no-leader'),
    );
    assert.ok(cluster.time.now - begin >= 700 && cluster.time.now - begin < 900);
  });

  test('waits for a leader within the time that it is given', async () => {
    const { cluster, others, backend } = await alone();
    const submitted = backend.submit([bytes], { waitMs: 30_000 });
    for (const name of others) await cluster.boot(name);
    assert.deepEqual(await cluster.time.settle(submitted), [{ status: 'accepted', hash, missing: null }]);
  });

  test('waits for a leader no more when whoever waits had to give way', async () => {
    const { cluster, backend } = await alone();
    const begin = cluster.time.now;
    const waitsNoMore = (): boolean => cluster.time.now - begin >= 200;
    await assert.rejects(
      cluster.time.settle(backend.submit([bytes], { waitMs: 30_000, waitsNoMore })),
      coded('consensus/no-leader'),
    );
    assert.ok(cluster.time.now - begin < 400);
  });

  test('hands what a follower is given on to the leader', async () => {
    const cluster = await Cluster.start(3, genesis);
    const leader = leaderOf(cluster);
    const follower = cluster.all.find(({ name }) => name !== leader)?.name ?? '';
    assert.ok(cluster.time.runUntil(() => cluster.heights().every((height) => height > 0), 5_000));
    await cluster.time.settle(backendOf(cluster, follower).submit([bytes]));
    assert.ok(cluster.time.runUntil(() => cluster.nonces('alice').every((nonce) => nonce === 1), 5_000));
    assert.equal((await backendOf(cluster, leader).transaction(hash)).status, 'final');
  });

  test('tells clients to wait while the engine has too much unfinished', async () => {
    const cluster = new Cluster(genesis);
    const protocol = protocolOf(genesis);
    const full: Protocol<object> = {
      ...protocol,
      start: (start) => {
        const engine = protocol.start(start);
        return {
          step: (input) => engine.step(input),
          wants: (message) => engine.wants(message),
          why: () => engine.why(),
          status: () => ({ ...engine.status(), primary: 1, accepting: false }),
        };
      },
    };
    await cluster.boot('validator-0', { protocol: full });
    await assert.rejects(
      cluster.time.settle(backendOf(cluster, 'validator-0').submit([bytes])),
      (problem) => coded('node/busy')(problem) && (problem as Problem).details['retryable'] === true,
    );
  });

  test('changes members at the leader, and names it elsewhere', async () => {
    const cluster = await Cluster.start(3, genesis);
    const leader = leaderOf(cluster);
    const follower = cluster.all.find(({ name }) => name !== leader)?.name ?? '';
    untilHeard(cluster);
    const changes = [{ publicKey: key('validator-3'), role: 'learner' as const }];
    await assert.rejects(
      cluster.time.settle(backendOf(cluster, follower).changeMembers(changes, false)),
      (problem) => coded('consensus/not-leader')(problem) && (problem as Problem).message.includes(leader),
    );
    const { height } = await cluster.time.settle(backendOf(cluster, leader).changeMembers(changes, false));
    const members = backendOf(cluster, leader).members();
    assert.deepEqual(
      members.map(({ name, role, leader: leads }) => [name, role, leads]),
      [0, 1, 2, 3].map((index) => {
        const name = index === 3 ? 'member-3' : `validator-${index}`;
        return [name, index === 3 ? 'learner' : 'voter', name === leader];
      }),
    );
    assert.ok(cluster.node(leader).driver.chain.final.height >= height);
  });

  test('lists those who vote as validators, and all who are or were members as members', async () => {
    const cluster = await Cluster.start(3, genesis);
    const leader = leaderOf(cluster);
    untilHeard(cluster);
    const backend = backendOf(cluster, leader);
    const gone = cluster.all.find(({ name }) => name !== leader)?.name ?? '';
    for (const [name, role] of [
      ['validator-3', 'learner'],
      [gone, 'removed'],
    ] as const) {
      await cluster.time.settle(backend.changeMembers([{ publicKey: key(name), role }], false));
    }
    const stay = cluster.all.map(({ name }) => name).filter((name) => name !== gone);
    assert.deepEqual(
      backend.validators().map(({ name, primary }) => [name, primary]),
      stay.map((name) => [name, name === leader]),
    );
    assert.equal(backend.members().length, 4);
  });

  test('whoever knows no leader, as one that was removed, names those who know', async () => {
    const cluster = new Cluster(genesis);
    const apiOf = (name: string): string => `http://${name}.example:4600`;
    const names = ['validator-0', 'validator-1', 'validator-2'];
    for (const name of names) await cluster.boot(name, name === 'validator-2' ? {} : { api: apiOf(name) });
    untilHeard(cluster);
    const leader = leaderOf(cluster);
    const gone = leader === 'validator-0' ? 'validator-1' : 'validator-0';
    const backend = backendOf(cluster, gone);
    const changes = [{ publicKey: key(gone), role: 'removed' as const }];
    await cluster.time.settle(backendOf(cluster, leader).changeMembers(changes, false));
    const isOut = () => cluster.node(gone).driver.engine.status().primary === null;
    assert.ok(cluster.time.runUntil(isOut, 60_000));
    for (const ask of [() => backend.transferLeader(null), () => backend.changeMembers(changes, false)]) {
      await assert.rejects(cluster.time.settle(ask()), (problem) => {
        assert.ok(problem instanceof Problem && problem.code === 'consensus/not-leader');
        const others = names.filter((name) => name !== gone);
        const said = others.map((name) => (name === 'validator-2' ? name : `${name} (${apiOf(name)})`));
        assert.ok(problem.remedy.includes(said.join(', ')), problem.remedy);
        return true;
      });
    }
  });

  test('tells where the leader’s API is, when the leader told it', async () => {
    const cluster = new Cluster(genesis);
    const apiOf = (name: string): string => `http://${name}.example:4600`;
    const silent = 'validator-2';
    for (const name of ['validator-0', 'validator-1', silent]) {
      await cluster.boot(name, name === silent ? {} : { api: apiOf(name) });
    }
    const apis = [apiOf('validator-0'), apiOf('validator-1'), null];
    for (const leads of ['validator-0', 'validator-1', silent]) {
      assert.ok(cluster.time.runUntil(() => cluster.heights().every((height) => height > 0), 10_000));
      const leader = leaderOf(cluster);
      if (leader !== leads) await cluster.time.settle(backendOf(cluster, leader).transferLeader(key(leads)));
      const expected = leads === silent ? null : apiOf(leads);
      assert.ok(
        cluster.time.runUntil(
          () => cluster.all.every(({ name }) => backendOf(cluster, name).status().leaderApi === expected),
          5_000,
        ),
      );
      for (const { name } of cluster.all) {
        const backend = backendOf(cluster, name);
        assert.deepEqual(
          backend.members().map(({ api }) => api),
          apis,
        );
        if (name === leads) continue;
        await assert.rejects(cluster.time.settle(backend.transferLeader(null)), (problem) => {
          assert.ok(coded('consensus/not-leader')(problem));
          const { details, remedy } = problem as Problem;
          assert.equal(remedy.includes('http'), expected !== null);
          return details['leaderApi'] === expected;
        });
      }
    }
  });

  test('hands the lead over to a member, and to nobody else', async () => {
    const cluster = await Cluster.start(3, genesis);
    const leader = leaderOf(cluster);
    assert.ok(cluster.time.runUntil(() => cluster.heights().every((height) => height > 0), 5_000));
    const backend = backendOf(cluster, leader);
    await assert.rejects(backend.transferLeader(key('carol')), coded('consensus/no-transferee'));
    const transferee = cluster.all.find(({ name }) => name !== leader)?.name ?? '';
    await cluster.time.settle(backend.transferLeader(key(transferee)));
    assert.equal(leaderOf(cluster), transferee);
  });

  test('tells those who wait when it led and is left alone, and nobody when it hands the lead over', async () => {
    const cluster = await Cluster.start(3, genesis);
    const leader = leaderOf(cluster);
    assert.ok(cluster.time.runUntil(() => cluster.heights().every((height) => height > 0), 5_000));
    const told: string[] = [];
    for (const { name } of cluster.all) {
      backendOf(cluster, name).onSteppedDown((reason) => told.push(`${name}: ${reason}`));
    }
    const transferee = cluster.all.find(({ name }) => name !== leader)?.name ?? '';
    await cluster.time.settle(backendOf(cluster, leader).transferLeader(key(transferee)));
    assert.deepEqual(told, []);
    for (const { name } of cluster.all) if (name !== transferee) cluster.kill(name);
    assert.ok(cluster.time.runUntil(() => told.length > 0, 10_000));
    assert.deepEqual(told, [`${transferee}: it lost contact with a majority`]);
  });

  test('ends those who wait when the node stops', async () => {
    const { cluster, backend } = await alone();
    const waiting = backend.submit([bytes], { waitMs: 60_000 });
    backend.end(new Problem('node/stopping', 'the node stops', { remedy: 'Ask another.' }));
    await assert.rejects(cluster.time.settle(waiting), coded('node/stopping'));
  });
});

test('the backend of a PBFT node has a fixed committee, and says that it cannot change it', async () => {
  const cluster = await Cluster.start(4);
  const backend = backendOf(cluster, 'validator-0');
  assert.deepEqual(
    backend.members().map(({ role }) => role),
    ['voter', 'voter', 'voter', 'voter'],
  );
  const change = [{ publicKey: key('carol'), role: 'voter' as const }];
  const refused = (words: RegExp) => (problem: unknown) => {
    assert.ok(problem instanceof Problem && problem.code === 'consensus/unsupported');
    assert.match(problem.remedy, words);
    return true;
  };
  const changing = cluster.time.settle(backend.changeMembers(change, true));
  await assert.rejects(changing, refused(/validators propose/));
  const transferring = cluster.time.settle(backend.transferLeader(null));
  await assert.rejects(transferring, refused(/take turns by themselves/));
});
