import { Command, InvalidArgumentError } from '@commander-js/extra-typings';
import { parseStrategy, strategies } from '../src/cli/byzantine-strategies.ts';
import { exitCodes } from '../src/cli/exit-codes.ts';
import { jsonOption, parseSeconds, wholeNumber } from '../src/cli/options.ts';
import { ProgressLine } from '../src/cli/progress.ts';
import { print, styled, toJson } from '../src/cli/terminal.ts';
import { runProgram } from '../src/cli/run.ts';
import { runForkTrial, runStandstillTrial } from './malicious-beyond.ts';
import { headLine, rowLine } from './malicious-table.ts';
import { type Row, runTrial, runTwinTrial, type TrialOptions } from './malicious-trial.ts';

/** With f + 1 liars: what the protocol no longer promises. */
const beyond = { 'two-silent': runStandstillTrial, 'two-twins': runForkTrial } as const;
const names = [...strategies, 'twin', ...Object.keys(beyond)];

interface MaliciousOptions {
  readonly only?: readonly string[] | undefined;
  readonly count: number;
  readonly timeout: number;
  readonly keep?: true | undefined;
  readonly json?: true | undefined;
}

const program = new Command('malicious')
  .description('Runs four real nodes, one of which lies, with one strategy after the other, under load.')
  .option('--only <names>', `some of them, with commas between: ${names.join(', ')}`, parseNames)
  .option(
    '--count <n>',
    'how many transactions each strategy has to let through',
    wholeNumber(1, 20_000),
    300,
  )
  .option('--timeout <seconds>', 'how long one step may take', parseSeconds, 90)
  .option('--keep', 'keep the data and logs of the nodes, and say where')
  .addOption(jsonOption)
  .addHelpText('after', '\nExit code 0: all that is promised held. 1: something did not; the row says what.')
  .action(malicious);

await runProgram(process.argv, () => program);

async function malicious(asked: MaliciousOptions): Promise<void> {
  const { only = names, count, timeout, json } = asked;
  const keep = asked.keep === true;
  const options: TrialOptions = { count, senders: 6, deadlineMs: timeout * 1000, keep };
  const within = only.filter((name) => !Object.hasOwn(beyond, name));
  const progress = new ProgressLine();
  const rows: Row[] = [];
  const say = (text: string): void => {
    if (json !== true) print(text);
  };
  const begin = performance.now();

  if (within.length > 0) {
    say(
      [
        'Four nodes, four processes, libp2p between them. One of them lies; the other three must not care.',
        `Each strategy gets a new chain and ${count} transactions, brought to honest nodes once and not again.`,
        '',
        headLine(),
      ].join('\n'),
    );
  }
  for (const name of within) {
    if (process.stderr.isTTY) progress.show(`${name} …`);
    const row = name === 'twin' ? await runTwinTrial(options) : await runTrial(parseStrategy(name), options);
    progress.end();
    rows.push(row);
    print(json === true ? toJson({ event: 'row', ...row }) : rowLine(row));
  }

  const failed = rows.filter(({ breaches }) => breaches.length > 0).map(({ strategy }) => strategy);
  for (const [name, run] of Object.entries(beyond)) {
    if (!only.includes(name)) continue;
    say('');
    const story = await run({ deadlineMs: options.deadlineMs, keep, say });
    if (!story.asExpected) failed.push(name);
    if (json === true) print(toJson({ event: 'beyond', strategy: name, ...story }));
  }

  const seconds = Math.round((performance.now() - begin) / 1000);
  if (json === true) print(toJson({ event: 'summary', runs: only.length, failed, seconds }));
  else {
    print('');
    print(
      failed.length === 0
        ? styled(
            'green',
            `${only.length === 1 ? 'The run' : `All ${only.length} runs`} went as promised, in ${seconds} s.`,
          )
        : styled('red', `${failed.length} of ${only.length} runs did not: ${failed.join(', ')}.`),
    );
  }
  if (failed.length > 0) process.exitCode = exitCodes.problem;
}

function parseNames(text: string): string[] {
  const asked = text.split(',').map((name) => name.trim());
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`There is no "${unknown}". There are: ${names.join(', ')}.`);
  }
  return asked;
}
