import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { harmless } from '../base/harmless.ts';
import { limits } from '../base/limits.ts';
import { Problem, unwrap } from '../base/problem.ts';
import type { NamespaceAnswer } from '../client/answers.ts';
import { grouped } from '../client/plain-words.ts';
import { namespaceModes } from '../ledger/namespace.ts';
import { namespaceItemJson } from '../ledger/state-json.ts';
import { namespaceReading } from '../ledger/state-reading.ts';
import { listFooter, refuseAfter } from './list.ts';
import { accountNamed, accountsNamed } from './names.ts';
import { connect, consistencyOption, jsonOption, nodeOption, timeoutOption, wholeNumber } from './options.ts';
import { proofOption } from './proof-file.ts';
import { provenItem, provenOption, told, trustedChain } from './proven-state.ts';
import { answer, facts, table } from './terminal.ts';
import { withTerms } from './tx-terms.ts';
import { send } from './tx-send.ts';

const modes =
  '\nModes: open, anybody creates records, and each is its creator’s; writers, they alone write, and any of them any' +
  '\nrecord; append-only, writers create records, which nobody changes, deletes or gives away, and this never ends.';

export function namespaceCommand(): CommandUnknownOpts {
  return new Command('namespace')
    .description('claim what stands before the first / of keys, and say who may write there')
    .addCommand(openCommand())
    .addCommand(setCommand())
    .addCommand(showCommand())
    .addCommand(listNamespacesCommand());
}

function modeOption() {
  return new Option('--mode <mode>', 'who may write there').choices(namespaceModes);
}

function writerOption() {
  return new Option('--writer <account>', 'who may write there; may be given several times').argParser(
    (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value],
  );
}

function openCommand(): CommandUnknownOpts {
  return withTerms(new Command('open'))
    .description('claim a namespace; whoever signs owns it')
    .argument('<name>', 'what stands before the first / of keys')
    .addOption(modeOption())
    .addOption(writerOption())
    .addHelpText(
      'after',
      `${modes}\nWithout --mode it is writers when a writer is named, and open otherwise.`,
    )
    .action((name, { mode, writer = [], ...options }) =>
      send(options, async (client) => ({
        type: 'open-namespace',
        name,
        mode: mode ?? (writer.length > 0 ? 'writers' : 'open'),
        writers: await accountsNamed(writer, { directory: options.keys, client }),
      })),
    );
}

function setCommand(): CommandUnknownOpts {
  return withTerms(new Command('set'))
    .description('change who may write in a namespace that you own, or give it away')
    .argument('<name>', 'the namespace')
    .addOption(modeOption())
    .addOption(writerOption())
    .option('--owner <account>', 'whose it becomes, with all say over it')
    .addHelpText(
      'after',
      `${modes}\nWhat is not given stays as it is; --writer names all writers from now on.`,
    )
    .action((name, { mode, writer, owner, ...options }) => {
      if (mode === undefined && writer === undefined && owner === undefined) {
        throw new Problem('cli/usage', 'nothing is to be changed', {
          remedy: 'Give --mode, --writer or --owner. Nothing was signed.',
        });
      }
      return send(options, async (client) => ({
        type: 'set-namespace',
        name,
        mode,
        writers: writer && (await accountsNamed(writer, { directory: options.keys, client })),
        owner:
          owner === undefined ? undefined : await accountNamed(owner, { directory: options.keys, client }),
      }));
    });
}

function showCommand(): CommandUnknownOpts {
  return new Command('show')
    .description('show a namespace: its owner, who may write there, and how much stands there')
    .argument('<name>', 'the namespace')
    .addOption(consistencyOption)
    .addOption(provenOption)
    .addOption(proofOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText('after', '\nA namespace that was never opened gives exit code 5.')
    .action(async (name, { consistency, ...options }) => {
      const { proof: file } = options;
      const genesis = await trustedChain(options);
      const client = connect(options);
      const { item: shown, rows } =
        genesis === undefined
          ? told(unwrap(await client.namespace(name, { consistency })))
          : await provenItem(client, genesis, namespaceReading, {
              name,
              ask: client.namespaceProof(name),
              keep: { file, proves: 'namespace', name },
              none: 'api/no-such-namespace',
              itemOf: (value) => namespaceItemJson(name, value),
            });
      answer(options.json, shown, () => facts([...namespaceRows(shown), ...rows]));
    });
}

/** What is shown of a namespace. */
export function namespaceRows(
  shown: Pick<NamespaceAnswer, 'name' | 'owner' | 'mode' | 'writers' | 'entries' | 'root'>,
): (readonly [string, string])[] {
  return [
    ['namespace', harmless(shown.name)],
    ['owner', shown.owner],
    ['mode', shown.mode],
    ...shown.writers.map((writer): readonly [string, string] => ['writer', writer]),
    ['entries', `${grouped(shown.entries)}, deleted ones too`],
    ['root', shown.root],
  ];
}

function listNamespacesCommand(): CommandUnknownOpts {
  return new Command('list')
    .description('list namespaces by the beginning of their names')
    .argument('[prefix]', 'what the names begin with; all namespaces without it')
    .option('--limit <count>', 'namespaces of one page', wholeNumber(1, limits.httpPage), limits.httpPage)
    .option('--after <name>', 'begin behind this name, which the page before named')
    .addOption(consistencyOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (prefix = '', { limit, after, consistency, ...options }) => {
      refuseAfter(after, prefix);
      const page = unwrap(await connect(options).namespaces(prefix, { limit, after, consistency }));
      answer(options.json, page, () => {
        const rows = page.namespaces.map(({ name, owner, mode, writers, entries }) => [
          harmless(name),
          owner,
          mode,
          grouped(writers.length),
          grouped(entries),
        ]);
        const listed =
          rows.length === 0
            ? 'No namespaces here.'
            : table(['name', 'owner', 'mode', 'writers', 'entries'], rows);
        return `${listed}\n\n${listFooter(rows.length, page)}`;
      });
    });
}
