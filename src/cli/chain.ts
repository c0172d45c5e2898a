import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { Problem, unwrap } from '../base/problem.ts';
import type { ProposalAnswer } from '../client/answers.ts';
import { changeText, parametersText, proposalText, unreadyText } from './chain-text.ts';
import { proposeCommand } from './chain-propose.ts';
import { connect, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { forceOption, judgeQuorumAhead } from './quorum-ahead.ts';
import { answer, notice, warn } from './terminal.ts';
import { sendAsValidator, withValidatorTerms } from './validator-terms.ts';

export function chainCommand(): CommandUnknownOpts {
  return new Command('chain')
    .description('see by which rules the chain goes, and change them with the approval of its validators')
    .addCommand(statusCommand())
    .addCommand(proposeCommand())
    .addCommand(approveCommand());
}

function statusCommand(): CommandUnknownOpts {
  return new Command('status')
    .description('show the rules of the next block, what is decided and what is proposed')
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (options) => {
      const client = connect(options);
      const parameters = unwrap(await client.chainParameters());
      const { proposals } = unwrap(await client.chainProposals());
      answer(options.json, { ...parameters, proposals }, () =>
        [
          parametersText(parameters),
          proposals.length === 0 ? 'Nothing is proposed.' : proposals.map(proposalText).join('\n'),
        ].join('\n\n'),
      );
    });
}

/** This much of an id tells one proposal from all others. */
const shortestId = 8;

/** The same for whatever is proposed. */
export function approveCommand(): CommandUnknownOpts {
  return withValidatorTerms(new Command('approve'))
    .description('approve a change that another validator proposed')
    .argument('<proposal>', `its id, or the first ${shortestId} digits of it or more`)
    .addOption(forceOption)
    .action((text, options) =>
      sendAsValidator(options, async (client) => {
        const { proposals } = unwrap(await client.chainProposals());
        const found = proposalNamed(text, proposals);
        notice(`This approves: ${changeText(found.change)}.`);
        const unready = unreadyText(found.change, unwrap(await client.chainParameters()));
        if (unready !== undefined) warn(unready);
        if (found.change.type === 'validators') {
          await judgeQuorumAhead(client, found.change.validators, options.force === true);
        }
        return { type: 'approve-change', proposal: found.id };
      }),
    );
}

function proposalNamed(text: string, proposals: readonly ProposalAnswer[]): ProposalAnswer {
  const matching =
    text.length < shortestId || !/^[0-9a-f]+$/.test(text)
      ? []
      : proposals.filter(({ id }) => id.startsWith(text));
  const [found] = matching;
  if (found !== undefined && matching.length === 1) return found;
  throw new Problem('cli/not-found', `there is no proposal ${JSON.stringify(text)}, or more than one`, {
    remedy: 'See what is proposed ("quorate chain status"), and give the id of one. Nothing was signed.',
  });
}
