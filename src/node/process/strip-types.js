// Given to Node with `--require`, before the program (`heap.ts`). It reads our sources without their types from
// beside the compile cache. What takes types off stays in the memory of who used it (36 MB), and so does all
// that was read from the compile cache (13 MB): so another process takes them off, once for each change, and a
// node uses neither. It is JavaScript, because it is there before types may be.
import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(import.meta.dirname, '../../..');
const sources = ['src', 'scripts'].map((name) => join(root, name) + sep);
const cache = join(root, 'node_modules/.cache/quorate/without-types');

const cached = (file) => join(cache, relative(root, file));
/** The last line of what was made of these bytes. */
const mark = (source) => `\n//${hash('sha256', source)}`;

/** What was made of a source; undefined when there is nothing, or it was made of another. */
function withoutTypes(file) {
  const end = mark(readFileSync(file));
  try {
    const text = readFileSync(cached(file), 'utf8');
    return text.endsWith(end) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, whoever does the same at the same time. */
function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
}

function stripAll() {
  const listed = (cwd) => globSync('**/*.ts', { cwd }).map((name) => join(cwd, name));
  for (const file of sources.flatMap(listed)) {
    if (withoutTypes(file) !== undefined) continue;
    const source = readFileSync(file, 'utf8');
    write(cached(file), stripTypeScriptTypes(source) + mark(source));
  }
}

let isTried = false;

/** Once, in a process of its own. Where it cannot write, or takes too long, Node does it by itself as ever. */
function tryToStripAll() {
  if (isTried) return;
  isTried = true;
  try {
    execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', import.meta.filename], {
      stdio: 'ignore',
      timeout: 60_000,
    });
  } catch {
    // The sources that it did not come to are those that Node reads.
  }
}

function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
  const file = fileURLToPath(url);
  if (!sources.some((directory) => file.startsWith(directory))) return next(url, context);
  let source = withoutTypes(file);
  if (source === undefined) {
    tryToStripAll();
    source = withoutTypes(file);
  }
  return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true };
}

if (process.argv[1] === import.meta.filename) stripAll();
else registerHooks({ load });
