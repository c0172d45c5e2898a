import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { misshapen, shapes } from '../../src/client/answer-shapes.ts';
import type { Answers } from '../../src/client/answers.ts';
import { wholeShapes } from '../../src/client/whole-shapes.ts';

/**
 * What nodes of older programs really answered, by the number of their commit; lists are cut to their first
 * items. They are never written anew: today's client reads them for as long as their routes are `/v1`. A
 * field that answers got since is `unlessAbsent` in the shapes and optional in `answers.ts`; what shows it
 * says less without it. A field that must not be lacking is a change for which versions are raised.
 */
const directory = new URL('../golden/older-answers/', import.meta.url);

interface Older {
  readonly commit: string;
  readonly answers: Readonly<Partial<Record<keyof Answers, object>>>;
}

for (const name of readdirSync(directory)) {
  describe(`answers of an older node, ${name}`, () => {
    const { answers } = JSON.parse(readFileSync(new URL(name, directory), 'utf8')) as Older;
    for (const [kind, answer] of Object.entries(answers)) {
      test(`${kind} is read by today's client`, () => {
        const own = (shapes as Partial<typeof wholeShapes>)[kind as keyof Answers];
        const problem = misshapen(answer, [own, wholeShapes[kind as keyof Answers]], 'http://older');
        assert.equal(problem?.message, undefined);
      });
    }
  });
}
