import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { spawnSync } from 'node:child_process';
import { allMutations, mutationsOfRaft } from './all-mutations.ts';
import type { Mutation } from './mutations.ts';
import { drawPlan } from '../../../src/simulator/plan/draw-plan.ts';
import { simulate } from '../../../src/simulator/run/simulation.ts';
import { describeVerdict } from '../../../src/simulator/run/verdict.ts';
import type { runPool as runPoolHere } from '../../../src/simulator/run/run-pool.ts';
import { misfits, patchedCopy } from './patched-copy.ts';

/**
 * Breaks each rule in a copy of the source, and counts how many seeds the simulator needs to see it. A rule that random runs
 * do not see has a directed test, which must fail.
 *
 *     node test/simulator/mutations/find.ts [name ...] [--jobs N]
 *
 * Prints a table; exits with 1 when a broken rule stays unseen.
 */
const words = process.argv.slice(2);
const jobsAt = words.indexOf('--jobs');
const jobs = jobsAt < 0 ? 2 : Number(words[jobsAt + 1]);
const names = words.filter((word, index) => !word.startsWith('--') && (jobsAt < 0 || index !== jobsAt + 1));
const chosen = allMutations.filter(({ name }) => names.length === 0 || names.includes(name));

function engineOf(mutation: Mutation): 'pbft' | 'raft' {
  return mutationsOfRaft.includes(mutation) ? 'raft' : 'pbft';
}

/** The test fails in the copy. */
function failsIn(directory: string, { file, test }: NonNullable<Mutation['directed']>): boolean {
  const pattern = `^${test.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;
  const args = ['--test', '--test-name-pattern', pattern, file];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8' });
  // By its name: a file that cannot even be loaded fails as well.
  const isNamed = stdout.split('\n').some((line) => line.trim().startsWith(`✖ ${test} (`));
  return status !== 0 && isNamed && /^ℹ fail 1$/m.test(stdout);
}

let missed = 0;
console.log(`${'rule that is broken'.padEnd(72)} ${'seeds'.padStart(7)}  seen as`);
for (const mutation of chosen) {
  const wrong = misfits(mutation);
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  const copy = patchedCopy(mutation);
  const line = (seeds: string, seen: string): void =>
    console.log(`${`${mutation.name}: ${mutation.rule}`.padEnd(72)} ${seeds.padStart(7)}  ${seen}`);
  try {
    if (mutation.directed !== undefined) {
      const fails = failsIn(copy.directory, mutation.directed);
      if (!fails) missed += 1;
      line('–', fails ? `test: ${mutation.directed.test}` : 'NOT SEEN');
      continue;
    }
    const poolFile = pathToFileURL(join(copy.directory, 'src', 'simulator', 'run', 'run-pool.ts'));
    const { runPool } = (await import(poolFile.href)) as { runPool: typeof runPoolHere };
    const summary = await runPool({
      engine: engineOf(mutation),
      firstSeed: 1,
      lastSeed: mutation.within,
      jobs,
      signatures: 'fast',
      stopAtFailure: true,
    });
    const [failure] = summary.failures;
    if (failure === undefined) missed += 1;
    else {
      const whole = (await simulate(drawPlan(failure.seed, engineOf(mutation)))).verdict;
      if (whole.outcome !== 'pass') throw new Error(`nothing is broken, and ${describeVerdict(whole)}`);
    }
    const seeds = failure === undefined ? `> ${mutation.within}` : String(failure.seed);
    const seen = failure === undefined ? 'NOT SEEN' : `${failure.breach?.guarantee} (seed ${failure.seed})`;
    line(seeds, seen);
  } finally {
    copy.remove();
  }
}
process.exitCode = missed === 0 ? 0 : 1;
