import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { harmless } from '../base/harmless.ts';
import { limits } from '../base/limits.ts';
import { unwrap } from '../base/problem.ts';
import type { ChangedAnswer } from '../client/answers.ts';
import type { HttpClient } from '../client/http-client.ts';
import { grouped } from '../client/plain-words.ts';
import { encodeAddress } from '../crypto/address.ts';
import { askLeader, followOption, tokenFileOption } from './ask-leader.ts';
import { keysOption } from './key-directory.ts';
import { accountNamed } from './names.ts';
import { connect, type ConnectionOptions, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { forceOption } from './quorum-ahead.ts';
import { answer, styled, table } from './terminal.ts';

const notes =
  '\nOnly the leader of a Raft chain changes its members, one change at a time (see "quorate members list").' +
  '\nA node that does not lead names the one that does. On this machine and without a token that one is asked at once;' +
  '\notherwise only with --follow, because the token goes there.' +
  `\nA chain has room for ${limits.raftMembers} members in its life: one that is removed keeps its place. A machine that takes the place of` +
  '\nanother needs no new one when it goes on with the key of a member that was removed.';

export function membersCommand(): CommandUnknownOpts {
  return new Command('members')
    .description('see and change who takes part (Raft)')
    .addCommand(listCommand())
    .addCommand(changeCommand('add', 'learner', 'let a node follow without a vote, until it is promoted'))
    .addCommand(changeCommand('promote', 'voter', 'give a learner that caught up a vote'))
    .addCommand(changeCommand('remove', 'removed', 'take a member out'))
    .addCommand(replaceCommand());
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
          ['#', 'name', 'address', 'role', 'connection', '', 'API'],
          listed.members.map((one) => [
            String(one.index),
            harmless(one.name),
            one.address,
            one.role,
            one.self ? 'this node' : one.connected ? styled('green', 'connected') : styled('red', 'none'),
            one.leader ? 'leader' : '',
            harmless(one.api ?? ''),
          ]),
        ),
      );
    });
}

type Change = Parameters<HttpClient['changeMembers']>[0][number];

const whoIsMeant = 'its number or name in the list, an address (qr1…), a public key in hex, or a key’s name';

function changeCommand(name: string, role: Change['role'], description: string): CommandUnknownOpts {
  return withOptions(new Command(name).description(description))
    .argument('<member>', whoIsMeant)
    .action(async (text, options) => {
      const member = await memberNamed(text, options);
      const changed = await change([{ member, role }], options);
      answer(
        options.json,
        { ...changed, member, role },
        () => `${member} is ${role} from height ${grouped(changed.height)} on.`,
      );
    });
}

function replaceCommand(): CommandUnknownOpts {
  return withOptions(
    new Command('replace').description(
      'take a member out and give another its place, in one change: add that one before, and wait until it caught up',
    ),
  )
    .argument('<old>', `who leaves: ${whoIsMeant}`)
    .argument('<new>', 'who votes instead: a learner that caught up')
    .action(async (oldText, newText, options) => {
      const removed = await memberNamed(oldText, options);
      const voter = await memberNamed(newText, options);
      const changed = await change(
        [
          { member: voter, role: 'voter' },
          { member: removed, role: 'removed' },
        ],
        options,
      );
      answer(
        options.json,
        { ...changed, voter, removed },
        () => `${voter} is voter in place of ${removed} from height ${grouped(changed.height)} on.`,
      );
    });
}

function withOptions(command: Command) {
  return command
    .addOption(forceOption)
    .addOption(tokenFileOption)
    .addOption(followOption)
    .addOption(keysOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText('after', notes);
}

async function change(
  changes: readonly Change[],
  options: Parameters<typeof askLeader>[0] & { readonly force?: true | undefined },
): Promise<ChangedAnswer> {
  const force = options.force === true;
  const { result } = await askLeader(options, (client, token) =>
    client.changeMembers(changes, { force, token }),
  );
  return result;
}

/** The address of a member as `members list` shows it, or of somebody who is to become one. */
export async function memberNamed(
  text: string,
  options: ConnectionOptions & { readonly keys: string },
): Promise<string> {
  const client = connect(options);
  const { members } = unwrap(await client.members());
  const found = members.find((one) => one.name === text || String(one.index) === text);
  return found?.address ?? encodeAddress(await accountNamed(text, { client, directory: options.keys }));
}
