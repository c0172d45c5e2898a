import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { HttpClient } from '../../src/client/http-client.ts';
import { jsonOf, type Ran, temporaryDirectory } from '../cli/quorate.ts';
import { eventually } from '../support/eventually.ts';
import { Running } from './processes.ts';

const script = join(import.meta.dirname, '../../scripts/demo.ts');

function demo(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text));
    child.once('close', (code) => resolve({ code, ...said }));
  });
}

test('the demo goes on when the leader is killed with -9 in the middle of it, and loses nothing that was final', async (t) => {
  const data = temporaryDirectory(t);
  const network = new Running(t, ['testnet', '--engine', 'raft', '--base-port', '0', '--data', data]);
  const { nodes } = await network.event<{ nodes: { node: number; api: string; pid: number }[] }>('ready');
  const apis = nodes.map(({ api }) => api);
  const [api = ''] = apis;
  const client = new HttpClient({ baseUrl: api, deadlineMs: 120_000 });
  const running = demo('--nodes', apis.join(), '--count', '3000');
  const leader = await eventually('the chain grows under load', async () => {
    const status = await client.status();
    return status instanceof Problem || status.finalHeight < 5 ? undefined : (status.primary ?? undefined);
  });
  const victim = nodes.find(({ node }) => node === leader);
  assert.ok(victim !== undefined && process.kill(victim.pid, 'SIGKILL'));
  const ran = await running;
  assert.equal(ran.code, 0, ran.err);
  const result = jsonOf(ran);
  assert.deepEqual(result['down'], [victim.api]);
  assert.deepEqual(result['outcomes'], { applied: 3_000, failed: 0, twice: 0, missing: 0 });
  assert.equal(result['equal'], true);

  const again = await demo('--nodes', apis.join(), '--count', '50');
  assert.equal(again.code, 0, again.err);
  const nobody = await demo('--nodes', victim.api, '--count', '50');
  assert.equal(nobody.code, 3);
  assert.match(nobody.out + nobody.err, /api\/unreachable/);
  network.child.kill('SIGTERM');
  assert.equal(await network.ended(), 0, network.errors);
});
