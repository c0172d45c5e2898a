import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { problemJson } from '../src/api/problem-answer.ts';
import { answeredCodes, statusOf } from '../src/api/problem-status.ts';
import { machineRemedies } from '../src/base/machine-fault.ts';
import { peerAtFault } from '../src/base/peer-faults.ts';
import { problemCodes, type ProblemCode } from '../src/base/problem-codes.ts';
import { Problem } from '../src/base/problem.ts';
import { exitCodeOf } from '../src/cli/failure.ts';
import { problemFromJson } from '../src/client/transport.ts';
import { failureCodes } from '../src/ledger/failure-codes.ts';
import { failureRemedy } from '../src/ledger/failure-remedies.ts';
import { readProblemSources, type Sources } from './problem-sources.ts';

const root = join(import.meta.dirname, '..');
const page = join(root, 'src/problems.md');
const codes = Object.keys(problemCodes) as ProblemCode[];
const sources = readProblemSources();

/** A peer did it, and no problem is made of it: it is held against the peer, and its code stands in the log. */
const againstPeersOnly: readonly string[] = [
  'block/not-as-asked',
  'network/no-evidence',
  'sync/snapshot-root',
];
/** Said by `npm run malicious` and `npm run hostile`. */
const ofScripts: readonly string[] = ['simulator/promise-broken'];
/** What a receipt says is an outcome, and the transaction's own sender knows what it wanted. */
const inReceiptsOnly: readonly string[] = failureCodes.filter((code) => sources.get(code) === undefined);

type AreaOf<Code extends string> = Code extends `${infer Area}/${string}` ? Area : never;
const areas: Readonly<Record<AreaOf<ProblemCode>, string>> = {
  api: 'Asking and answering over HTTP. Said by the node, by what stands in between, and by the client.',
  block:
    'Why a block is not valid. Said of blocks that other nodes made; nothing is to be done about it where it is said.',
  certificate: 'Why what should prove that a block is final does not.',
  chain: 'What a chain asks of the program of its nodes.',
  change: 'What became of a proposal to change the chain, or of an approval.',
  cli: 'Said by the command line before or beside what a node says.',
  codec: 'Bytes that are not what they should be.',
  condition:
    'What a transaction demanded and the chain did not hold. In receipts only: it paid its fee and did nothing else.',
  config: 'Why a node does not start with the settings of its data directory.',
  consensus: 'What an engine answers to operators and readers (Raft), and what it refuses from peers.',
  crypto: 'Signatures.',
  explorer: 'Said by the pages that a node serves.',
  genesis: 'Why a genesis file is not taken.',
  keys: 'Addresses, key files, and the note beside a validator’s key.',
  mempool:
    'What became of a transaction at the node that is asked. Only `expired` and `superseded` are the same at every node, and for ever.',
  network:
    'Between nodes. In the log with the peer’s id (and the number of the validator that it acts for, as "quorate validators" has it), in `GET /v1/validators` and `GET /v1/why` where a peer cannot be reached, and held against peers.',
  node: 'The state of a node, and faults of the machine that it runs on.',
  playground: 'Said by the playground.',
  proof:
    'What a proof does not prove. Said by "quorate verify", by the client and by the explorer, which ask nobody.',
  simulator: 'Runs of the simulator, and of the tests with real processes.',
  storage: 'The database of a node.',
  sync: 'What a peer served to a node that is behind.',
  transaction: 'Facts of a transaction.',
};

function made(code: ProblemCode): Sources {
  return sources.get(code) ?? { remedies: new Set(), retryable: new Set([false]) };
}

/** As a client sees it that asks over HTTP, where it is answered. */
function seen(code: ProblemCode, retryable: boolean): Problem {
  const problem = new Problem(code, 'what', {
    remedy: 'how',
    details: retryable ? { retryable } : {},
  });
  if (!isAnswered(code)) return problem;
  const answer = problemFromJson(problemJson(problem), new Response(null, { status: statusOf(code) }));
  assert.ok(answer !== undefined);
  return answer;
}

const isAnswered = (code: ProblemCode): boolean => (answeredCodes as readonly string[]).includes(code);
const isSaid = (code: ProblemCode): boolean =>
  !againstPeersOnly.includes(code) && !inReceiptsOnly.includes(code);

