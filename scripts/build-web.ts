import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildExplorer, buildStatic } from '../src/cli/build-explorer.ts';
import { reportFailure } from '../src/cli/failure.ts';
import { fileProblem } from '../src/cli/file-problem.ts';

// Builds the explorer that every node serves; `npm run testnet` does it by itself. With --static DIR the
// playground alone, for any web server.

const usage = 'Write "npm run build:web", or "npm run build:web -- --static DIR".';

function directoryAsked(): string | undefined {
  try {
    return parseArgs({ options: { static: { type: 'string' } } }).values.static;
  } catch (problem) {
    console.error(`${(problem as Error).message}\n${usage}`);
    process.exit(2);
  }
}

const asked = directoryAsked();
if (asked === undefined) {
  const done = await buildExplorer();
  console.log(done === 'built' ? 'The explorer is built: dist/explorer' : 'The explorer is built already.');
} else if (asked === '') {
  console.error(`The directory has no name.\n${usage}`);
  process.exitCode = 2;
} else {
  // npm runs scripts from the program's directory, and says where it was called.
  const directory = resolve(process.env['INIT_CWD'] ?? '.', asked);
  try {
    await buildStatic(directory);
    console.log(`The playground is built: ${directory}`);
  } catch (cause) {
    process.exitCode = reportFailure(fileProblem(directory, cause, '--static'));
  }
}
