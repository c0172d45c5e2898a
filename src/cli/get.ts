import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { fromHex } from '../base/bytes.ts';
import { harmless } from '../base/harmless.ts';
import { unwrap } from '../base/problem.ts';
import { grouped, shortened, valueText as describeValue } from '../client/plain-words.ts';
import { recordItemJson } from '../ledger/state-json.ts';
import { recordReading } from '../ledger/state-reading.ts';
import { connect, consistencyOption, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { proofOption } from './proof-file.ts';
import { provenItem, provenOption, told, trustedChain } from './proven-state.ts';
import { answer, facts, styled } from './terminal.ts';

export function getCommand(): CommandUnknownOpts {
  return new Command('get')
    .description('read a record')
    .argument('<key>', 'the record’s key')
    .addOption(
      new Option('--raw', 'write the value’s bytes to standard output, and nothing else').conflicts('json'),
    )
    .addOption(consistencyOption)
    .addOption(provenOption)
    .addOption(proofOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText('after', '\nA record that does not exist gives exit code 5.')
    .action(async (key, options) => {
      const { consistency, proof: file } = options;
      const genesis = await trustedChain(options);
      const client = connect(options);
      const { item: record, rows } =
        genesis === undefined
          ? told(unwrap(await client.record(key, { consistency })))
          : await provenItem(client, genesis, recordReading, {
              name: key,
              ask: client.recordProof(key),
              keep: { file, proves: 'record', name: key },
              none: 'api/no-such-record',
              itemOf: (value) => recordItemJson(key, value),
            });
      if (options.raw === true) {
        process.stdout.write(fromHex(record.value));
        return;
      }
      answer(options.json, record, () => facts([...recordRows(record), ...rows]));
    });
}

/** What is shown of a record. */
export function recordRows(record: ReturnType<typeof recordItemJson>): (readonly [string, string])[] {
  return [
    ['key', harmless(record.key)],
    ['value', valueText(fromHex(record.value))],
    ['owner', record.owner],
    ['version', `${record.version}, made at height ${grouped(record.changed.height)}`],
  ];
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
