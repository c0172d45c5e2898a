import { Command, Option } from '@commander-js/extra-typings';
import { exitCodes } from '../src/cli/exit-codes.ts';
import { parseUrl } from '../src/cli/node-url.ts';
import { defaultApiPort, jsonOption, parseSeconds, wholeNumber } from '../src/cli/options.ts';
import { ProgressLine } from '../src/cli/progress.ts';
import { answer, styled, table } from '../src/cli/terminal.ts';
import { runProgram } from '../src/cli/run.ts';
import { grouped } from '../src/client/plain-words.ts';
import { compareAll } from './demo-compare.ts';
import { feed } from './demo-feed.ts';
import { findNodes, whoAnswers } from './demo-nodes.ts';
import { prepare } from './demo-prepare.ts';

interface DemoOptions {
  readonly count: number;
  readonly senders: number;
  readonly timeout: number;
  readonly nodes?: readonly string[] | undefined;
  readonly basePort: number;
  readonly json?: true | undefined;
}

const program = new Command('demo')
  .description('Submits transactions of all kinds to a running test network, and compares its nodes.')
  .option('--count <n>', 'how many transactions', wholeNumber(1, 1_000_000), 400)
  .option('--senders <n>', 'how many accounts send them', wholeNumber(1, 1_000), 16)
  .option('--timeout <seconds>', 'how long they may take to become final', parseSeconds, 120)
  .option('--nodes <urls>', 'addresses of the nodes, with commas between', (text) =>
    text.split(',').map((url) => parseUrl(url, '--nodes')),
  )
  .addOption(
    new Option('--base-port <port>', 'the same as of the test network')
      .argParser(wholeNumber(1, 65_000))
      .default(defaultApiPort)
      .conflicts('nodes'),
  )
  .addOption(jsonOption)
  .action(demo);

await runProgram(process.argv, () => program);

async function demo(options: DemoOptions): Promise<void> {
  const nodes = await findNodes(options);
  const { running: clients } = await whoAnswers(nodes);
  const progress = new ProgressLine();
  const { count } = options;
  const deadlineMs = options.timeout * 1000;
  const {
    senders,
    height: from,
    signSeconds,
  } = await prepare({ clients, count, senders: options.senders, deadlineMs });
  progress.show(`signed ${grouped(count)} transactions in ${signSeconds.toFixed(1)} s`);

  const begin = performance.now();
  const problem = await feed({
    clients,
    senders,
    deadlineMs,
    onProgress: (submitted, final) =>
      progress.show(`${grouped(submitted)} submitted, ${grouped(final)} of ${grouped(count)} final`),
  });
  const seconds = (performance.now() - begin) / 1000;
  progress.end();
  if (problem !== undefined) throw problem;

  const wanted = new Set(senders.flatMap(({ transactions }) => transactions.map(({ hash }) => hash)));
  const { down, height, heads, differing, outcomes } = await compareAll(nodes, { from, wanted, deadlineMs });
  const equal =
    differing.length === 0 &&
    heads.every((head) => head.hash === heads[0]?.hash && head.stateRoot === heads[0]?.stateRoot);
  const complete = outcomes.applied === count && outcomes.twice === 0;
  const transactionsPerSecond = Math.round(count / seconds);
  const result = {
    count,
    seconds,
    transactionsPerSecond,
    signSeconds,
    outcomes,
    height,
    heads,
    down: down.map(({ baseUrl }) => baseUrl),
    differing,
    equal,
  };

  answer(options.json, result, () =>
    [
      table(
        ['node', 'height', 'block', 'state root'],
        [
          ...heads.map((head) => [head.url, grouped(head.height), head.hash, head.stateRoot]),
          ...down.map(({ baseUrl }) => [baseUrl, 'does not answer', '', '']),
        ],
      ),
      '',
      equal
        ? styled(
            'green',
            `All ${heads.length} nodes${down.length === 0 ? '' : ' that answer'} agree on every block up to height ${grouped(height)}.`,
          )
        : styled(
            'red',
            `The nodes differ, at ${differing.length} heights: ${differing.slice(0, 10).join(', ')}.`,
          ),
      `${grouped(outcomes.applied)} applied, ${grouped(outcomes.failed)} failed, ${grouped(outcomes.twice)} twice, ${grouped(outcomes.missing)} missing, in ${grouped(height - from)} blocks.`,
      `${styled('bold', `${grouped(transactionsPerSecond)} tx/s`)} sustained: ${grouped(count)} transactions in ${seconds.toFixed(2)} s, from the first submission to the last final.`,
    ].join('\n'),
  );
  if (!equal || !complete) process.exitCode = exitCodes.problem;
}
