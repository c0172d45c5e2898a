import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { suite, test, type TestContext } from 'node:test';
import { maxDevelopmentValidators } from '../../src/cli/testnet/development-genesis.ts';
import { choosePorts } from '../../src/cli/testnet/ports.ts';
import { isBarredPort } from '../../src/client/node-address.ts';

/** Somebody listens there, at the latest now. */
async function taken(t: TestContext, port: number): Promise<number> {
  const server = createServer();
  t.after(() => server.close());
  await new Promise((resolve) =>
    server.once('error', resolve).listen(port, '127.0.0.1', () => resolve(server)),
  );
  return port;
}

suite('any free ports', () => {
  test('are none that the system hands out meanwhile, nor barred ones, and each is chosen once', async () => {
    const found = [...(await choosePorts(0, 8)), ...(await choosePorts(0, 8))];
    const ports = found.flatMap(({ api, peers }) => [api, peers]);
    assert.equal(new Set(ports).size, 32);
    for (const port of ports) assert.ok(port > 10_080 && port < 32_768 && !isBarredPort(port), `${port}`);
  });

  test('are there for as many nodes as a test network may have', async () => {
    assert.equal((await choosePorts(0, maxDevelopmentValidators)).length, maxDevelopmentValidators);
  });

  test('are others where one is taken', async (t) => {
    const [first] = await choosePorts(0, 1);
    assert.ok(first !== undefined);
    const others = [await taken(t, first.peers + 1), await taken(t, first.peers + 2)];
    const [next] = await choosePorts(0, 1);
    assert.ok(next !== undefined && !others.includes(next.api) && !others.includes(next.peers));
  });
});
