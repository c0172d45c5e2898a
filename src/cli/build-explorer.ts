import { build } from 'esbuild';
import { copyFileSync, globSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { explorerDirectory } from '../node/process/explorer-files.ts';
import { makeDirectorySync } from '../storage/make-directory.ts';

const root = join(import.meta.dirname, '../..');
const source = join(root, 'src/explorer');

/** Builds the explorer if what is built is older than its sources. About a second; nothing when it is not. */
export async function buildExplorer(target: string = explorerDirectory): Promise<'built' | 'fresh'> {
  if (isFresh(target)) return 'fresh';
  // Beside its place first: a node that starts meanwhile finds the old one or the new one, whole.
  const beside = `${target}.${process.pid}`;
  makeDirectorySync(beside);
  try {
    await bundle(beside, { app: './src/explorer/main.tsx' });
    copyFileSync(join(source, 'index.html'), join(beside, 'index.html'));
    replace(target, beside);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
  return 'built';
}

/**
 * The playground by itself, as files that any web server can serve from any path. Other files in
 * the directory stay.
 */
export async function buildStatic(directory: string): Promise<void> {
  makeDirectorySync(directory);
  await bundle(directory, { static: './src/explorer/static.tsx' });
  copyFileSync(join(source, 'static.html'), join(directory, 'index.html'));
}

/** What both kinds of page need: their script, the playground's worker, the styles and the icon. */
async function bundle(outdir: string, page: Record<string, string>): Promise<void> {
  const options = { ...common, outdir };
  await build({
    ...options,
    entryPoints: page,
    splitting: true,
    chunkNames: 'part-[hash]',
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  const shims = './src/playground/shims';
  await build({
    ...options,
    entryPoints: { playground: './src/playground/worker.ts' },
    alias: {
      'node:buffer': 'buffer/',
      'node:crypto': `${shims}/crypto.ts`,
      'node:module': `${shims}/module.ts`,
      'node:zlib': `${shims}/zlib.ts`,
      buffer: 'buffer/',
      pino: `${shims}/pino.ts`,
    },
    inject: [`${shims}/globals.ts`],
  });
  const styles = [
    join(root, 'node_modules/uplot/dist/uPlot.min.css'),
    join(source, 'style.css'),
    join(root, 'src/playground/style.css'),
  ];
  writeFileSync(join(outdir, 'app.css'), styles.map((file) => readFileSync(file, 'utf8')).join(''));
  copyFileSync(join(source, 'icon.svg'), join(outdir, 'icon.svg'));
}

const common = {
  // Sources and packages are looked up from here, wherever the program was called. They are named from here,
  // because in a whole path a `*` of a directory's name would be taken for a pattern.
  absWorkingDir: root,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'silent',
} as const;

/** Another process may build it at the same time, and be first: then its is as good. */
function replace(target: string, beside: string): void {
  try {
    rmSync(target, { recursive: true, force: true });
    renameSync(beside, target);
  } catch (failure) {
    if (!isFresh(target)) throw failure;
  }
}

function isFresh(target: string): boolean {
  const built = timeOf(join(target, 'index.html'));
  // The playground is made of nearly all there is, and of packages.
  const parts = globSync('src/**/*.{ts,tsx,html,css,svg}', { cwd: root });
  return [...parts, 'package-lock.json'].every((name) => timeOf(join(root, name)) < built);
}

function timeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
