import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { fromHex } from '../base/bytes.ts';
import { harmless } from '../base/harmless.ts';
import { unwrap } from '../base/problem.ts';
import type { RecordVersionAnswer } from '../client/answers.ts';
import type { HttpClient } from '../client/http-client.ts';
import { grouped } from '../client/plain-words.ts';
import { ProofChecker } from '../client/proof-checker.ts';
import { provenHistory } from '../client/proven-lists.ts';
import type { Genesis } from '../ledger/genesis.ts';
import type { RecordVersions } from '../ledger/history-proof.ts';
import { recordVersionJson, versionView } from '../ledger/state-json.ts';
import { shortAddress } from './block.ts';
import { exitCodes } from './exit-codes.ts';
import { shortValueText } from './get.ts';
import { pageFooter, pageOf, withPage } from './list-options.ts';
import { connect, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { proofOption, writeProof } from './proof-file.ts';
import { placeJson, placeRows, trustedChain } from './proven-state.ts';
import { answer, facts, moment, table } from './terminal.ts';

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
    .addOption(proofOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText('after', '\nA record of which the node knows no version gives exit code 5.')
    .action(async (key, options) => {
      const genesis = await trustedChain(options);
      const client = connect(options);
      if (genesis !== undefined) return showProven(client, genesis, key, options);
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
  {
    limit,
    json,
    proof: file,
  }: { readonly limit: number; readonly json?: true | undefined; readonly proof?: string | undefined },
): Promise<void> {
  const {
    state,
    history: found,
    proof,
  } = unwrap(await provenHistory(client, new ProofChecker(genesis, client), key, limit));
  writeProof(file, proof);
  const history = historyJson(key, found);
  answer(json, { ...history, ...placeJson(genesis, state) }, () => {
    const more = found.older === 0 ? '' : '; --limit shows more, as far as the node keeps their blocks';
    return `${historyText(history)}${more}.\n\n${facts(placeRows(state))}`;
  });
  if (state.value === undefined) process.exitCode = exitCodes.notFound;
}

/** The newest versions of a record, and how many there were before them, all of them proven. */
export function historyJson(key: string, { versions, older }: RecordVersions) {
  return { key, versions: versions.map((one) => recordVersionJson(versionView(one))), older };
}

/** The same for people, without its last full stop. */
export function historyText({ key, versions, older }: ReturnType<typeof historyJson>): string {
  const none = older === 0 ? `${harmless(key)} has no version.` : `No version of ${harmless(key)} is shown.`;
  const before =
    older === 0
      ? 'There were no versions before these: that is proven'
      : `There were ${grouped(older)} before these`;
  return `${versions.length > 0 ? versionTable(versions) : none}\n\n${before}`;
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
