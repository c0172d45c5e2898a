import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { fromHex } from '../base/bytes.ts';
import { harmless } from '../base/harmless.ts';
import { unwrap } from '../base/problem.ts';
import type { RecordAnswer } from '../client/answers.ts';
import type { HttpClient } from '../client/http-client.ts';
import { grouped, shortened, valueText as describeValue } from '../client/plain-words.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { recordItemJson } from '../ledger/state-json.ts';
import { recordReading } from '../ledger/state-reading.ts';
import { connect, consistencyOption, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { placeJson, placeRows, proven, provenAbsent, provenOption } from './proven-state.ts';
import { answer, facts, styled } from './terminal.ts';
import { readGenesis } from './trusted-genesis.ts';

export function getCommand(): CommandUnknownOpts {
  return new Command('get')
    .description('read a record')
    .argument('<key>', 'the record’s key')
    .addOption(
      new Option('--raw', 'write the value’s bytes to standard output, and nothing else').conflicts('json'),
    )
    .addOption(consistencyOption)
    .addOption(provenOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText('after', '\nA record that does not exist gives exit code 5.')
    .action(async (key, options) => {
      const client = connect(options);
      const { consistency } = options;
      const { record, rows } =
        options.genesis === undefined
          ? toldOf(unwrap(await client.record(key, { consistency })))
          : await provenOf(client, await readGenesis(options.genesis), key);
      const value = fromHex(record.value);
      if (options.raw === true) {
        process.stdout.write(value);
        return;
      }
      answer(options.json, record, () =>
        facts([
          ['key', harmless(record.key)],
          ['value', valueText(value)],
          ['owner', record.owner],
          ['version', `${record.version}, made at height ${grouped(record.changed.height)}`],
          ...rows,
        ]),
      );
    });
}

/** A record, and what is said of the state that it stands in. */
interface ReadRecord {
  readonly record: Pick<RecordAnswer, 'key' | 'value' | 'owner' | 'version' | 'changed'>;
  readonly rows: readonly (readonly [string, string])[];
}

function toldOf(record: RecordAnswer): ReadRecord {
  return { record, rows: [['read at', `height ${grouped(record.height)}, ${record.consistency}`]] };
}

async function provenOf(client: HttpClient, genesis: Genesis, key: string): Promise<ReadRecord> {
  const verified = await proven(client, genesis, recordReading, { name: key, ask: client.recordProof(key) });
  if (verified.value === undefined) {
    throw provenAbsent('api/no-such-record', recordReading.lacks(key), verified);
  }
  const record = { ...recordItemJson(key, verified.value), ...placeJson(genesis, verified) };
  return { record, rows: placeRows(verified) };
}

/** Of a value in a table, unless told otherwise. */
const shownCharacters = 40;

/** No more than the first `longest` characters of it. */
export function shortValueText(value: Uint8Array, longest = shownCharacters): string {
  return shortened(valueText(value), longest);
}

/** Text as it is, and anything else in hex. */
export function valueText(value: Uint8Array): string {
  const { text, kind } = describeValue(value);
  return kind === 'empty' ? styled('dim', text) : text;
}
