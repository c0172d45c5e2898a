import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { exitCodes } from '../src/cli/exit-codes.ts';
import { jsonOption, parseSeconds, wholeNumber } from '../src/cli/options.ts';
import { ProgressLine } from '../src/cli/progress.ts';
import { print, styled, toJson } from '../src/cli/terminal.ts';
import { runProgram } from '../src/cli/run.ts';
import { type AttackName, attackNames, isAttackName, shortAttackNames } from './attacker/attacks.ts';
import { Arena } from './hostile-arena.ts';
import { calibrate } from './hostile-calibrate.ts';
import { runShortAttack } from './hostile-short.ts';
import type { SteadyLoad } from './hostile-load.ts';
import { runAttack, type Row, steadyLoad } from './hostile-trial.ts';
import { headLine, rowLine, shortLine } from './hostile-table.ts';

interface HostileOptions {
  readonly only?: readonly AttackName[] | undefined;
  readonly seconds: number;
  readonly rate?: number | undefined;
  readonly short?: true | undefined;
  readonly timeout: number;
  readonly keep?: true | undefined;
  readonly json?: true | undefined;
}

/** A light load, so that a machine with other work has room for it. */
const shortRate = 40;

const program = new Command('hostile')
  .description('Runs four real nodes under a steady load, and attacks them as strangers without a key may.')
  .option('--only <names>', `some attacks, with commas between: ${attackNames.join(', ')}`, parseNames)
  .option('--seconds <n>', 'how long each attack lasts', parseLength, 15)
  .option(
    '--rate <n>',
    'honest transactions a second (default: half of what this machine can do)',
    wholeNumber(1, 100_000),
  )
  .addOption(
    new Option(
      '--short',
      'one or two of each kind on one chain, and only what holds on any machine',
    ).conflicts(['seconds', 'rate']),
  )
  .option('--timeout <seconds>', 'how long one step may take', parseSeconds, 60)
  .option('--keep', 'keep the data and logs of the nodes, and say where')
  .addOption(jsonOption)
  .addHelpText('after', '\nExit code 0: all held. 1: something did not; the row says what.')
  .action(hostile);

await runProgram(process.argv, () => program);

async function hostile(asked: HostileOptions): Promise<void> {
  if (asked.short === true) return await shortly(asked);
  const { only = attackNames, seconds, timeout, json } = asked;
  const keep = asked.keep === true;
  const deadlineMs = timeout * 1_000;
  const say = (text: string): void => {
    if (json !== true) print(text);
  };
  const progress = new ProgressLine();
  const begin = performance.now();
  const perSecond = asked.rate ?? Math.round((await calibrate(deadlineMs)) / 2);
  say(
    `Four nodes, four processes, ${perSecond} honest transactions a second, and an attacker for ${seconds} s.`,
  );
  say(headLine());
  const rows: Row[] = [];
  for (const [index, attack] of only.entries()) {
    if (process.stderr.isTTY) progress.show(`${attack} …`);
    const arena = await Arena.open({ name: `hostile-${attack}`, deadlineMs, keep });
    try {
      const row = await runAttack({ arena, attack, perSecond, seconds, block: 10 + index, deadlineMs });
      progress.end();
      rows.push(row);
      print(json === true ? toJson({ event: 'row', ...row }) : rowLine(row));
    } finally {
      await arena.close();
    }
  }
  const failed = rows.filter(({ breaches }) => breaches.length > 0).map(({ attack }) => attack);
  const took = Math.round((performance.now() - begin) / 1_000);
  if (json === true) print(toJson({ event: 'summary', runs: rows.length, perSecond, failed, seconds: took }));
  else {
    print('');
    print(
      failed.length === 0
        ? styled('green', `All ${rows.length} attacks were held, in ${took} s.`)
        : styled('red', `${failed.length} of ${rows.length} attacks were not: ${failed.join(', ')}.`),
    );
  }
  if (failed.length > 0) process.exitCode = exitCodes.problem;
}

async function shortly({ only = shortAttackNames, timeout, keep, json }: HostileOptions): Promise<void> {
  const deadlineMs = timeout * 1_000;
  const options = { name: 'hostile', deadlineMs, keep: keep === true };
  const failed: string[] = [];
  let place: { readonly arena: Arena; readonly load: SteadyLoad } | undefined;
  const leave = async (): Promise<void> => {
    place?.load.stop();
    await place?.arena.close();
    place = undefined;
  };
  try {
    for (const [index, attack] of only.entries()) {
      if (place === undefined) {
        const arena = await Arena.open(options);
        place = { arena, load: steadyLoad(arena, shortRate) };
        place.load.start();
      }
      const row = await runShortAttack({ ...place, attack, block: 10 + index, deadlineMs });
      print(json === true ? toJson({ event: 'row', ...row }) : shortLine(row));
      if (row.breaches.length === 0) continue;
      failed.push(attack);
      // The next attack is not to be blamed for what this one left behind.
      await leave();
    }
  } finally {
    await leave();
  }
  if (json === true) print(toJson({ event: 'summary', runs: only.length, failed }));
  if (failed.length > 0) process.exitCode = exitCodes.problem;
}

function parseLength(text: string): number {
  const seconds = parseSeconds(text);
  if (seconds === 0)
    throw new InvalidArgumentError('Give more than 0: an attack that does not last shows nothing.');
  return seconds;
}

function parseNames(text: string): AttackName[] {
  return text.split(',').map((part) => {
    const name = part.trim();
    if (isAttackName(name)) return name;
    throw new InvalidArgumentError(`There is no "${name}". There are: ${attackNames.join(', ')}.`);
  });
}
