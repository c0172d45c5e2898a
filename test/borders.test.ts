import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

/** Who may import whom: downward only. `src/README.md` shows the same table to people. */
const mayImport: Record<string, readonly string[]> = {
  base: [],
  crypto: ['base'],
  ledger: ['base', 'crypto'],
  mempool: ['base', 'crypto', 'ledger'],
  consensus: ['base', 'crypto', 'ledger'],
  storage: ['base', 'crypto', 'ledger'],
  network: ['base', 'crypto'],
  api: ['base', 'crypto', 'ledger'],
  client: ['base', 'crypto', 'ledger'],
  explorer: ['base', 'crypto', 'ledger', 'client', 'playground'],
  playground: ['base', 'ledger', 'simulator'],
  node: ['base', 'crypto', 'ledger', 'mempool', 'consensus', 'storage', 'network', 'api'],
  simulator: [
    'base',
    'crypto',
    'ledger',
    'mempool',
    'consensus',
    'storage',
    'network',
    'api',
    'node',
    'client',
  ],
  cli: [
    'base',
    'crypto',
    'ledger',
    'mempool',
    'consensus',
    'storage',
    'network',
    'api',
    'node',
    'client',
    'simulator',
  ],
};

/** The rooms of a folder, the lowest first, and whom of the others each may import. Files beside the rooms may import all. */
const rooms: Record<string, Record<string, readonly string[]>> = {
  node: {
    process: [],
    peers: ['process'],
    effects: ['process', 'peers'],
    'catch-up': ['process', 'peers', 'effects'],
    core: ['process', 'peers', 'effects', 'catch-up'],
    telemetry: ['process', 'core'],
    backend: ['process', 'peers', 'effects', 'core'],
  },
  simulator: {
    world: [],
    plan: ['world'],
    liars: ['world', 'plan'],
    checkers: ['world', 'plan'],
    run: ['world', 'plan', 'liars', 'checkers'],
  },
};

/** They decide, so they read nothing but their arguments. */
const pureFolders = ['base', 'ledger', 'mempool', 'consensus'];
const impure = [
  /\bDate\b/,
  /\bMath\.random\b/,
  /\bPromise\b/,
  /\basync\b/,
  /\bprocess\./,
  /\bconsole\b/,
  /\bsetTimeout\b/,
  /\bsetInterval\b/,
  /\bperformance\b/,
];
/** What a browser has no word for. */
const browserSafe = ['base', 'ledger', 'client', 'explorer'];
/** What applications import, by `package.json`. */
const doors = ['index.ts', 'client-in-node.ts'];
/** Of crypto, only these may use what is Node's; no browser code imports them. */
const nativeCrypto = [
  'native',
  'native-hash',
  'native-ed25519',
  'threaded-verifier',
  'frame-threads',
  'verify-worker',
  'verify',
  'inline-verifier',
];

const root = fileURLToPath(new URL('../src', import.meta.url));

interface SourceFile {
  readonly path: string;
  readonly folder: string;
  readonly code: string;
  readonly imports: readonly string[];
}

const files: SourceFile[] = globSync('**/*.{ts,tsx}', { cwd: root }).map((path) => {
  const text = readFileSync(join(root, path), 'utf8');
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
  const imports = [...code.matchAll(/(?:from\s+|import\s*\(?\s*)'([^']+)'/g)].map((match) => match[1] ?? '');
  return { path, folder: path.split('/')[0] ?? '', code, imports };
});

const folderOf = (file: SourceFile, specifier: string): string =>
  normalize(join(dirname(file.path), specifier)).split('/')[0] ?? '';

const breaches = (rule: (file: SourceFile) => readonly string[]): string[] =>
  files.flatMap((file) => rule(file).map((what) => `${file.path}: ${what}`));

test('the sources were found', () => {
  assert.ok(files.length > 100);
  assert.deepEqual(
    [...new Set(files.map(({ folder }) => folder))].filter(
      (folder) => !(folder in mayImport) && !doors.includes(folder),
    ),
    [],
    'every folder stands in the table',
  );
});

test('imports go downward only', () => {
  const found = breaches((file) => {
    const allowed = mayImport[file.folder];
    if (allowed === undefined) return [];
    return file.imports
      .filter((specifier) => specifier.startsWith('.') && /\.tsx?$/.test(specifier))
      .map((specifier) => folderOf(file, specifier))
      .filter((folder) => folder !== file.folder && !allowed.includes(folder))
      .map((folder) => `imports ${folder}`);
  });
  assert.deepEqual(found, []);
});

test('within a folder, a room imports only those below it', () => {
  const inRooms = files.filter(({ folder, path }) => folder in rooms && path.split('/').length > 2);
  const found = inRooms.flatMap((file) => {
    const [folder = '', room = ''] = file.path.split('/');
    const allowed = rooms[folder]?.[room];
    if (allowed === undefined) return [`${file.path}: the room stands in no table`];
    return file.imports
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => normalize(join(dirname(file.path), specifier)).split('/'))
      .filter(([to, below = '']) => to === folder && below !== room && !allowed.includes(below))
      .map((target) => `${file.path}: imports ${target.join('/')}`);
  });
  assert.deepEqual(found, []);
});

