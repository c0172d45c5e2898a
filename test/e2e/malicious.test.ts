import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liarWrap } from '../../src/cli/byzantine.ts';
import { strategies } from '../../src/cli/byzantine-strategies.ts';
import { unwrap } from '../../src/base/problem.ts';
import { keyPairFromSeed } from '../../src/crypto/keys.ts';
import { encryptKey } from '../../src/crypto/keystore.ts';
import {
  developmentGenesis,
  developmentPbft,
  developmentRaft,
} from '../../src/ledger/development-genesis.ts';
import { createGenesis, formatGenesis } from '../../src/ledger/genesis.ts';
import type { Network } from '../../src/network/port.ts';
import { initDirectory } from '../../src/node/process/config.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { problemOf, quorate, temporaryDirectory } from '../cli/quorate.ts';
import { script } from './script.ts';

interface Row {
  readonly event: 'row';
  readonly strategy: string;
  readonly final: number;
  readonly lies: number;
  readonly evidence: string;
  readonly breaches: readonly string[];
}

test('one liar of four real nodes stops nothing and divides nobody, and evidence names it alone', async () => {
  const { code, events, errors } = await script('malicious', [
    '--only',
    'equivocate,two-faced-votes,silent',
    '--count',
    '120',
  ]);
  assert.equal(code, 0, `${JSON.stringify(events)} ${errors}`);
  const rows = events.filter(({ event }) => event === 'row') as unknown as Row[];
  assert.deepEqual(
    rows.map(({ strategy, final, breaches }) => ({ strategy, final, breaches })),
    ['equivocate', 'two-faced-votes', 'silent'].map((strategy) => ({ strategy, final: 120, breaches: [] })),
  );
  const [equivocate, twoFaced, silent] = rows;
  assert.match(equivocate?.evidence ?? '', /^0: .*double-/);
  assert.match(twoFaced?.evidence ?? '', /^2: double-/);
  assert.equal(silent?.evidence, '', 'silence proves nothing');
});

test('two liars of four can divide honest nodes: the comparison sees it, and the proof names the two', async () => {
  const { code, events, errors } = await script('malicious', ['--only', 'two-twins']);
  assert.equal(code, 0, `${JSON.stringify(events)} ${errors}`);
  const story = events.find(({ event }) => event === 'beyond');
  assert.equal(story?.['reached'], 'fork');
  const facts = story?.['facts'] as readonly string[];
  assert.ok(facts.some((fact) => fact.includes('Two different blocks are final at height 1')));
  assert.match(facts.at(-1) ?? '', /0: double-commit; 1: double-commit/);
});

test('a partition of real nodes, 2 | 2 and 3 | 1, costs progress where there is no quorum, and nothing else', async () => {
  const { code, events, errors } = await script('partition-demo', []);
  const broken = events.filter(({ event, held }) => event === 'step' && held !== true);
  assert.deepEqual(broken, [], errors);
  assert.equal(code, 0, errors);
  assert.ok(events.filter(({ event }) => event === 'step').length >= 18);
});

test('a partition in Raft mode: the minority refuses, its clients are told, and it catches up by itself', async () => {
  const { code, events, errors } = await script('partition-demo', ['--engine', 'raft']);
  const broken = events.filter(({ event, held }) => event === 'step' && held !== true);
  assert.deepEqual(broken, [], errors);
  assert.equal(code, 0, errors);
  assert.ok(events.filter(({ event }) => event === 'step').length >= 20);
});

test('no node of a chain that is not for development can be told to lie', async (t) => {
  const keyPair = keyPairFromSeed(new Uint8Array(32).fill(7));
  const genesis = unwrap(
    createGenesis({
      name: 'real',
      development: false,
      timestamp: 1_767_225_600_000,
      consensus: developmentPbft,
      validators: [{ name: 'one', publicKey: keyPair.publicKey }],
      accounts: [{ publicKey: keyPair.publicKey, balance: 1n }],
    }),
  );
  const directory = temporaryDirectory(t);
  await initDirectory({
    directory,
    config: {
      name: 'one',
      role: 'validator',
      listen: ['/ip4/127.0.0.1/tcp/0'],
      peers: [],
      api: { host: '127.0.0.1', port: 0 },
      log: 'error',
    },
    genesis: formatGenesis(genesis),
    validatorKeyFile: encryptKey(keyPair, undefined, { name: 'one' }),
  });
  const ran = await quorate(['start', '--data', directory, '--byzantine', 'silent', '--json']);
  assert.equal(ran.code, 1, ran.err);
  assert.equal(problemOf(ran).code, 'node/not-development');
});

test('the command line refuses liars that cannot be: no such node, no such strategy, an engine without liars', async () => {
  for (const [args, code, message] of [
    [['--byzantine', '4:silent'], 1, /no node 4/],
    [['--byzantine', '0:honest'], 2, /equivocate/],
    [['--byzantine', 'silent'], 2, /2:equivocate/],
    [['--engine', 'raft', '--byzantine', '0:silent'], 1, /PBFT/],
  ] as const) {
    const ran = await quorate(['testnet', '--base-port', '0', ...args]);
    assert.equal(ran.code, code, ran.err);
    assert.match(ran.err, message);
  }
});

test('every strategy of the simulator starts on a real node, and none on a Raft chain', () => {
  const network = { peers: () => [], send: () => true } as unknown as Network;
  const keyPair = developmentKeyPair('validator-0');
  const genesisOf = (consensus: typeof developmentPbft | typeof developmentRaft) =>
    developmentGenesis({ name: 'test', validators: 4, consensus });
  for (const strategy of strategies) {
    const wrap = liarWrap(strategy, () => {});
    assert.ok(wrap({ network, genesis: genesisOf(developmentPbft), keyPair }));
    assert.throws(() => wrap({ network, genesis: genesisOf(developmentRaft), keyPair }), {
      code: 'cli/byzantine',
    });
  }
});
