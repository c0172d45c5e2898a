import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { fromHex, fromUtf8 } from '../base/bytes.ts';
import { harmless } from '../base/harmless.ts';
import { unwrap } from '../base/problem.ts';
import type { RecordAtAnswer } from '../client/answers.ts';
import { grouped } from '../client/plain-words.ts';
import { toHeight } from '../ledger/block.ts';
import { valueText } from './get.ts';
import { lineDiff } from '../base/line-diff.ts';
import { connect, jsonOption, nodeOption, timeoutOption, wholeNumber } from './options.ts';
import { answer, styled } from './terminal.ts';

const height = wholeNumber(0, 2 ** 48 - 1);

export function diffCommand(): CommandUnknownOpts {
  return new Command('diff')
    .description('show what a record was after each of two blocks, and what changed between them')
    .argument('<key>', 'the record’s key')
    .argument('<from>', 'a height', height)
    .argument('<to>', 'another height', height)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (key, from, to, options) => {
      const heights = { from: toHeight(from), to: toHeight(to) };
      const diff = unwrap(await connect(options).recordDiff(key, heights));
      answer(options.json, diff, () =>
        [sideText(key, diff.from), sideText(key, diff.to), ...changesText(diff.from, diff.to)].join('\n'),
      );
    });
}

function sideText(key: string, { height: at, version, made, value }: RecordAtAnswer): string {
  const what =
    made === null
      ? 'never written'
      : `${value === null ? 'deleted, ' : ''}version ${version}, made at height ${grouped(made.height)}`;
  return `${harmless(key)} at height ${grouped(at)}: ${what}`;
}

function changesText(before: RecordAtAnswer, after: RecordAtAnswer): string[] {
  if (before.value === after.value) {
    return [before.version === after.version ? 'nothing changed' : 'the value is the same'];
  }
  const [old, next] = [before.value, after.value].map((value) => (value === null ? [] : linesOf(value)));
  return lineDiff(old ?? [], next ?? []).map(({ sign, line }) => {
    const text = `${sign} ${line}`;
    return sign === '-' ? styled('red', text) : sign === '+' ? styled('green', text) : text;
  });
}

/**
 * The lines of a text. Bytes that are not text, or would look like another one on a terminal, are a line of
 * hex.
 */
function linesOf(hex: string): readonly string[] {
  const bytes = fromHex(hex);
  const lines = fromUtf8(bytes)?.split('\n');
  return lines?.every((line) => harmless(line) === line) === true ? lines : [valueText(bytes)];
}
