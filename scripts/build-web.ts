import { buildExplorer, buildStatic } from '../src/cli/build-explorer.ts';
import { reportFailure } from '../src/cli/failure.ts';
import { fileProblem } from '../src/cli/file-problem.ts';
import { directoryOption } from './directory-option.ts';

// Builds the explorer that every node serves; `npm run testnet` does it by itself. With --static DIR the
// playground alone, for any web server.

const directory = directoryOption(
  'static',
  'Write "npm run build:web", or "npm run build:web -- --static DIR".',
);
if (directory === undefined) {
  const done = await buildExplorer();
  console.log(done === 'built' ? 'The explorer is built: dist/explorer' : 'The explorer is built already.');
} else {
  try {
    await buildStatic(directory);
    console.log(`The playground is built: ${directory}`);
  } catch (cause) {
    process.exitCode = reportFailure(fileProblem(directory, cause, '--static'));
  }
}
