import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlayHost } from '../../src/playground/host.ts';
import { lessons } from '../../src/playground/lesson-list.ts';

for (const { id, setting, untilMs, comesTo } of lessons) {
  test(`the lesson ${id} comes to what it says`, async () => {
    const host = new PlayHost(setting);
    await host.playTo(untilMs);
    const { breach, nodes } = host.look();
    const highest = Math.max(...nodes.map(({ height }) => height));
    assert.equal(breach?.guarantee, comesTo.breach, breach?.message);
    assert.ok(highest >= (comesTo.atLeast ?? 0), `${highest} blocks`);
    assert.ok(highest <= (comesTo.atMost ?? Infinity), `${highest} blocks`);
    assert.ok(comesTo.breach !== undefined || comesTo.atLeast !== undefined || comesTo.atMost !== undefined);
  });
}
