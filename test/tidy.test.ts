import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { longFiles, longFunctions, numbersElsewhere } from './tidy-exceptions.ts';

// House rules that neither compiler nor linter knows. Who may import whom is in `borders.test.ts`, and the
// names of counters are held by `metrics.test.ts`. What the rules find is measured on code as the formatter
// leaves it.

const root = join(import.meta.dirname, '..');
const maxFileLines = 300;
const maxFunctionLines = 60;
const maxColumns = 110;

interface SourceFile {
  /** From the root of the project. */
  readonly path: string;
  readonly lines: readonly string[];
  /** Without comments, and with as many lines. */
  readonly code: string;
}

const blank = (comment: string): string => comment.replaceAll(/[^\n]/g, '');

const read = (pattern: string): SourceFile[] =>
  globSync(pattern, { cwd: root }).map((path) => {
    const text = readFileSync(join(root, path), 'utf8').trimEnd();
    const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, blank).replaceAll(/(?<=^|\s)\/\/.*$/gm, '');
    return { path, lines: text.split('\n'), code };
  });

const sources = read('src/**/*.{ts,tsx}');
const others = read('{scripts,test}/**/*.ts');

/** What was found must be listed, and what is listed must be found. */
function compare(
  found: readonly string[],
  listed: Record<string, string>,
  rule: { readonly mend: string; readonly list: string },
): void {
  assert.deepEqual(
    found.filter((name) => !(name in listed)),
    [],
    `${rule.mend}, or list it with the reason in \`${rule.list}\` of test/tidy-exceptions.ts`,
  );
  assert.deepEqual(
    Object.keys(listed).filter((name) => !found.includes(name)),
    [],
    `no longer needed: take it out of \`${rule.list}\` of test/tidy-exceptions.ts, which only shrinks`,
  );
}

test('the sources were found', () => {
  assert.ok(sources.length > 400 && others.length > 200);
});

test(`files have at most ${maxFileLines} lines`, () => {
  const found = sources.filter(({ lines }) => lines.length > maxFileLines).map(({ path }) => path);
  compare(found, longFiles, {
    mend: `a file over ${maxFileLines} lines has more than one duty: give one of them a file`,
    list: 'longFiles',
  });
});

/** Through which each transaction passes. */
const hot = /^src\/(?:consensus|crypto|ledger|mempool|network|node\/(?:core|effects|peers)|storage)\//;

test('no list is made only to be taken apart again where each transaction passes', () => {
  // Unless V8's last compiler has made the function anew, that is a list, an iterator, and an object for each.
  const found = sources
    .filter(({ path, code }) => hot.test(path) && /^\s*(?:const|let) \[[^\]]*\] = \[(?:.*\];)?$/m.test(code))
    .map(({ path }) => path);
  assert.deepEqual(found, [], 'write one `const` for each');
});

const declared =
  /^( *)(?:export )?(?:async )?function\*? (?<name>\w+)|^( *)(?:export )?const (?<name>\w+)\b.* = (?:async )?(?:<.*>)?\(|^( +)(?:(?:private|static|async|get|set|override) |\*)*(?<name>#?\w+)(?:<.*>)?\(|^( +)(?<name>\w+): (?:async )?\(/;
const statements = new Set(['if', 'for', 'while', 'switch', 'catch', 'return', 'super', 'function']);

/** Functions and methods that have a name, with their lines from the first of the signature to the last brace. */
function* functionsOf({ code }: SourceFile): Generator<{ name: string; length: number }> {
  const lines = code.split('\n');
  const indentOf = (line: string): number => line.length - line.trimStart().length;
  for (const [start, line] of lines.entries()) {
    const name = declared.exec(line)?.groups?.['name'];
    if (name === undefined || statements.has(name)) continue;
    const indent = indentOf(line);
    const next = (after: number): number =>
      lines.findIndex((other, at) => at > after && other !== '' && indentOf(other) === indent);
    let end = next(start);
    // Past the parameters and the type of what is returned, where they have lines of their own.
    while (/^\s*[)}\]|].*[{(]$/.test(lines[end] ?? '')) end = next(end);
    if (/^\s*\}[,;]?$/.test(lines[end] ?? '')) yield { name, length: end - start + 1 };
  }
}

test(`functions have at most ${maxFunctionLines} lines`, () => {
  const all = sources.flatMap((file) => [...functionsOf(file)].map((each) => ({ ...each, path: file.path })));
  assert.ok(all.length > 2_000, `${all.length} functions were found`);
  const found = all.filter(({ length }) => length > maxFunctionLines);
  compare(
    found.map(({ path, name }) => `${path} ${name}`),
    longFunctions,
    {
      mend: `a function over ${maxFunctionLines} lines does not show what it does: name its parts`,
      list: 'longFunctions',
    },
  );
});

