import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { limits } from '../../src/base/limits.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { zeroHash } from '../../src/crypto/hash.ts';
import { hashHeader, toHeight } from '../../src/ledger/block.ts';
import { checkLink } from '../../src/ledger/block-body.ts';
import {
  developmentBalance,
  developmentGenesis,
  developmentPbft,
  developmentRaft,
} from '../../src/ledger/development-genesis.ts';
import {
  createGenesis,
  formatGenesis,
  type Genesis,
  genesisHeader,
  genesisState,
  genesisValidators,
  parseGenesis,
} from '../../src/ledger/genesis.ts';
import { headerWith, keyOf } from './samples.ts';

const directory = new URL('../../genesis/', import.meta.url);
const fileOf = (name: string): string => readFileSync(new URL(name, directory), 'utf8');

/** Any JSON, so that a test can spoil it. */
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any;

/** The problem of a good file after a change. */
function problemAfter(change: (file: Json) => void, base = fileOf('testnet-pbft.json')): Problem {
  const file: Json = JSON.parse(base);
  change(file);
  const result = parseGenesis(JSON.stringify(file));
  assert.ok(result instanceof Problem, 'the changed file is refused');
  assert.ok(result.remedy.length > 10 && !result.message.includes('undefined'));
  return result;
}

/** A repeated value is refused at its second place, and the problem names the first. */
const twice = (path: string, before: string, change: (file: Json) => void): void => {
  const problem = problemAfter(change);
  assert.equal(problem.details['path'], path);
  assert.ok(problem.message.endsWith(`is the same as ${before}`));
};

const manyNamespaces = (count: number): Json =>
  Array.from({ length: count }, (_, i) => ({ name: `n${i}`, owner: keyOf('a'), mode: 'open' }));

describe('the files in genesis/', () => {
  test('are the development networks of the code, and their chain ids never change', () => {
    const networks: Record<string, [Genesis, string]> = {
      'testnet-pbft.json': [
        developmentGenesis({ name: 'testnet-pbft', validators: 4, consensus: developmentPbft }),
        '2f2aef9f25537441d468f9ee13af2bc6e07860bcae5b8646482e695de676800a',
      ],
      'testnet-raft.json': [
        developmentGenesis({ name: 'testnet-raft', validators: 3, consensus: developmentRaft }),
        'c36e4b73ecc2fa3475f1c6a598989a7358a3145b854f037b9d068b4d6e25dd3c',
      ],
      'single.json': [
        developmentGenesis({ name: 'single', validators: 1, consensus: developmentPbft }),
        '679260b99790246135abc09c3bc71e1515b8feaff8e8035be6e1be19fb4f1ca9',
      ],
    };
    const files = readdirSync(directory).filter((file) => file.endsWith('.json'));
    assert.deepEqual(new Set(files), new Set(Object.keys(networks)));
    for (const [file, [genesis, chainId]] of Object.entries(networks)) {
      assert.equal(fileOf(file), formatGenesis(genesis), file);
      assert.deepEqual(parseGenesis(fileOf(file)), genesis);
      assert.equal(genesis.chainId, chainId, file);
    }
  });

  test('fund alice, bob and carol generously', () => {
    const genesis = unwrap(parseGenesis(fileOf('single.json')));
    for (const name of ['alice', 'bob', 'carol']) {
      const { balance, nonce } = genesisState(genesis).account(developmentKeyPair(name).publicKey);
      assert.deepEqual({ balance, nonce }, { balance: developmentBalance, nonce: 0 });
    }
  });
});

