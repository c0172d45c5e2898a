import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { unwrap } from '../base/problem.ts';
import { keysOption } from './key-directory.ts';
import { memberNamed, tokenFileOption, tokenOf } from './members.ts';
import { connect, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { answer } from './terminal.ts';

export function leaderCommand(): CommandUnknownOpts {
  return new Command('leader').description('hand the lead over (Raft)').addCommand(transferCommand());
}

function transferCommand(): CommandUnknownOpts {
  return new Command('transfer')
    .description('let another voter lead, without waiting for a timeout; ask the leader for it')
    .argument('[member]', 'as in "quorate members"; without one the leader chooses who has the most')
    .addOption(tokenFileOption)
    .addOption(keysOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (text, options) => {
      const client = connect(options);
      const to = text === undefined ? null : await memberNamed(text, { client, directory: options.keys });
      const changed = unwrap(await client.transferLeader(to, { token: tokenOf(options.tokenFile) }));
      const { members } = unwrap(await client.members());
      const leader = members.find((one) => one.leader)?.name ?? null;
      answer(options.json, { ...changed, leader }, () => `${leader ?? 'Another member'} leads.`);
    });
}
