import { parseArgs } from 'node:util';
import { Problem } from '../src/base/problem.ts';
import { nativeVerifyName, openNativeVerify } from '../src/crypto/native-verify.ts';
import { buildNative, testNative, whyNotNative } from './native-build.ts';

// Builds the native signature check: `npm run native`. With `--check`, as CI does, its own tests run, too, and a
// machine without cargo is no failure, but is told.

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

process.exitCode = run();

function run(): number {
  const why = whyNotNative();
  if (why !== undefined) {
    console.error(why);
    return values.check ? 0 : 1;
  }
  const failed = buildNative() ?? (values.check ? testNative() : undefined);
  const opened = failed ?? openNativeVerify();
  if (opened instanceof Problem) {
    console.error(`${opened.message}\n${opened.remedy}`);
    return 1;
  }
  console.log(`Built and tried: nodes that start from now on check signatures by ${nativeVerifyName}.`);
  return 0;
}
