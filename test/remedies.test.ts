import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { Problem } from '../src/base/problem.ts';
import { createProgram } from '../src/cli/program.ts';
import { failureCodes } from '../src/ledger/failure-codes.ts';
import { failureRemedy } from '../src/ledger/failure-remedies.ts';
import { parseGenesis } from '../src/ledger/genesis.ts';
import { initDirectory, type NodeConfig } from '../src/node/process/config.ts';
import { start } from './api/world.ts';
import { readProblemSources } from './problem-sources.ts';

const root = join(import.meta.dirname, '..');
const ofProblems = [...readProblemSources()].flatMap(([code, { remedies: texts }]) =>
  [...texts].map((text) => ({ code: code as string, text })),
);
/** What is said of transactions that are final and failed. */
const ofFailures = failureCodes.map((code) => ({ code, text: failureRemedy(code) ?? '' }));
const remedies = [...ofProblems, ...ofFailures];
const commandPattern = /"quorate ([^"]+)"/g;

/** Why nobody could type this, or undefined. */
function wrongIn(program: CommandUnknownOpts, line: string): string | undefined {
  let command = program;
  const given: string[] = [];
  const words = line.split(' ');
  while (words.length > 0) {
    const word = words.shift() ?? '';
    if (word === '--help') return undefined;
    const below = given.length === 0 ? command.commands.find((each) => each.name() === word) : undefined;
    if (below !== undefined) command = below;
    else if (word.startsWith('--')) {
      const option = command.options.find(({ long }) => long === word);
      if (option === undefined) return `${command.name()} has no ${word}`;
      if (option.required && words.shift() === undefined) return `${word} needs a value`;
    } else given.push(word);
  }
  if (command.commands.length > 0) return `${command.name()} needs a command`;
  const { registeredArguments: takes, options } = command;
  const least = takes.filter(({ required }) => required).length;
  if (given.length < least || given.length > takes.length) return `${command.name()} takes other arguments`;
  const missing = options.find(({ mandatory, long }) => mandatory && !line.includes(`${long}`));
  return missing === undefined ? undefined : `${command.name()} needs ${missing.long}`;
}

function allCommands(command: CommandUnknownOpts): CommandUnknownOpts[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

suite('what remedies name is there', () => {
  test('commands can be typed as they stand, with their arguments', async () => {
    const program = await createProgram();
    const lines = remedies.flatMap(({ code, text }) =>
      [...text.matchAll(commandPattern)].map(([, line = '']) => ({
        code,
        line,
        wrong: wrongIn(program, line),
      })),
    );
    assert.deepEqual(
      lines.filter(({ wrong }) => wrong !== undefined),
      [],
    );
    assert.ok(lines.length > 15);
    for (const { code, text } of remedies) {
      assert.doesNotMatch(text.replaceAll(commandPattern, ''), /quorate [a-z]/, `${code}: in quotes`);
    }
  });

  test('that the test tells: what there is not is found', async () => {
    const program = await createProgram();
    assert.match(wrongIn(program, 'keys new') ?? '', /other arguments/);
    assert.match(wrongIn(program, 'status --nodes') ?? '', /no --nodes/);
    assert.match(wrongIn(program, 'members') ?? '', /needs a command/);
    assert.match(wrongIn(program, 'init') ?? '', /needs --data/);
    assert.match(wrongIn(program, 'reboot') ?? '', /needs a command/);
    assert.equal(wrongIn(program, 'tx status … --node …'), undefined);
  });

  test('options are those of a command', async () => {
    const known = new Set(
      allCommands(await createProgram()).flatMap(({ options }) => options.map(({ long }) => long)),
    );
    for (const { code, text } of remedies) {
      for (const [option] of text.replaceAll(commandPattern, '').matchAll(/--[a-z-]+/g))
        assert.ok(known.has(option), `${code}: ${option}`);
    }
  });

  test('options that a library or a page has not are named as those of the command line', () => {
    for (const { code, text } of remedies.filter((each) => !each.code.startsWith('cli/'))) {
      const others = text.replaceAll(commandPattern, '').replaceAll(/quorate: [^).]*/g, '');
      assert.doesNotMatch(others, /--[a-z]|QUORATE_/, `${code}: (quorate: --option)`);
    }
  });

  test('variables are read by the command line', () => {
    const source = readFileSync(join(root, 'src/cli/password.ts'), 'utf8');
    for (const { code, text } of remedies) {
      for (const [name] of text.matchAll(/QUORATE_[A-Z_]+/g))
        assert.ok(source.includes(name), `${code}: ${name}`);
    }
  });

  test('settings are those of config.json', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-remedies-'));
    t.after(() => rm(directory, { recursive: true }));
    const genesis = readFileSync(join(root, 'genesis/testnet-pbft.json'), 'utf8');
    const good: NodeConfig = {
      name: 'a',
      role: 'observer',
      listen: [],
      peers: [],
      api: { host: '127.0.0.1', port: 0 },
      log: 'info',
    };
    const isField = async (config: object, field: string): Promise<boolean> => {
      const refused = await initDirectory({ directory, genesis, config: config as NodeConfig }).catch(
        (problem: unknown) => problem,
      );
      return (
        refused instanceof Problem && refused.details['field'] === field && !/no field/.test(refused.message)
      );
    };
    let count = 0;
    for (const { code, text } of remedies.filter((each) => each.text.includes('config.json'))) {
      for (const [, word = ''] of text.matchAll(/"([A-Za-z]+)"/g)) {
        const isKnown =
          word === 'observer' ||
          (await isField({ ...good, [word]: null }, word)) ||
          (await isField({ ...good, api: { ...good.api, [word]: null } }, `api.${word}`));
        assert.ok(isKnown, `${code}: ${word}`);
        count += 1;
      }
    }
    assert.ok(count > 5);
    assert.equal(await isField({ ...good, nonsense: 5 }, 'nonsense'), false);
  });

  test('fields of the genesis file are', () => {
    const json = JSON.parse(readFileSync(join(root, 'genesis/testnet-raft.json'), 'utf8')) as {
      readonly consensus: object;
    };
    for (const { code, text } of remedies) {
      for (const [, field = ''] of text.matchAll(/consensus\.([A-Za-z]+)/g)) {
        const wrong = parseGenesis(
          JSON.stringify({ ...json, consensus: { ...json.consensus, [field]: {} } }),
        );
        assert.ok(wrong instanceof Problem && !/unknown/.test(wrong.message), `${code}: consensus.${field}`);
      }
    }
  });

  test('paths of the API answer, and files of the repository are there', async (t) => {
    const world = await start(t);
    let count = 0;
    for (const { code, text } of remedies) {
      for (const [path] of text.matchAll(/\/v1\/[a-z]+(?:\.[a-z]+)?/g)) {
        const { status } = await fetch(`${world.api.address}${path}`);
        assert.equal(status, 200, `${code}: ${path}`);
        count += 1;
      }
      for (const [file] of text.matchAll(/\b(?:src|genesis)\/[A-Za-z/.]*/g))
        assert.ok(existsSync(join(root, file.replace(/\.$/, ''))), `${code}: ${file}`);
    }
    assert.ok(count > 3);
  });
});