describe('block 0', () => {
  const genesis = unwrap(parseGenesis(fileOf('testnet-pbft.json')));
  const header = genesisHeader(genesis);

  test('commits to the chain id, the first state and the validators', () => {
    assert.equal(header.height, 0);
    assert.equal(header.parentHash, genesis.chainId);
    assert.equal(header.stateRoot, genesisState(genesis).root);
    assert.notEqual(header.stateRoot, zeroHash);
    assert.equal(header.transactionRoot, zeroHash);
    assert.equal(header.validatorsHash, genesisValidators(genesis).hash);
    assert.equal(header.nextValidatorsHash, header.validatorsHash);
    assert.equal(header.timestamp, genesis.timestamp);
  });

  test('can be the parent of block 1', () => {
    const first = headerWith({
      height: toHeight(1),
      parentHash: hashHeader(header),
      timestamp: genesis.timestamp + 1,
      validatorsHash: header.validatorsHash,
    });
    assert.equal(checkLink(header, first), undefined);
  });
});

describe('the chain id', () => {
  const content = unwrap(parseGenesis(fileOf('testnet-pbft.json')));
  const idAfter = (change: (file: Json) => void, base = 'testnet-pbft.json'): string => {
    const file: Json = JSON.parse(fileOf(base));
    change(file);
    return unwrap(parseGenesis(JSON.stringify(file))).chainId;
  };

  test('depends on every value in the file', () => {
    const pbftFields = Object.keys(developmentPbft).filter((field) => field !== 'engine');
    const raftFields = Object.keys(developmentRaft).filter((field) => field !== 'engine');
    const ids = [
      content.chainId,
      idAfter((file) => (file.name = 'other')),
      idAfter((file) => (file.timestamp += 1)),
      idAfter((file) => (file.feePerOperation = '1')),
      ...pbftFields.map((field) => idAfter((file) => (file.consensus[field] += 1))),
      idAfter((file) => (file.consensus = developmentRaft)),
      ...raftFields.map((field) =>
        idAfter((file) => {
          const old: Json = file.consensus[field];
          const other = typeof old === 'boolean' ? !old : old + 1;
          file.consensus[field] = field === 'checkSignatures' ? 'all' : other;
        }, 'testnet-raft.json'),
      ),
      idAfter((file) => (file.validators = file.validators.toReversed())),
      idAfter((file) => file.validators.pop()),
      idAfter((file) => (file.validators[1].name = 'renamed')),
      idAfter((file) => (file.validators[1].publicKey = keyOf('other'))),
      idAfter((file) => (file.accounts[1].publicKey = keyOf('other'))),
      idAfter((file) => (file.accounts[1].balance = '1')),
      idAfter((file) => file.accounts.pop()),
      idAfter((file) => delete file.namespaces),
      idAfter((file) => file.namespaces.pop()),
      idAfter((file) => (file.namespaces[0].name = 'other')),
      idAfter((file) => (file.namespaces[0].owner = keyOf('other'))),
      idAfter((file) => (file.namespaces[1].mode = 'writers')),
      idAfter((file) => file.namespaces[1].writers.push(keyOf('other'))),
    ];
    assert.equal(new Set(ids).size, ids.length);
    const own = {
      ...content,
      namespaces: [],
      accounts: content.accounts.map((a, i) => ({ ...a, publicKey: keyOf(`a${i}`) })),
    };
    own.validators = content.validators.map((v, i) => ({ ...v, publicKey: keyOf(`v${i}`) }));
    const real = unwrap(createGenesis({ ...own, development: false }));
    assert.notEqual(real.chainId, unwrap(createGenesis({ ...own, development: true })).chainId);
  });

  test('does not depend on how the file is written: spaces, order of fields and accounts, hex or address', () => {
    const spaced = JSON.stringify(JSON.parse(fileOf('testnet-pbft.json')), null, 8);
    assert.equal(unwrap(parseGenesis(spaced)).chainId, content.chainId);
    assert.equal(
      idAfter((file) => (file.accounts = file.accounts.toReversed())),
      content.chainId,
    );
    const several = (file: Json): Json => file.namespaces[1].writers.push(keyOf('other'));
    assert.equal(
      idAfter((file) => {
        several(file);
        file.namespaces[1].writers.reverse();
        file.namespaces.reverse();
      }),
      idAfter(several),
    );
    const reordered = JSON.parse(fileOf('testnet-pbft.json'), (_, value: Json) =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toReversed())
        : value,
    );
    assert.equal(unwrap(parseGenesis(JSON.stringify(reordered))).chainId, content.chainId);
    const inHex = (file: Json): void => {
      for (const [i, validator] of content.validators.entries())
        file.validators[i].publicKey = validator.publicKey;
      for (const [i, account] of content.accounts.entries()) file.accounts[i].publicKey = account.publicKey;
    };
    assert.equal(idAfter(inHex), content.chainId);
  });

  test('survives writing the genesis to a file, for any genesis', () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/);
    const names = fc.uniqueArray(name, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        name,
        names,
        fc.array(fc.bigInt(1n, 2n ** 60n), { minLength: 1, maxLength: 8 }),
        fc.uniqueArray(fc.record({ name: fc.stringMatching(/^[a-zé .-]{3,20}$/), writers: fc.nat(3) }), {
          selector: ({ name: space }) => space,
          maxLength: 4,
        }),
        (name, validators, balances, spaces) => {
          const genesis = unwrap(
            createGenesis({
              ...content,
              name,
              development: false,
              validators: validators.map((name) => ({ name, publicKey: keyOf(name) })),
              accounts: balances.map((balance, i) => ({ publicKey: keyOf(`holder ${i}`), balance })),
              namespaces: spaces.map(({ name: space, writers }) => ({
                name: space,
                owner: keyOf(space),
                mode: writers === 0 ? ('open' as const) : ('writers' as const),
                writers: Array.from({ length: writers }, (_, i) => keyOf(`writer ${i}`)).toSorted(),
              })),
            }),
          );
          assert.deepEqual(parseGenesis(formatGenesis(genesis)), genesis);
        },
      ),
      { seed: 71, numRuns: 60 },
    );
  });
});

