import { readFileSync } from 'node:fs';
import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { Problem, unwrap } from '../base/problem.ts';
import type { MemberAnswer } from '../client/answers.ts';
import type { HttpClient } from '../client/http-client.ts';
import { encodeAddress } from '../crypto/address.ts';
import { keysOption } from './key-directory.ts';
import { accountNamed } from './names.ts';
import { connect, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { answer, grouped, harmless, styled, table } from './terminal.ts';

export const tokenFileOption = new Option(
  '--token-file <file>',
  'the operator’s token of that node is this file’s first line; otherwise QUORATE_TOKEN; none is needed on the node’s own machine',
);

const notes =
  '\nOnly the leader of a Raft chain changes its members, one change at a time (see "quorate members list").';

export function membersCommand(): CommandUnknownOpts {
  return new Command('members')
    .description('see and change who takes part (Raft)')
    .addCommand(listCommand())
    .addCommand(changeCommand('add', 'learner', 'let a node follow without a vote, until it is promoted'))
    .addCommand(changeCommand('promote', 'voter', 'give a learner that caught up a vote'))
    .addCommand(changeCommand('remove', 'removed', 'take a member out'));
}

function listCommand(): CommandUnknownOpts {
  return new Command('list')
    .description('list all members by index, those that were removed included')
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (options) => {
      const listed = unwrap(await connect(options).members());
      answer(options.json, listed, () =>
        table(
          ['#', 'name', 'address', 'role', 'connection', ''],
          listed.members.map((one) => [
            String(one.index),
            harmless(one.name),
            one.address,
            one.role,
            one.self ? 'this node' : one.connected ? styled('green', 'connected') : styled('red', 'none'),
            one.leader ? 'leader' : '',
          ]),
        ),
      );
    });
}

function changeCommand(
  name: string,
  role: 'voter' | 'learner' | 'removed',
  description: string,
): CommandUnknownOpts {
  return new Command(name)
    .description(description)
    .argument(
      '<member>',
      'its number or name in the list, an address (qr1…), a public key in hex, or a key’s name',
    )
    .option('--force', 'also when what is left is no working quorum')
    .addOption(tokenFileOption)
    .addOption(keysOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText('after', notes)
    .action(async (text, options) => {
      const client = connect(options);
      const member = await memberNamed(text, { client, directory: options.keys });
      const changed = unwrap(
        await client.changeMembers([{ member, role }], {
          force: options.force === true,
          token: tokenOf(options.tokenFile),
        }),
      );
      answer(
        options.json,
        { ...changed, member, role },
        () => `${member} is ${role} from height ${grouped(changed.height)} on.`,
      );
    });
}

/** The address of a member as the list shows it, or of somebody who is to become one. */
export async function memberNamed(
  text: string,
  context: { readonly client: HttpClient; readonly directory: string },
): Promise<string> {
  const { members } = unwrap(await context.client.members());
  const found = members.find((one: MemberAnswer) => one.name === text || String(one.index) === text);
  return found?.address ?? encodeAddress(await accountNamed(text, context));
}

export function tokenOf(file: string | undefined): string | undefined {
  if (file === undefined) return process.env['QUORATE_TOKEN'];
  try {
    return readFileSync(file, 'utf8').split('\n')[0]?.trim();
  } catch (cause) {
    throw new Problem('cli/file', `${file} cannot be read: ${(cause as Error).message}`, {
      remedy: 'Check --token-file.',
      cause,
    });
  }
}
