import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { fromHex } from '../base/bytes.ts';
import { harmless } from '../base/harmless.ts';
import { unwrap } from '../base/problem.ts';
import type { RecordVersionAnswer } from '../client/answers.ts';
import type { HttpClient } from '../client/http-client.ts';
import { grouped } from '../client/plain-words.ts';
import { ProofChecker } from '../client/proof-checker.ts';
import { historyAt } from '../client/record-history.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { recordVersionJson, versionView } from '../ledger/state-json.ts';
import { recordEntryReading } from '../ledger/state-reading.ts';
import { shortAddress } from './block.ts';
import { exitCodes } from './exit-codes.ts';
import { shortValueText } from './get.ts';
import { pageFooter, pageOf, withPage } from './list-options.ts';
import { connect, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { placeJson, placeRows } from './proven-state.ts';
import { answer, facts, moment, table } from './terminal.ts';
import { readGenesis } from './trusted-genesis.ts';

/** Of a value in the table; --json has all of it. */
const longestShown = 60;

export function historyCommand(): CommandUnknownOpts {
  return withPage(new Command('history'))
    .description('show the versions of a record: who made each, when and where, and what it wrote')
    .argument('<key>', 'the record’s key')
    .addOption(
      new Option(
        '--genesis <file>',
        'believe no node: check the proof of each version against this genesis file',
      ).conflicts(['oldest', 'cursor']),
    )
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText('after', '\nA record of which the node knows no version gives exit code 5.')
    .action(async (key, options) => {
      const client = connect(options);
      if (options.genesis !== undefined) {
        await showProven(client, await readGenesis(options.genesis), key, options);
        return;
      }
      const history = unwrap(await client.recordHistory(key, pageOf(options)));
      answer(options.json, history, () => {
        const { versions } = history;
        const rows = versions.length === 0 ? `${harmless(key)} has no version.` : versionTable(versions);
        return `${rows}\n${pageFooter(history)}`;
      });
      if (history.versions.length === 0) process.exitCode = exitCodes.notFound;
    });
}

/** The newest versions, from a proven state down. */
async function showProven(
  client: HttpClient,
  genesis: Genesis,
  key: string,
  { limit, json }: { readonly limit: number; readonly json?: true | undefined },
): Promise<void> {
  const checker = new ProofChecker(genesis, client);
  const proven = unwrap(await checker.state(recordEntryReading, unwrap(await client.recordProof(key)), key));
  const state = { height: proven.header.height, value: proven.value };
  const { versions, older } = unwrap(
    await historyAt(client, key, state, {
      newest: limit,
      checked: (answered, hash) => checker.receipt(answered, hash),
    }),
  );
  const shown = versions.map((one) => recordVersionJson(versionView(one)));
  answer(json, { key, versions: shown, older, ...placeJson(genesis, proven) }, () => {
    const none =
      older === 0 ? `${harmless(key)} has no version.` : `The node shows no version of ${harmless(key)}.`;
    const listed = shown.length > 0 ? versionTable(shown) : none;
    return `${listed}\n\n${olderText(older)}\n\n${facts(placeRows(proven))}`;
  });
  if (proven.value === undefined) process.exitCode = exitCodes.notFound;
}

function olderText(older: number): string {
  if (older === 0) return 'There were no versions before these: that is proven.';
  return `There were ${grouped(older)} before these; --limit shows more, as far as the node keeps their blocks.`;
}

function versionTable(versions: readonly ReturnType<typeof recordVersionJson>[]): string {
  return table(
    ['version', 'height', 'time', 'by', 'what'],
    versions.map((one) => [
      String(one.version),
      grouped(one.made.height),
      moment(one.timestamp),
      shortAddress(one.by),
      changeText(one),
    ]),
  );
}

function changeText({ change, value, to }: Pick<RecordVersionAnswer, 'change' | 'value' | 'to'>): string {
  if (change === 'put') return `put ${shortValueText(fromHex(value ?? ''), longestShown)}`;
  return change === 'give' ? `give to ${shortAddress(to ?? '')}` : 'delete';
}