test('who checks signatures in Raft may be left out, and all do then; PBFT has no such word', () => {
  const file: Json = JSON.parse(fileOf('testnet-raft.json'));
  delete file.consensus.checkSignatures;
  const genesis = unwrap(parseGenesis(JSON.stringify(file)));
  assert.deepEqual(genesis.consensus, { ...developmentRaft, checkSignatures: 'all' });
  assert.deepEqual(unwrap(parseGenesis(formatGenesis(genesis))), genesis);
  for (const wrong of ['never', true, null, 'ENTRY']) {
    const problem = problemAfter((other) => {
      other.consensus.checkSignatures = wrong;
    }, fileOf('testnet-raft.json'));
    assert.equal(problem.details['path'], 'consensus.checkSignatures');
    assert.match(problem.remedy, /"entry" or "all"/);
  }
  const pbft = problemAfter((other) => {
    other.consensus.checkSignatures = 'entry';
  });
  assert.match(pbft.message, /consensus.checkSignatures is unknown/);
});

test('the least fee may be left out, and is 0 then; anything but an amount in quotes is refused', () => {
  const file = JSON.parse(fileOf('testnet-pbft.json')) as { feePerOperation?: string };
  const told = unwrap(parseGenesis(JSON.stringify(file)));
  delete file.feePerOperation;
  assert.deepEqual(unwrap(parseGenesis(JSON.stringify(file))), told);
  assert.equal(told.feePerOperation, 0n);
  const most = (2n ** 64n - 1n).toString();
  file.feePerOperation = most;
  const dear = unwrap(parseGenesis(JSON.stringify(file)));
  assert.equal(dear.feePerOperation, 2n ** 64n - 1n);
  assert.deepEqual(unwrap(parseGenesis(formatGenesis(dear))), dear);
  for (const wrong of [0, 1.5, '-1', '01', '', '1e3', (2n ** 64n).toString(), null]) {
    const problem = problemAfter((changed) => (changed.feePerOperation = wrong));
    assert.equal(problem.details['path'], 'feePerOperation');
  }
});

