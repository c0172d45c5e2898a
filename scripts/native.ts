import { parseArgs } from 'node:util';
import { Problem } from '../src/base/problem.ts';
import { loadNativeVerify } from '../src/crypto/native-addon.ts';
import { frameCheckProblem, openNativeVerify } from '../src/crypto/native-verify.ts';
import { buildNative, buildPlain, testNative, whyNotNative } from './native-build.ts';

// Builds the native signature check: `npm run native`. With `--check`, as CI does, its own tests run, too, with its
// AVX-512 code and without. A machine that has no cargo or no AVX-512 is no failure, but is told.

const isChecked = checkAsked();
process.exitCode = run();

function checkAsked(): boolean {
  try {
    return parseArgs({ options: { check: { type: 'boolean', default: false } } }).values.check;
  } catch (problem) {
    console.error(`${(problem as Error).message}\nWrite "npm run native", or "npm run native -- --check".`);
    process.exit(2);
  }
}

function run(): number {
  const why = whyNotNative();
  if (why !== undefined) {
    console.error(why);
    return isChecked ? 0 : 1;
  }
  const opened = buildNative() ?? openNativeVerify();
  if (opened === undefined || opened instanceof Problem) return failed(opened);
  if (isChecked) {
    const wrong = testNative('whole') ?? testNative('plain') ?? tryPlain();
    if (wrong !== undefined) return failed(wrong);
    if (!opened.name.endsWith('AVX-512')) {
      console.error(
        'THE AVX-512 CODE OF THE NATIVE SIGNATURE CHECK IS NOT TESTED HERE: this processor cannot run it.',
      );
    }
  }
  console.log(`Built and tried: nodes that start from now on check signatures by ${opened.name}.`);
  return 0;
}

/** The verdicts without the AVX-512 code. */
function tryPlain(): Problem | undefined {
  const path = buildPlain();
  if (path instanceof Problem) return path;
  const { name, verifyFrame } = loadNativeVerify(path);
  const wrong = frameCheckProblem(verifyFrame);
  if (wrong === undefined) {
    console.log(`Tried as well, for processors that have no AVX-512: ${name}.`);
    return undefined;
  }
  return new Problem('crypto/native-verify', `${name}: ${wrong}`, { remedy: 'Do not use this build.' });
}

function failed(problem: Problem | undefined): number {
  const { message, remedy } = problem ?? { message: 'What was built is gone.', remedy: 'Run it again.' };
  console.error(`${message}\n${remedy}`);
  return 1;
}
