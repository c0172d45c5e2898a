import { spawnSync } from 'node:child_process';
import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reportFailure } from '../src/cli/failure.ts';
import { fileProblem } from '../src/cli/file-problem.ts';
import { makeDirectorySync } from '../src/storage/make-directory.ts';
import { directoryOption } from './directory-option.ts';

// Writes the client as a package of its own, JavaScript with its types: for programs outside of this checkout, on
// Node from 20 on, and for browsers. `npm run client-package`; with --out DIR it is written there.

const root = join(import.meta.dirname, '..');
const usage = 'Write "npm run client-package", or "npm run client-package -- --out DIR".';
/** What the client loads where it is there, and does without where it is not. */
const optional = ['@chainsafe/hashtree', 'sodium-native'];

const readme = `# quorate-client

The client of Quorate, for Node from 20 on and for browsers: it submits transactions, follows the chain, and believes no node
what the validators' signatures do not prove.

\`\`\`ts
import { Ledger, Problem } from 'quorate-client';

const ledger = await Ledger.connect({ endpoints: ['http://127.0.0.1:4600', 'http://127.0.0.1:4602'] });
if (ledger instanceof Problem) throw ledger;
\`\`\`
`;

const target = directoryOption('out', usage) ?? process.env['INIT_CWD'] ?? process.cwd();
try {
  makeDirectorySync(target);
  console.log(`The client is packed: ${join(target, writePackage(target))}`);
} catch (cause) {
  process.exitCode = reportFailure(fileProblem(target, cause, '--out'));
}

/** Writes it into a directory, and returns the name of its file. */
function writePackage(directory: string): string {
  const cache = join(root, 'node_modules/.cache');
  makeDirectorySync(cache);
  // In there, so that what it imports is found while it is compiled.
  const place = mkdtempSync(join(cache, 'client-package-'));
  try {
    compile(place);
    writeFileSync(join(place, 'package.json'), `${JSON.stringify(manifest(place), null, 2)}\n`);
    writeFileSync(join(place, 'README.md'), readme);
    copyFileSync(join(root, 'LICENSE'), join(place, 'LICENSE'));
    const packed = run('npm', ['pack', '--json', '--pack-destination', directory], place);
    return (JSON.parse(packed) as { readonly filename: string }[])[0]?.filename ?? '';
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function compile(place: string): void {
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      // What Node 20 has.
      target: 'es2023',
      lib: ['es2023', 'es2024.string', 'esnext.disposable'],
      declaration: true,
      rewriteRelativeImportExtensions: true,
      rootDir: join(root, 'src'),
      outDir: join(place, 'lib'),
    },
    files: ['client-in-node.ts', 'client/index.ts'].map((file) => join(root, 'src', file)),
    include: [],
  };
  const path = join(place, 'tsconfig.json');
  writeFileSync(path, JSON.stringify(config));
  run(join(root, 'node_modules/.bin/tsc'), ['-p', path], root);
  rmSync(path);
  // The compiler leaves the names of files as they are in types.
  for (const file of globSync('lib/**/*.d.ts', { cwd: place })) {
    const types = join(place, file);
    const text = readFileSync(types, 'utf8');
    writeFileSync(types, text.replaceAll(/(?<=(?:from |import\()(["'])\.{1,2}\/[^"']*)\.ts(?=\1)/g, '.js'));
  }
}

function manifest(place: string): object {
  const whole = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly version: string;
    readonly license: string;
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const imported = new Set(
    globSync('lib/**/*.{js,d.ts}', { cwd: place }).flatMap((file) =>
      [...readFileSync(join(place, file), 'utf8').matchAll(/from ["']([^.][^"']*)["']/g)].map(
        ([, name]) => name,
      ),
    ),
  );
  const versions = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, whole.dependencies[name]]));
  return {
    name: 'quorate-client',
    version: whole.version,
    description: 'The client of Quorate, a Byzantine-tolerant ledger.',
    license: whole.license,
    type: 'module',
    exports: {
      '.': {
        types: './lib/client/index.d.ts',
        node: './lib/client-in-node.js',
        default: './lib/client/index.js',
      },
    },
    files: ['lib'],
    sideEffects: ['./lib/client-in-node.js'],
    engines: { node: '>=20' },
    dependencies: versions(
      Object.keys(whole.dependencies).filter((name) =>
        [...imported].some((one) => one === name || one?.startsWith(`${name}/`)),
      ),
    ),
    optionalDependencies: versions(optional),
  };
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stdout}${stderr}`);
  return stdout;
}
