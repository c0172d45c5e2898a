import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MetricsPage } from '../src/api/metrics-page.ts';
import { toHeight, toView } from '../src/ledger/block.ts';
import { metricFamilies } from '../src/node/backend/metrics.ts';
import type { Hash } from '../src/crypto/hash.ts';

const root = join(import.meta.dirname, '..');
const hash = 'ab'.repeat(32) as Hash;

const page = new MetricsPage(() =>
  metricFamilies({
    status: {
      validatorIndex: 0,
      view: toView(1),
      primary: null,
      leaderApi: null,
      finalHeight: toHeight(7),
      finalHash: hash,
      stateRoot: hash,
      finalTimestamp: 1_000,
      highestKnown: toHeight(7),
      inFlight: 0,
      voting: true,
      quorumContact: true,
      syncing: false,
      peers: 3,
      mempool: { transactions: 5, bytes: 900 },
      protocolVersion: 1,
      knownProtocolVersions: { oldest: 1, newest: 1 },
      scheduledProtocolVersion: { version: 2, height: toHeight(900) },
      uptimeMs: 10,
      counters: { 'messages-sent': 3 },
    },
    ready: true,
    clockBehindMs: 0,
    clockDifferenceMs: -1_500,
    waiting: { writes: 1, oldestWriteMs: 20, reads: 2 },
    waitingTransactions: 4,
    firstBlock: 1,
    signatureCheck: 'sodium-native',
    queuedBytes: 0,
  }),
);

test('the table of metrics names all that a node measures, with its type, and nothing else', async () => {
  const rows = readFileSync(join(root, 'src/metrics.md'), 'utf8').matchAll(
    /^\| `(quorate_\w+)` *\| (gauge|counter|histogram) *\|/gm,
  );
  const described = [...rows].map(([, name, type]) => `${name} ${type}`);
  const rendered = await page.render();
  const measured = [...rendered.matchAll(/^# TYPE (quorate_\w+) (\w+)$/gm)]
    .filter(([, name = '']) => !/^quorate_(?:process|nodejs)_/.test(name))
    .map(([, name, type]) => `${name} ${type}`);
  assert.ok(measured.length > 20);
  assert.deepEqual(described.toSorted(), measured.toSorted());
  assert.match(rendered, /^quorate_clock_difference_seconds -1.5$/m);
  assert.match(rendered, /^quorate_mempool_waiting 4$/m);
  assert.match(rendered, /^quorate_signature_check\{implementation="sodium-native"\} 1$/m);
});

test('the rules that operators are given watch what is measured', async () => {
  const rules = readFileSync(join(root, 'src/operations.md'), 'utf8');
  const rendered = await page.render();
  const watched = new Set([...rules.matchAll(/quorate_\w+/g)].map(([name]) => name));
  assert.ok(watched.size > 5);
  assert.deepEqual(
    [...watched].filter((name) => !rendered.includes(`# TYPE ${name} `)),
    [],
  );
});

const isKebab = (name: string): boolean => /^[a-z]+(?:-[a-z]+)*$/.test(name);

test('whatever is counted or traced has a name in kebab-case', () => {
  const names = new Map<string, string>();
  for (const file of globSync('src/{consensus,node}/**/*.ts', { cwd: root })) {
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, name = ''] of text.matchAll(/\b(?:count|trace)\(\s*\w+,\s*'([^']+)'/g))
      names.set(name, file);
    for (const [, name = ''] of text.matchAll(/\bcounters\['([^']+)'\]/g)) names.set(name, file);
    // Counters of an engine begin at 0 in one place each.
    const [, initial = ''] = /^ {4}counters: \{([^}]*)\}/m.exec(text) ?? [];
    for (const [, quoted, bare] of initial.matchAll(/^\s+(?:'([^']+)'|(\w+)):/gm))
      names.set(quoted ?? bare ?? '', file);
  }
  assert.ok(names.size > 40, `${names.size} names`);
  assert.deepEqual(
    [...names].filter(([name]) => !isKebab(name)),
    [],
  );
});

test('what has no value yet is not shown, instead of as 0', async () => {
  const none = new MetricsPage(() => [{ name: 'quorate_nothing', help: 'x', type: 'gauge', samples: [] }]);
  assert.doesNotMatch(await none.render(), /quorate_nothing/);
});
