import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answeredCodes, statusOf } from '../../src/api/problem-status.ts';
import { Problem } from '../../src/base/problem.ts';
import { failureCodes } from '../../src/ledger/failure-codes.ts';
import { problemCodes, type ProblemCode } from '../../src/base/problem-codes.ts';
import { problemFrom, start } from './world.ts';

interface Described {
  readonly components: {
    readonly schemas: Record<string, { readonly properties: Record<string, { readonly anyOf: unknown[] }> }>;
  };
}

void test('the description names every code that may come, and leaves room for those of newer nodes', async (t) => {
  const world = await start(t);
  const description = (await (await fetch(`${world.api.address}/v1/openapi.json`)).json()) as Described;
  const codes = (name: string): unknown => description.components.schemas[name]?.properties['code']?.anyOf;
  const text = { type: 'string' };
  assert.deepEqual(codes('Problem'), [{ type: 'string', enum: answeredCodes }, text]);
  assert.deepEqual(codes('ProblemPart'), codes('Problem'));
  assert.deepEqual(codes('Receipt'), [
    {
      type: 'string',
      enum: ['', ...failureCodes],
    },
    text,
  ]);
});

void test('a problem has the meaning of its code as its title, the same each time', async (t) => {
  const world = await start(t);
  for (const height of [77, 78]) {
    const response = await fetch(`${world.api.address}/v1/blocks/${height}`);
    const problem = await problemFrom(response, 404, 'api/no-such-block');
    assert.equal(problem.title, problemCodes['api/no-such-block']);
    assert.match(problem.detail, new RegExp(String(height)));
  }
});

void test('whatever a submission or a question may be refused with has a status of its own', () => {
  const sources = join(import.meta.dirname, '../../src');
  const files = ['mempool', 'node/backend']
    .flatMap((folder) => readdirSync(join(sources, folder)).map((name) => join(folder, name)))
    .concat('node/peers/intake.ts');
  const made = files.flatMap((file) =>
    [...readFileSync(join(sources, file), 'utf8').matchAll(/'([a-z]+\/[a-z-]+)'/g)]
      .map(([, code = '']) => code)
      // Those of the network are told to no client.
      .filter((code) => code in problemCodes && !code.startsWith('network/')),
  );
  assert.ok(made.includes('transaction/later-version') && made.length > 30, `${made.length} codes`);
  assert.deepEqual(
    made.filter((code) => statusOf(code as ProblemCode) === 500),
    [],
  );
});

void test('a problem that no client should get is answered as a fault of the node', async (t) => {
  const world = await start(t);
  world.backend.unready = new Problem('genesis/json', 'what', { remedy: 'What to do about it.' });
  assert.equal((await fetch(`${world.api.address}/v1/ready`)).status, 500);
  assert.equal(statusOf('toString'), 500);
});
