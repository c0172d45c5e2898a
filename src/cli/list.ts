import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { fromHex } from '../base/bytes.ts';
import { harmless } from '../base/harmless.ts';
import { limits } from '../base/limits.ts';
import { Problem, unwrap } from '../base/problem.ts';
import { grouped } from '../client/plain-words.ts';
import { shortValueText } from './get.ts';
import { connect, consistencyOption, jsonOption, nodeOption, timeoutOption, wholeNumber } from './options.ts';
import { shellWord } from './shell-word.ts';
import { answer, table } from './terminal.ts';

export function listCommand(): CommandUnknownOpts {
  return new Command('list')
    .description('list records by the beginning of their keys')
    .argument('[prefix]', 'what the keys begin with, shop/ for all of a namespace; all records without it')
    .option('--limit <count>', 'records of one page', wholeNumber(1, limits.httpPage), limits.httpPage)
    .option('--after <key>', 'begin behind this key, which the page before named')
    .addOption(consistencyOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText(
      'after',
      '\nKeys come in the order of their bytes. A page is as it was after one final block, which it names.',
    )
    .action(async (prefix = '', { limit, after, consistency, ...options }) => {
      refuseAfter(after, prefix);
      const page = unwrap(await connect(options).records(prefix, { limit, after, consistency }));
      answer(options.json, page, () => {
        const rows = page.records.map(({ key, version, owner, value }) => [
          harmless(key),
          `${version}`,
          owner,
          shortValueText(fromHex(value)),
        ]);
        const listed =
          rows.length === 0 ? 'No records here.' : table(['key', 'version', 'owner', 'value'], rows);
        return `${listed}\n\n${listFooter(rows.length, page)}`;
      });
    });
}

/** Refuses a place to go on from that is not in the list: a node would name a field of its own. */
export function refuseAfter(after: string | undefined, prefix: string): void {
  if (after === undefined || after.startsWith(prefix)) return;
  throw new Problem(
    'cli/usage',
    `--after ${JSON.stringify(after)} is not in a list of ${JSON.stringify(prefix)}`,
    {
      remedy: 'Give what the page before named, of the same list; or leave it out to begin with the first.',
      details: { after, prefix },
    },
  );
}

/** How many there are on a page, of which height, and how to get the next one. */
export function listFooter(
  count: number,
  { height, next }: { readonly height: number; readonly next: string | null },
): string {
  const more = next === null ? '' : `, and there may be more: --after ${shellWord(harmless(next))}`;
  return `${grouped(count)} at height ${grouped(height)}${more}`;
}
