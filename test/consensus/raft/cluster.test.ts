import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Cluster } from './cluster.ts';

test('three members elect a leader, commit transactions, and survive its crash', () => {
  const cluster = Cluster.started();
  cluster.until(() => cluster.leader !== undefined, 'a leader');
  const transactions = Array.from({ length: 40 }, (_, i) => cluster.submit(`tx ${i}`));
  cluster.until(
    () => transactions.every((hash) => cluster.hosts.every((host) => cluster.isFinalAt(host, hash))),
    'all final',
  );
  const old = cluster.leader;
  assert.ok(old);
  old.crash();
  const later = cluster.submit('later');
  cluster.until(
    () =>
      cluster.hosts.filter((host) => host.engine !== null).every((host) => cluster.isFinalAt(host, later)),
    'later final',
  );
  old.start();
  cluster.until(() => cluster.isFinalAt(old, later), 'the restarted one has it');
  for (const host of cluster.hosts) host.crash();
  for (const host of cluster.hosts) host.start();
  const last = cluster.submit('last');
  cluster.until(() => cluster.hosts.every((host) => cluster.isFinalAt(host, last)), 'last final');
});
test('one member alone', () => {
  const cluster = Cluster.started({ members: 1 });
  const last = cluster.submit('last');
  cluster.until(() => cluster.isFinalAt(cluster.host(0), last), 'final', 200);
});