test('the two engines never import each other', () => {
  const found = breaches((file) => {
    const [, engine = ''] = /^consensus\/(pbft|raft)\//.exec(file.path) ?? [];
    const other = engine === 'pbft' ? '/raft/' : '/pbft/';
    return engine === '' ? [] : file.imports.filter((specifier) => specifier.includes(other));
  });
  assert.deepEqual(found, []);
});

/**
 * Who may ask which engine a chain has, and why. All others ask the `Capabilities` of its protocol, or look into a table with an entry for
 * each engine, which does not compile until a new one has its own.
 */
const askEngines: readonly (readonly [path: RegExp, why: string])[] = [
  [/^node\/core\/protocol\.ts$/, 'the registration: makes the engine that a genesis asks for'],
  [/^ledger\/genesis-rules\.ts$/, 'each engine’s options have relations of their own'],
  [/^ledger\/genesis\.ts$/, 'the state has the validators of PBFT, and no members of Raft'],
  [
    /^(api\/present|cli\/block|client\/inclusion-json)\.ts$/,
    'a certificate is shown as what it is, and read as that: one signature or many',
  ],
  [/^ledger\/inclusion\.ts$/, 'what a certificate proves: a quorum, or who made the block'],
  [
    /^cli\/(byzantine|testnet\/run-testnet)\.ts$/,
    'only PBFT claims to stand liars, which speak its messages',
  ],
  [/^simulator\/checkers\/plain-changes\.ts$/, 'what a chain starts with, as its genesis says it'],
  [/^(simulator\/plan\/|playground\/setting\.ts$)/, 'a plan has the faults that an engine claims to stand'],
  [/^simulator\/run\/cluster\.ts$/, 'only reads that an engine confirms are compared'],
  [/^simulator\/run\/verdict\.ts$/, 'the command that repeats a run leaves out what is the default'],
];

test('nobody asks which engine a chain has, but where it is registered', () => {
  const asks = /[!=]== '(?:pbft|raft)'|'(?:pbft|raft)' [!=]==|case '(?:pbft|raft)'/;
  const asking = files.filter(({ path, code }) => !/^consensus\/(pbft|raft)\//.test(path) && asks.test(code));
  const allowed = (path: string): boolean => askEngines.some(([pattern]) => pattern.test(path));
  assert.deepEqual(
    asking.map(({ path }) => path).filter((path) => !allowed(path)),
    [],
  );
  const unused = askEngines.filter(([pattern]) => !asking.some(({ path }) => pattern.test(path)));
  assert.deepEqual(unused, [], 'an exception that nobody needs goes');
});

test('the files of PBFT import downward in the picture of their page', () => {
  const page = readFileSync(join(root, 'consensus/README.md'), 'utf8');
  const [, picture = ''] = /PBFT's files import only[^`]*```\n([^`]*)```/.exec(page) ?? [];
  const order = picture.split('\n').flatMap((line) => line.trim().split(/ {2,}/)[0]?.split(', ') ?? []);
  const place = (name: string): number => order.indexOf(name);
  const found = breaches((file) => {
    const [, name] = /^consensus\/pbft\/(.+)\.ts$/.exec(file.path) ?? [];
    if (name === undefined) return [];
    if (place(name) < 0) return ['stands nowhere in the picture'];
    return file.imports
      .flatMap((specifier) => /^\.\/(.+)\.ts$/.exec(specifier)?.[1] ?? [])
      .filter((other) => place(other) <= place(name))
      .map((other) => `imports ${other}`);
  });
  assert.deepEqual(found, []);
});

test('what decides is pure: no clock, no randomness, no promise, nothing of Node', () => {
  const found = breaches((file) => {
    if (!pureFolders.includes(file.folder)) return [];
    return [
      ...file.imports.filter((specifier) => specifier.startsWith('node:')),
      ...impure.filter((pattern) => pattern.test(file.code)).map(String),
    ];
  });
  assert.deepEqual(found, []);
});

test('browser code uses nothing of Node, and no crypto that does', () => {
  const found = breaches((file) => {
    if (!browserSafe.includes(file.folder)) return [];
    return file.imports.filter(
      (specifier) =>
        specifier.startsWith('node:') || nativeCrypto.some((name) => specifier.endsWith(`crypto/${name}.ts`)),
    );
  });
  assert.deepEqual(found, []);
});

test('level has one door, and libp2p one folder', () => {
  const found = breaches((file) =>
    file.imports.filter(
      (specifier) =>
        (/^(level|classic-level|abstract-level)$/.test(specifier) &&
          file.path !== 'storage/level-database.ts') ||
        (/^(@?libp2p|@chainsafe|@multiformats)\b/.test(specifier) && file.folder !== 'network'),
    ),
  );
  assert.deepEqual(found, []);
});

test('only verification makes verified messages', () => {
  const found = breaches((file) =>
    / as Verified</.test(file.code) && file.path !== 'node/peers/verification.ts' ? ['makes Verified'] : [],
  );
  assert.deepEqual(found, []);
});

test('no default exports, no enums, no any', () => {
  const found = breaches((file) =>
    [/^export default/m, /^\s*(export )?(const )?enum /m, /: any\b/, /\bas any\b/, /<any>/]
      .filter((pattern) => pattern.test(file.code))
      .map(String),
  );
  assert.deepEqual(found, []);
});

test('files are named in kebab-case', () => {
  assert.deepEqual(
    files.map(({ path }) => path).filter((path) => !/^([a-z0-9-]+\/)*[a-z0-9-]+\.tsx?$/.test(path)),
    [],
  );
});
