import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { unwrap } from '../base/problem.ts';
import { keysOption } from './key-directory.ts';
import { askLeader, followOption, tokenFileOption } from './ask-leader.ts';
import { memberNamed } from './members.ts';
import { jsonOption, nodeOption, timeoutOption } from './options.ts';
import { answer } from './terminal.ts';

export function leaderCommand(): CommandUnknownOpts {
  return new Command('leader').description('hand the lead over (Raft)').addCommand(transferCommand());
}

function transferCommand(): CommandUnknownOpts {
  return new Command('transfer')
    .description('let another voter lead, without waiting for a timeout')
    .argument('[member]', 'as in "quorate members"; without one the leader chooses who has the most')
    .addOption(tokenFileOption)
    .addOption(followOption)
    .addOption(keysOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (text, options) => {
      const to = text === undefined ? null : await memberNamed(text, options);
      const { result, client } = await askLeader(options, (asked, token) =>
        asked.transferLeader(to, { token }),
      );
      const { members } = unwrap(await client.members());
      const leader = members.find((one) => one.leader)?.name ?? null;
      answer(options.json, { ...result, leader }, () => `${leader ?? 'Another member'} leads.`);
    });
}