test('what is exported is imported somewhere', () => {
  const used = new Map<string, Set<string>>();
  for (const { path, code } of [...sources, ...others]) {
    const use = (target: string, names: Iterable<string>): void => {
      const file = normalize(join(dirname(path), target));
      const known = used.get(file) ?? new Set();
      for (const name of names) known.add(name);
      used.set(file, known);
    };
    // Of a whole file, by `*` or `import()`, each name counts that stands in the file that imports it.
    const words = (): Iterable<string> => code.match(/\w+/g) ?? [];
    for (const [, names, target = ''] of code.matchAll(
      /(?:import|export)\s+(?:type\s+)?(?:\{([^}]*)\}|\*(?: as \w+)?)\s+from\s+'(\.[^']+)'/g,
    ))
      use(
        target,
        names?.split(',').map(
          (name) =>
            name
              .trim()
              .split(/^type | as /)
              .find((part) => part !== '') ?? '',
        ) ?? words(),
      );
    for (const [, target = ''] of code.matchAll(/import\(\s*'(\.[^']+)'/g)) use(target, words());
  }
  // Those two are the doors of the package; the shims are put in by the bundler.
  const found = sources
    .filter(({ path }) => !/^src\/(?:(?:client\/)?index\.ts$|playground\/shims\/)/.test(path))
    .flatMap(({ path, code }) => {
      const names = code.matchAll(
        /^export (?:abstract )?(?:async )?(?:function\*?|class|const|let|interface|type) (\w+)/gm,
      );
      return [...names]
        .filter(([, name = '']) => !used.get(path)?.has(name))
        .map(([, name]) => `${path} ${name}`);
    });
  assert.deepEqual(found, [], 'only its own file uses it, or nobody: take `export` away, or all of it');
});

test(`comments end within ${maxColumns} columns`, () => {
  const found = sources.flatMap(({ path, lines, code }) => {
    const codeLines = code.split('\n');
    return lines.flatMap((line, at) =>
      line.length > maxColumns && line.trimEnd() !== codeLines[at]?.trimEnd() ? [`${path}:${at + 1}`] : [],
    );
  });
  assert.deepEqual(
    found,
    [],
    `break the comment at ${maxColumns} columns: the formatter leaves comments alone`,
  );
});

test('directories are made by storage/make-directory.ts', () => {
  const found = [...sources, ...others].filter(
    ({ path, code }) => !path.startsWith('test/') && /mkdir(?:Sync)?\([^;]*recursive/.test(code),
  );
  assert.deepEqual(
    found.map(({ path }) => path),
    [],
    'Node tries for ever where the system answers ENOENT below a directory that is there',
  );
});

test('constants are named as all other values are', () => {
  const found = sources.flatMap(({ path, code }) =>
    [...code.matchAll(/^\s*(?:export )?const ([A-Z][A-Z0-9_]+)\b/gm)].map(([, name]) => `${path} ${name}`),
  );
  assert.deepEqual(found, [], 'write it in camelCase');
});

test('what is private is so at run time', () => {
  const found = sources.flatMap(({ path, code }) =>
    // No `#` can stand before a constructor.
    [...code.matchAll(/^\s*(?:private|protected) (?!constructor\()(.*)$/gm)].map(
      ([, what]) => `${path} ${what}`,
    ),
  );
  assert.deepEqual(found, [], 'use `#name` in place of the keyword');
});

/** Those are not in a node: what they draw, wait for and print is a choice, and bounds nothing that others fill. */
const noNode = /^src\/(?:simulator|cli\/bench|cli\/testnet)\//;

test('numbers that bound something are in base/limits.ts', () => {
  const term = String.raw`(?:-?\d[\w.]*|[a-zA-Z][\w.]*)`;
  const number = new RegExp(
    String.raw`^(?:export )?const (\w+)(?:: [\w<>]+)? =\s+(${term}(?: (?:[-+*\/]|\*\*) ${term})*);$`,
    'gm',
  );
  const found = sources
    .filter(({ path }) => !noNode.test(path) && !/^src\/base\/limit(?:s|-relations)\.ts$/.test(path))
    .flatMap(({ path, code }) =>
      [...code.matchAll(number)]
        .filter(
          ([, name = '', value = '']) =>
            /(?:^| )-?\d/.test(value) && !/\blimits\./.test(value) && !/^[KM]iB$/.test(name),
        )
        .map(([, name]) => `${path} ${name}`),
    );
  assert.ok(found.length > 50);
  compare(found, numbersElsewhere, {
    mend: 'a number that bounds what others can fill or wait for belongs into src/base/limits.ts',
    list: 'numbersElsewhere',
  });
});