function rowOf(code: ProblemCode): string {
  const both = [...made(code).retryable].map((retryable) => seen(code, retryable));
  const again = new Set(both.map(({ details }) => details['retryable'] === true));
  const exits = new Set(both.map((problem) => exitCodeOf(problem)));
  const failed = failureRemedy(code);
  const said = againstPeersOnly.includes(code) ? [peerAtFault] : made(code).remedies;
  const remedies = [...said, ...(failed === undefined ? [] : [`(failed) ${failed}`])].map((remedy) =>
    remedy.replaceAll('|', '\\|').replaceAll('<', '\\<'),
  );
  const where = (failureCodes as readonly string[]).includes(code)
    ? `${problemCodes[code]} (also in receipts)`
    : problemCodes[code];
  return `| ${[
    `\`${code}\``,
    where,
    remedies.join('<br>'),
    isAnswered(code) ? statusOf(code) : '',
    isSaid(code) ? [...exits].sort((a, b) => a - b).join(' or ') : '',
    again.size === 2 ? 'perhaps' : again.has(true) ? 'yes' : '',
  ].join(' | ')} |`;
}

/** What a remedy says that goes by the name of the system's error. */
function machineTable(): string {
  return [
    '### By the name of the error\n',
    'What `node/machine` says, and others where the system refused something. The message names the file and the call.\n',
    '<!-- prettier-ignore -->',
    '| error | what to do |',
    '| --- | --- |',
    ...Object.entries(machineRemedies).map(([name, remedy]) => `| ${name} | ${remedy} |`),
    '',
  ].join('\n');
}

function wholePage(): string {
  const parts = Object.entries(areas).map(([area, about]) => {
    const rows = codes.filter((code) => code.startsWith(`${area}/`)).map(rowOf);
    return [
      `## ${area}\n`,
      `${about}\n`,
      '<!-- prettier-ignore -->',
      '| code | when | what to do | HTTP | exit | again |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows,
      '',
      ...(area === 'node' ? [machineTable()] : []),
    ].join('\n');
  });
  return `# All problems

Every error that the node, its API, the client and the command line tell of is a problem: a **code** for programs, a sentence for people, and a remedy. A code never
gets another meaning; newer versions may have more of them, so programs take any. This page is written from the sources by \`npm run problems\`, and a test holds it to them.

- **when** is what the code means. The sentence that comes with it says more: which file, which height, which peer.
- **what to do** is the remedy, as it is printed; … stands for what only the case knows. Where there are several, the case decides which one is printed.
  What begins with (failed) is said of a transaction that is final and failed: it paid its fee, its nonce is used, and whatever is sent again is another one.
- **HTTP** is the status with which the API answers it; without one it is never answered over HTTP.
- **exit** is the exit code of \`quorate\` when that is where a command ends. \`quorate --help\` says what they mean.
- **again**: the same request may be answered otherwise later, or by another node. For transactions: the same bytes count once, however often they are sent.

${parts.join('\n')}`;
}

suite('the problems', () => {
  test('every code of the table is made somewhere, with a remedy', () => {
    const exempt = [...againstPeersOnly, ...ofScripts, ...inReceiptsOnly];
    const silent = codes.filter((code) => made(code).remedies.size === 0 && !exempt.includes(code));
    assert.deepEqual(silent, []);
  });

  test('every code stands in the page, once', () => {
    const rows = wholePage().split('\n');
    for (const code of codes) {
      assert.equal(rows.filter((row) => row.startsWith(`| \`${code}\` |`)).length, 1, code);
    }
  });

  test('the page is what the sources say (npm run problems writes it anew)', () => {
    const whole = wholePage();
    if (process.env['QUORATE_REWRITE'] !== undefined) writeFileSync(page, whole);
    assert.equal(readFileSync(page, 'utf8'), whole);
  });

  test('every remedy is a sentence, and none but that of a fault of our own asks to report it', () => {
    for (const code of codes) {
      for (const remedy of made(code).remedies) {
        assert.match(remedy, /^[A-Z…].*[.…)]$/, `${code}: ${remedy}`);
        const own = ['api/internal', 'cli/internal', 'node/broken'].includes(code);
        assert.equal(/\breport it\b/i.test(remedy), own, `${code}: ${remedy}`);
      }
    }
  });
});