describe('a genesis file is refused, with the field and what to write there,', () => {
  test('when it is not JSON, not an object, or too large', () => {
    for (const text of ['', '{', 'null', '[]', '7', '"text"', '{"name":"x"']) {
      const problem = parseGenesis(text);
      assert.ok(problem instanceof Problem);
      assert.match(problem.code, /^genesis\/(json|field)$/);
    }
    const huge = parseGenesis(' '.repeat(limits.maxGenesisBytes + 1));
    assert.ok(huge instanceof Problem && huge.code === 'genesis/oversize');
  });

  test('when any field is missing', () => {
    const paths: [string, (file: Json) => void][] = [
      ...['name', 'development', 'timestamp', 'consensus', 'validators', 'accounts'].map(
        (field) => [field, (file: Json) => void delete file[field]] as [string, (file: Json) => void],
      ),
      ...Object.keys(developmentPbft)
        .filter((field) => field !== 'engine')
        .map(
          (field) =>
            [`consensus.${field}`, (file: Json) => void delete file.consensus[field]] as [
              string,
              (file: Json) => void,
            ],
        ),
      ['consensus.engine', (file) => void delete file.consensus.engine],
      ['validators[2].name', (file) => void delete file.validators[2].name],
      ['validators[2].publicKey', (file) => void delete file.validators[2].publicKey],
      ['accounts[1].publicKey', (file) => void delete file.accounts[1].publicKey],
      ['accounts[1].balance', (file) => void delete file.accounts[1].balance],
    ];
    for (const [path, change] of paths) {
      const problem = problemAfter(change);
      assert.equal(problem.details['path'], path);
      assert.match(problem.message, /is missing; it must be /, path);
    }
    const raft = problemAfter((file) => void delete file.consensus.leaseReads, fileOf('testnet-raft.json'));
    assert.equal(raft.details['path'], 'consensus.leaseReads');
  });

  test('when it has a field that nobody knows, wherever that is', () => {
    const paths: [string, (file: Json) => void][] = [
      ['naem', (file) => (file.naem = 'x')],
      ['consensus.windows', (file) => (file.consensus.windows = 8)],
      ['consensus.electionTimeoutMs', (file) => (file.consensus.electionTimeoutMs = 8)],
      ['validators[0].stake', (file) => (file.validators[0].stake = 1)],
      ['accounts[2].nonce', (file) => (file.accounts[2].nonce = 1)],
      ['namespaces[1].writer', (file) => (file.namespaces[1].writer = [])],
    ];
    for (const [path, change] of paths) {
      const problem = problemAfter(change);
      assert.equal(problem.details['path'], path);
      assert.match(problem.message, /is unknown/);
      assert.match(problem.remedy, /Remove it/);
    }
    const text = fileOf('single.json').replace('{', '{ "__proto__": { "name": "x" },');
    assert.ok(parseGenesis(text) instanceof Problem);
  });

  test('when a value is of the wrong kind or out of its bounds', () => {
    const values: [string, (file: Json) => void][] = [];
    const set = (path: string, ...wrong: unknown[]): void => {
      const parts = path.split(/[.[\]]+/).filter((part) => part !== '');
      const last = parts.pop() as string;
      for (const value of wrong) {
        values.push([
          path,
          (file: Json) => {
            let place = file;
            for (const part of parts) place = place[part];
            place[last] = value;
          },
        ]);
      }
    };
    set('name', '', 7, null, 'Upper', 'has space', '-x', 'x'.repeat(64), '../up');
    set('development', 'true', 1, null);
    set('timestamp', -1, 0.5, '2026-01-01', 2 ** 48, 1e300, null);
    set('consensus', null, 'pbft', []);
    set('consensus.engine', 'paxos', 3, null);
    set('consensus.window', 0, limits.maxPbftWindow + 1, 1.5, '8');
    set('consensus.viewTimeoutMs', 0, -5, 1e9);
    set('consensus.blocksPerPrimary', -1, 0.1);
    set('consensus.heartbeatMs', -1, 1e12);
    set('consensus.censorshipMs', 0);
    set('consensus.blockIntervalMs', -1, 60_001);
    set('validators', [], {}, null, 'x');
    set('validators[1]', null, 'qr1', []);
    set('validators[3].publicKey', 'qr1nonsense', 'ab'.repeat(31), 5, null, '', 'x'.repeat(1_000_000));
    set('accounts', [], null);
    set('accounts[0].publicKey', 'alice', `${encodeAddress(keyOf('x'))}q`);
    set(
      'accounts[0].balance',
      5,
      '0',
      '-1',
      '1.5',
      '007',
      '1e9',
      ' 1',
      '',
      '18446744073709551616',
      '9'.repeat(5_000),
    );
    set('namespaces', {}, null, 'demo', manyNamespaces(limits.maxGenesisNamespaces + 1));
    set('namespaces[0].name', '', 'a/b', '/', '.', '..', 7, null, 'x'.repeat(127), '\ud800');
    set('namespaces[0].owner', 'alice', null, '01'.padEnd(64, '0'));
    set('namespaces[0].mode', 'closed', '', 0, null);
    const tooMany = Array.from({ length: limits.maxNamespaceWriters + 1 }, (_, i) => keyOf(`${i}`));
    set('namespaces[1].writers', 'alice', {}, null, tooMany);
    set('namespaces[1].writers[0]', 'alice', null, '01'.padEnd(64, '0'));
    for (const [path, change] of values) {
      const problem = problemAfter(change);
      assert.equal(problem.details['path'], path, problem.message);
      assert.ok(problem.message.length < 400);
      assert.match(problem.remedy, /genesis\/README\.md/);
      // What is to be written there, and not what is wrong with what was.
      assert.doesNotMatch(problem.remedy, /checksum|begin with|nobody|Invalid|undefined/);
    }
    const engine = problemAfter((file) => (file.consensus.engine = 'paxos'));
    assert.match(engine.message, /consensus\.engine must be "pbft" or "raft"$/);
  });

  test('when the writers of a namespace do not fit its mode, or one is repeated', () => {
    const wrong: [string, (file: Json) => void][] = [
      ['namespaces[0].writers', (file) => (file.namespaces[0].writers = [keyOf('a')])],
      ['namespaces[1].writers', (file) => (file.namespaces[1].writers = [])],
      ['namespaces[1].writers', (file) => delete file.namespaces[1].writers],
      ['namespaces[0].writers', (file) => (file.namespaces[0].mode = 'writers')],
    ];
    for (const [path, change] of wrong) assert.equal(problemAfter(change).details['path'], path);
    const again = (file: Json): void => void (file.namespaces[1].writers = [keyOf('a'), keyOf('a')]);
    twice('namespaces[1].writers[1]', 'namespaces[1].writers[0]', again);
    twice('namespaces[2].name', 'namespaces[0].name', (file) => (file.namespaces[2].name = 'demo'));
  });

  test('when it has too many validators or accounts', () => {
    const many = problemAfter((file) => {
      file.validators = Array.from({ length: 101 }, (_, i) => ({ name: `v${i}`, publicKey: keyOf(`v${i}`) }));
    });
    assert.equal(many.details['path'], 'validators');
  });

  test('when two validators share a name or a key, or two accounts a key, in whatever spelling', () => {
    twice('validators[2].name', 'validators[0].name', (file) => (file.validators[2].name = 'validator-0'));
    twice('validators[3].publicKey', 'validators[1].publicKey', (file) => {
      file.validators[3].publicKey = developmentKeyPair('validator-1').publicKey;
    });
    twice('accounts[1].publicKey', 'accounts[0].publicKey', (file) => {
      file.accounts[1].publicKey = developmentKeyPair('alice').publicKey;
    });
  });

  test('when all coins together do not fit into 64 bits; exactly 2^64 - 1 fit', () => {
    const shares = (last: bigint) => (file: Json) => {
      file.accounts[0].balance = (2n ** 63n).toString();
      file.accounts[1].balance = (2n ** 62n).toString();
      file.accounts[2].balance = last.toString();
    };
    assert.equal(problemAfter(shares(2n ** 62n)).details['path'], 'accounts[2].balance');
    const file: Json = JSON.parse(fileOf('testnet-pbft.json'));
    shares(2n ** 62n - 1n)(file);
    assert.ok(!(parseGenesis(JSON.stringify(file)) instanceof Problem));
  });

  test('when its times cannot work together', () => {
    const cap = problemAfter((file) => (file.consensus.viewTimeoutCapMs = 1_999));
    assert.equal(cap.details['path'], 'consensus.viewTimeoutCapMs');
    const election = problemAfter((file) => (file.consensus.heartbeatMs = 501), fileOf('testnet-raft.json'));
    assert.equal(election.details['path'], 'consensus.electionTimeoutMs');
    const short = (file: Json): void =>
      void Object.assign(file.consensus, { heartbeatMs: 20, electionTimeoutMs: 100, leaseReads: true });
    const lease = problemAfter(short, fileOf('testnet-raft.json'));
    assert.equal(lease.details['path'], 'consensus.leaseReads');
    assert.match(lease.remedy, /electionTimeoutMs 147 or more/);
  });

  test('when it uses a key that everybody knows and is not marked as a test network', () => {
    const validator = problemAfter((file) => (file.development = false));
    assert.equal(validator.code, 'genesis/development-key');
    assert.deepEqual(validator.details, { path: 'validators[0].publicKey', name: 'validator-0' });
    const account = problemAfter((file) => {
      file.development = false;
      for (const validator of file.validators) validator.publicKey = keyOf(validator.name);
    });
    assert.deepEqual(account.details, { path: 'accounts[0].publicKey', name: 'alice' });
    const owner = problemAfter((file) => {
      file.development = false;
      for (const validator of file.validators) validator.publicKey = keyOf(validator.name);
      for (const [i, holder] of file.accounts.entries()) holder.publicKey = keyOf(`${i}`);
    });
    assert.deepEqual(owner.details, { path: 'namespaces[0].owner', name: 'alice' });
  });

  test('and nothing else: any JSON gives a genesis or a problem, never an exception', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (text) => {
        assert.ok(parseGenesis(text) instanceof Problem);
      }),
      { seed: 72, numRuns: 500 },
    );
    const base = fileOf('testnet-pbft.json');
    fc.assert(
      fc.property(fc.nat(base.length), fc.nat(30), fc.string({ maxLength: 5 }), (at, drop, insert) => {
        const result = parseGenesis(base.slice(0, at) + insert + base.slice(at + drop));
        assert.ok(result instanceof Problem || result.chainId.length === 64);
      }),
      { seed: 73, numRuns: 500 },
    );
  });
});

test('the largest genesis is read within the patience of a person', (t) => {
  const accounts = Array.from({ length: 20_000 }, (_, i) => ({ publicKey: keyOf(`a${i}`), balance: '5' }));
  const file = JSON.stringify({ ...JSON.parse(fileOf('single.json')), accounts });
  const start = performance.now();
  const genesis = unwrap(parseGenesis(file));
  const root = genesisState(genesis).root;
  t.diagnostic(`20,000 accounts: ${(performance.now() - start).toFixed(0)} ms`);
  assert.notEqual(root, zeroHash);
});

test('a file of more levels than any has is not parsed', () => {
  const problem = parseGenesis(`{"name":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`);
  assert.ok(problem instanceof Problem);
  assert.equal(problem.code, 'genesis/json');
  assert.match(problem.message, /it has more than 32 levels$/);
});
