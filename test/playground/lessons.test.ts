import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PlayHost } from '../../src/playground/host.ts';
import type { Scene } from '../../src/playground/lessons/lesson.ts';
import { lessons } from '../../src/playground/lessons/list.ts';
import { openedFrom, queryOf } from '../../src/playground/setting.ts';

/** Plays a scene to its end, in the pieces in which a page would; all lines of its log come with it. */
async function played({ setting, untilMs }: Scene) {
  const host = new PlayHost(setting);
  const lines: string[] = [];
  for (let ms = 100; ms < untilMs && !host.look().isOver; ms += 100) {
    await host.playTo(ms);
    lines.push(...host.look().lines);
  }
  await host.playTo(untilMs);
  const view = host.look();
  return { view, lines: [...lines, ...view.lines] };
}

function hold({ comesTo }: Scene, { view, lines }: Awaited<ReturnType<typeof played>>): void {
  const { breach, nodes } = view;
  assert.equal(breach?.guarantee, comesTo.breach?.guarantee, breach?.message);
  assert.deepEqual(breach?.conflict?.signedBoth, comesTo.breach?.signedBoth);
  if (comesTo.x !== undefined) {
    const found = nodes.map(({ inside }) =>
      inside === null ? 'down' : inside.x === null ? null : Number(inside.x),
    );
    assert.deepEqual(found, comesTo.x);
  }
  const highest = Math.max(...nodes.map(({ height }) => height));
  const [least, most] = comesTo.blocks ?? [0, Infinity];
  assert.ok(least <= highest && highest <= most, `${highest} blocks`);
  let from = 0;
  for (const words of comesTo.log ?? []) {
    const at = lines.findIndex((line, index) => index >= from && line.includes(words));
    assert.ok(at >= 0, `${words}, after line ${from}:\n${lines.join('\n')}`);
    from = at + 1;
  }
}

for (const lesson of lessons) {
  describe(`the lesson ${lesson.id}`, () => {
    for (const scene of [lesson.scene, ...lesson.tries]) {
      test(`comes to what it says: ${scene.name}`, async () => {
        const { breach, x, blocks, log } = scene.comesTo;
        assert.ok([breach, x, blocks, log].some((one) => one !== undefined));
        hold(scene, await played(scene));
      });

      test(`opens from its address: ${scene.name}`, () => {
        const opened = openedFrom(queryOf(scene.setting, { lesson: lesson.id }));
        assert.deepEqual(opened, { setting: scene.setting, event: undefined, lesson: lesson.id });
      });
    }
  });
}

test('a lesson has a name of its own, a source, a question, and something to try', () => {
  assert.equal(new Set(lessons.map(({ id }) => id)).size, lessons.length);
  for (const { id, sources, tries, question, answer } of lessons) {
    assert.ok(sources.length > 0 && tries.length > 0 && question.endsWith('?') && answer !== '', id);
    assert.ok(
      sources.every((source) => /\(\d{4}\)/.test(source) && /section|figure/.test(source)),
      id,
    );
  }
});
