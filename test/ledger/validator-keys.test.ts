import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { developmentGenesis, developmentPbft } from '../../src/ledger/development-genesis.ts';
import { createGenesis, type Genesis } from '../../src/ledger/genesis.ts';
import { checkValidatorKeys } from '../../src/ledger/validator-keys.ts';

const good = developmentGenesis({ name: 'four', validators: 4, consensus: developmentPbft });

function withKey(publicKey: string): Genesis | Problem {
  const validators = good.validators.map((validator, i) =>
    i === 2 ? { ...validator, publicKey: publicKey as PublicKey } : validator,
  );
  return createGenesis({ ...good, validators });
}

test('keys that somebody made are usable', () => {
  assert.equal(checkValidatorKeys(good), undefined);
});

test('a key that nobody can hold, or that everybody can sign for, is a problem that names its place', () => {
  const wrong = {
    'not on the curve': `02${'00'.repeat(31)}`,
    'the neutral point': `01${'00'.repeat(31)}`,
    'order 2': `ec${'ff'.repeat(30)}7f`,
    'order 4': '00'.repeat(32),
    'order 8': 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'another encoding of a point': `ee${'ff'.repeat(30)}7f`,
  };
  for (const [what, key] of Object.entries(wrong)) {
    const genesis = withKey(key);
    const problem = genesis instanceof Problem ? genesis : checkValidatorKeys(genesis);
    assert.equal(problem?.details['path'], 'validators[2].publicKey', what);
  }
});

test('an account that is anybody’s is a problem of the file, too', () => {
  for (const key of ['00'.repeat(32), `ee${'ff'.repeat(31)}`] as PublicKey[]) {
    const problem = createGenesis({ ...good, accounts: [{ publicKey: key, balance: 1n }] });
    assert.ok(problem instanceof Problem, key);
    assert.equal(problem.details['path'], 'accounts[0].publicKey');
  }
});
