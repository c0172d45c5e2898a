import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { createProgram } from '../../src/cli/program.ts';
import { deadUrl } from '../client/fake-api.ts';
import { problemOf, quorate, temporaryDirectory } from './quorate.ts';

/** All that can be run, with the words that name it. */
function leavesOf(
  command: CommandUnknownOpts,
  words: readonly string[] = [],
): { readonly command: CommandUnknownOpts; readonly words: readonly string[] }[] {
  if (command.commands.length === 0) return [{ command, words }];
  return command.commands.flatMap((below) => leavesOf(below, [...words, below.name()]));
}

test('--help lists every command and every exit code, and ends with 0', async () => {
  const { code, out } = await quorate(['--help']);
  assert.equal(code, 0);
  for (const { words } of leavesOf(await createProgram()))
    assert.match(out, new RegExp(`^  ${words[0]} `, 'm'));
  for (const exit of [0, 1, 2, 3, 4, 5, 6, 70]) assert.match(out, new RegExp(`^  ${exit} `, 'm'));
});

test('every command explains itself, and has --json', async () => {
  const leaves = leavesOf(await createProgram());
  assert.ok(leaves.length > 45);
  for (const { command, words } of leaves) {
    assert.notEqual(command.description(), '', words.join(' '));
    assert.match(command.helpInformation(), /--json /, words.join(' '));
    // What is nothing, or several, is said in words.
    assert.doesNotMatch(command.helpInformation(), /default: (?:\[|"")/, words.join(' '));
  }
  for (const words of [
    ['keys', 'export'],
    ['bench', 'state'],
  ]) {
    const { code, out } = await quorate([...words, '--help']);
    assert.equal(code, 0);
    assert.match(out, /^Usage: quorate [^]*--json /);
  }
});

test('a wrong command line says what is wrong, tries nothing, and ends with 2', async () => {
  for (const [args, says] of [
    [[], /Usage: quorate/],
    [['fly'], /unknown command 'fly'/],
    [['statos'], /Did you mean status/],
    [['status', '--fast'], /unknown option '--fast'/],
    [['status', 'now'], /too many arguments/],
    [['tx', 'transfer', 'bob', '5'], /required option '--from <key>'/],
    [['tx', 'transfer', 'bob', '--from', 'alice'], /missing required argument 'amount'/],
    [['tx', 'transfer', 'bob', '1.5', '--from', 'alice'], /whole number of the smallest unit/],
    [['tx', 'transfer', 'bob', '-5', '--from', 'alice'], /whole number of the smallest unit/],
    [['tx', 'transfer', 'bob', `${2n ** 64n}`, '--from', 'alice'], /at most 18446744073709551615/],
    [['tx', 'put', 'k', '--hex', 'abc', '--from', 'alice'], /even number of hex digits/],
    [['tx', 'put', 'k', 'v', '--fee', 'lots', '--from', 'alice'], /--fee/],
    [['tx', 'put', 'k', 'v', '--nonce', '-1', '--from', 'alice'], /--nonce/],
    [['tx', 'put', 'k', 'v', '--expiry', '+1000000', '--from', 'alice'], /--expiry/],
    [['tx', 'put', 'k', 'v', '--wait=long', '--from', 'alice'], /--wait/],
    [['tx', 'put', 'k', 'v', '--chain-id', 'mine', '--from', 'alice'], /--chain-id/],
    [['validators', 'propose', '--swap', 'validator-1', '--from', 'x'], /OLD=NEW/],
    [['status', '--node', 'ftp://example.org'], /http:\/\/127/],
    [['status', '--timeout', 'soon'], /Give seconds/],
    [['get', 'k', '--consistency', 'fresh'], /stale, lease, linearizable/],
    [['block', '-1'], /names no block/],
    [['block', 'first'], /names no block/],
    [['testnet', '--nodes', '0'], /--nodes/],
    [['testnet', '--nodes', '17'], /from 1 to 16/],
    [['testnet', '--engine', 'paxos'], /pbft, raft/],
    [['testnet', '--base-port', '99999'], /--base-port/],
    [
      ['init', '--data', 'd', '--genesis', 'g', '--observer', '--api', '127.0.0.1:6000'],
      /connects to port 6000/,
    ],
    [['start'], /required option '--data/],
    [['status', '--node', '--json'], /--node needs a value, and --json follows it/],
    [['tx', 'put', 'k', 'v', '--from', '--node', 'x'], /--from needs a value, and --node follows it/],
    [['tx', 'put', 'k', 'v', '--from', '--help'], /--from needs a value/],
    [['init', '--data', '', '--genesis', 'g', '--observer'], /--data names no directory/],
    [['simulate', '--seeds', '1..2', '--trace'], /cannot be used with option '--trace'/],
    [['simulate', '--seed', '1', '--plan', 'p'], /cannot be used with option '--plan/],
    [['start', '--data='], /--data names no directory/],
    [['keys', 'list', '--keys', ''], /--keys names no directory/],
    [['tx', 'batch', 'f', '--from', 'alice', '--signed', ''], /--signed names no file/],
    [['tx', 'put', 'k', 'v', '--from', 'alice', '--from', 'bob'], /--from is given twice/],
    [['tx', 'put', 'k', 'v', '--from=alice', '--wait', '--wait', '5'], /--wait is given twice/],
    [['get', 'k', '--consistency', 'lease', '--consistency', 'stale'], /--consistency is given twice/],
    [['testnet', '--byzantine', '0:silent', '--byzantine', '0:slow'], /Node 0 can lie in one way only/],
    [['keys', 'new', 'k', '--no-password', '--password-file', 'p'], /cannot be used with .*--password-file/],
    [
      ['keys', 'password', 'k', '--no-new-password', '--new-password-file', 'p'],
      /cannot be used with .*--new-password-file/,
    ],
    [['get', ''], /<key> is empty/],
    [['history', ''], /<key> is empty/],
    [['namespace', 'show', ''], /<name> is empty/],
    [['tx', 'put', '', 'v', '--from', 'alice'], /<key> is empty/],
    [['tx', 'set-keys', '1', 'alice', '', '--from', 'alice'], /<keys> is empty/],
    [['leader', 'transfer', ''], /<member> is empty/],
    [['block', ''], /<block> is empty/],
    [['tx', 'delete', 'k', '--from', ''], /--from is empty/],
    [['validators', 'propose', '--add=', '--from', 'x'], /--add is empty/],
    [['namespace', 'list', '--after', ''], /--after is empty/],
    [['get', 'k', '--raw', '--json'], /cannot be used with option '--json'/],
    [['chain', 'propose', 'limits', '--from', 'validator-0'], /nothing is to be changed/],
    [['simulate', '--plan', 'p', '--engine', 'raft'], /cannot be used with option '--plan/],
    [['simulate', '--plan', 'p', '--real-signatures'], /cannot be used with option '--plan/],
    [['simulate', '--seed', '1', '--jobs', '2'], /--jobs does nothing without --seeds/],
    [['simulate', '--require-coverage'], /--require-coverage does nothing without --seeds/],
    [['simulate', '--seeds', '1..2', '--shrink'], /--shrink does nothing without --keep/],
    [['list', 'shop/', '--after', 'a'], /--after "a" is not in a list of "shop\/"/],
    [['namespace', 'list', 'shop', '--after', 'a'], /--after "a" is not in a list of "shop"/],
    [['bench', '--json', 'micro'], /--json stands before \W*micro/],
  ] as const) {
    const { code, out, err } = await quorate(args);
    assert.equal(code, 2, `quorate ${args.join(' ')}: ${err}`);
    assert.match(err, says, `quorate ${args.join(' ')}`);
    assert.equal(out, '', `quorate ${args.join(' ')}`);
  }
});

test('with --json a wrong command line is JSON too', async () => {
  const ran = await quorate(['status', '--fast', '--json']);
  assert.equal(ran.code, 2);
  assert.equal(problemOf(ran).code, 'cli/usage');
  assert.match(problemOf(ran).message, /--fast/);
});

test('a directory for results that cannot be made is told before anything is measured', async () => {
  for (const [args, option] of [
    [['bench', '--out', '/proc/results'], '--out'],
    [['simulate', '--seeds', '1..1000000', '--keep', '/proc/results'], '--keep'],
  ] as const) {
    const ran = await quorate([...args, '--json']);
    assert.equal(ran.code, 1);
    assert.equal(problemOf(ran).code, 'cli/file');
    assert.match(problemOf(ran).remedy, new RegExp(option));
  }
});

test('a script refuses what it would not do, in JSON when a program asks', async () => {
  for (const [name, args, says] of [
    ['demo', ['--nodes', 'http://127.0.0.1:2', '--base-port', '4600'], /cannot be used with option '--nodes/],
    ['demo', ['--count', '1', '--count', '2'], /--count is given twice/],
    ['hostile', ['--short', '--seconds', '5'], /cannot be used with option '--seconds/],
    ['hostile', ['--short', '--rate', '5'], /cannot be used with option '--rate/],
    ['hostile', ['--seconds', '0'], /more than 0/],
    ['malicious', ['--fly'], /unknown option '--fly'/],
  ] as const) {
    const [node, path] = [process.execPath, join(import.meta.dirname, `../../scripts/${name}.ts`)];
    const { status, stdout, stderr } = spawnSync(node, [path, ...args, '--json'], { encoding: 'utf8' });
    assert.equal(status, 2, stderr);
    assert.equal(stdout, '');
    assert.match(problemOf({ code: status, out: stdout, err: stderr }).message, says);
  }
});

test('no node at the address: 3, with the address and what to do', async () => {
  const url = await deadUrl();
  for (const args of [['status'], ['get', 'k'], ['tx', 'put', 'k', 'v', '--from', 'alice']]) {
    const ran = await quorate([...args, '--node', url, '--timeout', '0']);
    assert.equal(ran.code, 3, args.join(' '));
    assert.ok(ran.err.includes(url));
    assert.match(ran.err, /api\/unreachable/);
    assert.match(ran.err, /what to do/);
  }
});

test('QUORATE_NODE names the node when --node does not', async () => {
  const url = await deadUrl();
  const ran = await quorate(['why', '--timeout', '0'], { env: { QUORATE_NODE: url } });
  assert.ok(ran.err.includes(url));
  const wrong = await quorate(['why', '--json'], { env: { QUORATE_NODE: 'ftp://node' } });
  assert.equal(wrong.code, 2);
  assert.match(problemOf(wrong).message, /^QUORATE_NODE: /);
  const other = await quorate(['why', '--node', url, '--timeout', '0'], { env: { QUORATE_NODE: 'ftp://x' } });
  assert.ok(other.err.includes(url), 'what does not count is not looked at');
});

test('the launcher finds its place behind links, from any directory, and gives its own exit code', (t) => {
  const directory = temporaryDirectory(t);
  const bin = join(directory, 'a place with spaces', 'bin');
  mkdirSync(bin, { recursive: true });
  symlinkSync(join(import.meta.dirname, '../../scripts/quorate'), join(directory, 'first'));
  symlinkSync('../../first', join(bin, 'quorate'));
  const version = spawnSync(join(bin, 'quorate'), ['--version'], { cwd: '/', encoding: 'utf8' });
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  assert.equal(version.status, 0);
  assert.equal(spawnSync(join(bin, 'quorate'), ['fly'], { cwd: '/' }).status, 2);
});
