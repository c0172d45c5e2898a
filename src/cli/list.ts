import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { compareBytes, fromHex, utf8 } from '../base/bytes.ts';
import { harmless } from '../base/harmless.ts';
import { limits } from '../base/limits.ts';
import { Problem, unwrap } from '../base/problem.ts';
import type { HttpClient } from '../client/http-client.ts';
import { grouped } from '../client/plain-words.ts';
import { ProofChecker } from '../client/proof-checker.ts';
import { provenRecords } from '../client/proven-lists.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { namespaceOf } from '../ledger/record-key.ts';
import { recordItemJson } from '../ledger/state-json.ts';
import { shortValueText } from './get.ts';
import { connect, consistencyOption, jsonOption, nodeOption, timeoutOption, wholeNumber } from './options.ts';
import { proofOption, writeProof } from './proof-file.ts';
import { placeJson, placeRows, provenOption, trustedChain } from './proven-state.ts';
import { shellWord } from './shell-word.ts';
import { answer, facts, table } from './terminal.ts';

export function listCommand(): CommandUnknownOpts {
  return new Command('list')
    .description('list records by the beginning of their keys')
    .argument('[prefix]', 'what the keys begin with, shop/ for all of a namespace; all records without it')
    .option('--limit <count>', 'records of one page', wholeNumber(1, limits.httpPage), limits.httpPage)
    .option('--after <key>', 'begin behind this key, which the page before named')
    .addOption(consistencyOption)
    .addOption(provenOption)
    .addOption(proofOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText(
      'after',
      '\nKeys come in the order of their bytes. A page is as it was after one final block, which it names. With --genesis it is proven that none is missing: the whole namespace is read for that.',
    )
    .action(async (prefix = '', { limit, after, consistency, ...options }) => {
      refuseAfter(after, prefix);
      const { proof: file } = options;
      const genesis = await trustedChain(options);
      const client = connect(options);
      const { item: page, rows: about } =
        genesis === undefined
          ? { item: unwrap(await client.records(prefix, { limit, after, consistency })), rows: [] }
          : await provenList(client, genesis, { prefix, after, limit, file });
      answer(options.json, page, () => {
        const proof = about.length === 0 ? '' : `\n\n${facts(about)}`;
        return `${recordTable(page.records)}\n\n${listFooter(page.records.length, page)}${proof}`;
      });
    });
}

/** What is shown of records in a list. */
export function recordTable(
  records: readonly Pick<ReturnType<typeof recordItemJson>, 'key' | 'version' | 'owner' | 'value'>[],
): string {
  if (records.length === 0) return 'No records here.';
  return table(
    ['key', 'version', 'owner', 'value'],
    records.map(({ key, version, owner, value }) => [
      harmless(key),
      `${version}`,
      owner,
      shortValueText(fromHex(value)),
    ]),
  );
}

/** The part of a whole namespace that is asked for, with what proves that it lacks nothing. */
async function provenList(
  client: HttpClient,
  genesis: Genesis,
  {
    prefix,
    after,
    limit,
    file,
  }: {
    readonly prefix: string;
    readonly after: string | undefined;
    readonly limit: number;
    readonly file: string | undefined;
  },
) {
  const namespace = namespaceOf(prefix);
  if (namespace === undefined) {
    throw new Problem('cli/usage', 'only a list of one namespace has a proof', {
      remedy:
        'Give a prefix with the name of a namespace and "/", as in "quorate list shop/"; or leave --genesis out.',
      details: { prefix },
    });
  }
  const { page, records, proof } = unwrap(
    await provenRecords(client, new ProofChecker(genesis, client), namespace),
  );
  writeProof(file, proof);
  const wanted = records.filter(
    ({ key }) => key.startsWith(prefix) && (after === undefined || compareBytes(utf8(key), utf8(after)) > 0),
  );
  const shown = wanted.slice(0, limit).map(({ key, ...record }) => recordItemJson(key, record));
  const next = shown.length < wanted.length ? (shown.at(-1)?.key ?? null) : null;
  return {
    item: { prefix, records: shown, next, ...placeJson(genesis, page) },
    rows: placeRows(page),
  };
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
