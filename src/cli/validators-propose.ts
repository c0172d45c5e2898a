import { Command, type CommandUnknownOpts, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { Problem } from '../base/problem.ts';
import type { ChainParametersAnswer } from '../client/answers.ts';
import type { HttpClient } from '../client/http-client.ts';
import { encodeAddress } from '../crypto/address.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { byzantineQuorum, maxFaulty } from '../ledger/quorum.ts';
import { propose, withProposal } from './chain-propose.ts';
import { accountNamed, accountWords } from './names.ts';
import { forceOption, judgeQuorumAhead } from './quorum-ahead.ts';
import { notice } from './terminal.ts';

type Change =
  | { readonly type: 'add'; readonly who: string }
  | { readonly type: 'remove'; readonly who: string }
  | { readonly type: 'replace'; readonly who: string; readonly by: string };

/** All changes of one option, in the order in which they were given. */
function collecting(parse: (text: string) => Change) {
  return (text: string, before: readonly Change[]): readonly Change[] => [...before, parse(text)];
}

export function proposeValidatorsCommand(): CommandUnknownOpts {
  return withProposal(new Command('propose'))
    .description(
      'propose other validators for the blocks after the one that decides it, and be the first to approve them',
    )
    .addOption(
      new Option('--add <key>', `one more, at the end: ${accountWords}; may be given several times`)
        .argParser(collecting((who) => ({ type: 'add', who })))
        .default([], 'none'),
    )
    .addOption(
      new Option('--remove <key>', 'one less; may be given several times')
        .argParser(collecting((who) => ({ type: 'remove', who })))
        .default([], 'none'),
    )
    .addOption(
      new Option('--swap <old=new>', 'another key in the place of one; may be given several times')
        .argParser(collecting(parseSwap))
        .default([], 'none'),
    )
    .addOption(forceOption)
    .action((options) =>
      propose(options, async (parameters, _, client) => {
        const changes = [...options.swap, ...options.remove, ...options.add];
        const validators = await nextOf(parameters, changes, { directory: options.keys, client });
        notice(comparison(parameters.validators.length, validators));
        await judgeQuorumAhead(client, validators.map(encodeAddress), options.force === true);
        return { type: 'validators', validators };
      }),
    );
}

function parseSwap(text: string): Change {
  const [who = '', by = '', ...more] = text.split('=');
  if (who === '' || by === '' || more.length > 0) {
    throw new InvalidArgumentError('Give the old key and the new one: OLD=NEW.');
  }
  return { type: 'replace', who, by };
}

/** The whole set as it is to be: nobody approves a part. */
async function nextOf(
  parameters: ChainParametersAnswer,
  changes: readonly Change[],
  context: { readonly directory: string; readonly client: HttpClient },
): Promise<readonly PublicKey[]> {
  if (parameters.members !== '') {
    throw usage(
      'members of a Raft chain do not change by proposals',
      'Change them with "quorate members add MEMBER" and its like.',
    );
  }
  if (changes.length === 0) {
    throw usage('no validator is added, removed or replaced', 'Give --add, --remove or --swap.');
  }
  let next: readonly PublicKey[] = parameters.validators.map(({ publicKey }) => publicKey);
  const placeOf = (key: PublicKey): number => {
    const place = next.indexOf(key);
    if (place >= 0) return place;
    throw usage(`${encodeAddress(key)} is no validator`, 'See who is: "quorate validators list".');
  };
  for (const change of changes) {
    const who = await accountNamed(change.who, context);
    const by = change.type === 'replace' ? await accountNamed(change.by, context) : who;
    if (change.type !== 'remove' && next.includes(by)) {
      throw usage(`${encodeAddress(by)} is a validator already`, 'See who is: "quorate validators list".');
    }
    if (change.type === 'add') next = [...next, who];
    else if (change.type === 'remove') next = next.toSpliced(placeOf(who), 1);
    else next = next.with(placeOf(who), by);
  }
  if (next.length === 0) throw usage('no validator would be left', 'Leave at least one, or add one.');
  return next;
}

function comparison(before: number, { length: after }: readonly PublicKey[]): string {
  const of = (n: number): string => {
    const [faulty, decide] = [maxFaulty(n), byzantineQuorum(n)];
    const away =
      n - decide > faulty ? `${faulty} may lie, or ${n - decide} be away` : `${faulty} may lie or be away`;
    return `${n} validators, ${away}, ${decide} decide`;
  };
  const less = maxFaulty(after) < maxFaulty(before) ? ' This chain then stands fewer faults.' : '';
  return `Now: ${of(before)}. Then: ${of(after)}.${less}`;
}

function usage(what: string, remedy: string): Problem {
  return new Problem('cli/usage', what, { remedy: `${remedy} Nothing was signed.` });
}
