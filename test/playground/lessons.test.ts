import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { PlayHost } from '../../src/playground/host.ts';
import type { Lesson, Scene } from '../../src/playground/lessons/lesson.ts';
import { lessons } from '../../src/playground/lessons/list.ts';
import { type Act, actText } from '../../src/playground/act.ts';
import { openedFrom } from '../../src/playground/opened.ts';
import { queryOf, type Setting } from '../../src/playground/setting.ts';

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
      sources.every((source) => /\(\d{4}\)/.test(source) && / (?:abstract|sections? \d)/.test(source)),
      id,
    );
  }
});

/** Acts of one moment, in one sentence; the links of a cut are one. */
function doneAt(at: number, acts: readonly Act[]): string {
  const links = acts.flatMap((act) => ('other' in act ? [`${act.node}–${act.other}`] : []));
  const [first] = acts.filter((act) => 'other' in act);
  const rest = acts.filter((act) => !('other' in act)).map(actText);
  const linked =
    first === undefined
      ? []
      : [`the links ${links.join(', ')} are ${first.kind === 'cut' ? 'cut' : 'mended'}`];
  return `- ${(at / 1_000).toFixed(2)} s: ${[...linked, ...rest].join('; ')}`;
}

function settingText({ engine, nodes, load, seed, edits }: Setting): string {
  const liars = nodes.flatMap((liar, node) => (liar === null ? [] : [`node ${node} lies: ${liar}`]));
  const clients = load === 'steady' ? 'clients write all the time' : 'nobody else writes';
  const who = [`${engine}, ${nodes.length} nodes, seed ${seed}`, ...liars, clients].join('; ');
  const moments = Map.groupBy(edits, ({ at }) => at);
  return [
    `${who}.`,
    '',
    ...[...moments].map(([at, done]) =>
      doneAt(
        at,
        done.map(({ act }) => act),
      ),
    ),
  ]
    .join('\n')
    .trimEnd();
}

const sceneText = ({ name, see, setting, untilMs }: Scene): string =>
  [`**${name}** (${untilMs / 1_000} s). ${see}`, settingText(setting)].join('\n\n');

function lessonText({ title, sources, text, scene, question, answer, tries }: Lesson): string {
  return [
    `## ${title}`,
    ...text,
    sceneText(scene),
    `**${question}** ${answer}`,
    ...tries.map(sceneText),
    ['From:', '', ...sources.map((source) => `- ${source}`)].join('\n'),
  ].join('\n\n');
}

test('the page of the lessons says what the playground says', () => {
  const page = join(import.meta.dirname, '../../src/playground/lessons.md');
  const text = [
    '# The lessons',
    'What the playground teaches, to be read. Each scene can be watched at `#/play` of any node, and is played to its end by the tests. `npm run lessons` writes this page anew from `src/playground/lessons`.',
    ...lessons.map(lessonText),
  ].join('\n\n');
  if (process.env['QUORATE_REWRITE'] === '1') writeFileSync(page, `${text}\n`);
  assert.equal(readFileSync(page, 'utf8'), `${text}\n`, 'run "npm run lessons", and read what changed');
});
