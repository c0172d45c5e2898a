import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { ledgerPieces } from '../../../src/cli/bench/micro/ledger-pieces.ts';
import { sizeRun } from '../../../src/cli/bench/scale/scale-command.ts';
import { type ScaleFigures, simulateScale } from '../../../src/cli/bench/scale/simulate-scale.ts';
import { measureUpdates } from '../../../src/cli/bench/state-updates.ts';
import { useNativeHash } from '../../../src/crypto/native-hash.ts';
import { referenceLoop } from './reference-loop.ts';

// What a block and a transaction cost, against what they cost when this was written: a change for the worse by a quarter fails, and
// so does one for the better, so that it stays. After a change that is meant: QUORATE_REWRITE=1 node --test test/cli/bench/guard.test.ts

const file = join(import.meta.dirname, 'guard.json');
const rewrite = process.env['QUORATE_REWRITE'] === '1';
type Figures = Record<string, number>;
const stored = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Figures>;
const measured: Record<string, Figures> = {};

/** Counts change with the code alone, but for a hash or two. */
const countMargin = 1.1;
/**
 * Processor time in units of the reference loop: the least of many samples, each short enough to be undisturbed
 * once. On one machine it is within 6 per cent of itself; processors of other kinds differ by more, so the margin
 * is for what a mistake costs, and the counts above are the fine measure.
 */
const costMargin = 1.6;
const samples = 500;
/** What is less than this of what it was has become better, and is written down. */
const stale = 0.5;

after(() => {
  if (rewrite) writeFileSync(file, `${JSON.stringify(measured, null, 2)}\n`);
});

function judge(group: string, name: string, value: number, margin: number): void {
  (measured[group] ??= {})[name] = Number(value.toPrecision(4));
  if (rewrite) return;
  const before = stored[group]?.[name] ?? 0;
  const what = `${name}: ${value.toPrecision(4)}, was ${before}`;
  assert.ok(value <= before * margin, `${what}: what made it dearer?`);
  assert.ok(value >= before * stale, `${what}: better, so write it down (see the head of this file)`);
}

function perBlock({ counts, blocks, transactions, validators }: ScaleFigures): Figures {
  return {
    'messages a block': counts.messages / blocks,
    'bytes of messages a block': counts.messageBytes / blocks,
    'signatures of messages, a block and node': counts.messageChecks / blocks / validators,
    'signatures of transactions, a transaction and node':
      counts.transactionChecks / transactions / validators,
    'hashes a transaction and node': counts.hashes / transactions / validators,
    'synced writes a block and node': counts.syncs / blocks / validators,
    'entries written, a transaction and node': counts.writtenEntries / transactions / validators,
    'bytes written, a transaction and node': counts.writtenBytes / transactions / validators,
    'gossip of a transaction, bytes a link':
      counts.gossipBytes / transactions / (validators * (validators - 1)),
  };
}

suite('what a block costs is counted', () => {
  for (const [engine, validators] of [
    ['pbft', 4],
    ['raft', 3],
  ] as const) {
    test(`${engine}, ${validators} nodes`, async () => {
      const figures = perBlock(await simulateScale(sizeRun(engine, validators)));
      for (const [name, value] of Object.entries(figures)) judge(engine, name, value, countMargin);
    });
  }
});

suite('what a transaction costs is compared with a fixed loop', () => {
  const piece = (group: string, name: RegExp): (() => unknown) => {
    const found = ledgerPieces().find((one) => one.group === group && name.test(one.name));
    return found !== undefined && 'work' in found ? found.work : assert.fail(`there is no ${group}`);
  };
  const decode = piece('codec', /from bytes/);
  const encode = piece('codec', /to sign/);
  const many =
    (work: () => unknown): (() => void) =>
    () => {
      for (let time = 0; time < 100; time++) work();
    };
  const works: Record<string, () => unknown> = {
    '100 transfers from bytes': many(decode),
    '100 transfers to bytes': many(encode),
  };
  for (const [name, work] of Object.entries(works)) {
    test(name, () => {
      useNativeHash();
      let [least, reference] = [Infinity, Infinity];
      for (let sample = 0; sample < samples; sample++) {
        reference = Math.min(reference, cost(referenceLoop));
        least = Math.min(least, cost(work));
      }
      judge('cost', name, least / reference, costMargin);
    });
  }

  test('500 transfers in a block', async () => {
    useNativeHash();
    let [least, reference] = [Infinity, Infinity];
    for (let round = 0; round < 5; round++) {
      for (let sample = 0; sample < samples / 5; sample++)
        reference = Math.min(reference, cost(referenceLoop));
      const { block } = await measureUpdates(1_000, 50);
      least = Math.min(least, 500 * block.least);
    }
    judge('cost', '500 transfers in a block', least / reference, costMargin);
  });
});

/** Processor time in µs. */
function cost(work: () => unknown): number {
  const begin = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(begin);
  return Math.max(1, user + system);
}
