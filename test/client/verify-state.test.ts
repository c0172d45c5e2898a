import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '../../src/base/bytes.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import type { StateReadingJson } from '../../src/api/schemas.ts';
import {
  verifyAccount,
  verifyNamespace,
  verifyRecord,
  verifyReservation,
} from '../../src/client/verify-state.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { hashHeader } from '../../src/ledger/block.ts';
import { genesisState } from '../../src/ledger/genesis.ts';
import type { ReservationId } from '../../src/ledger/reservation-id.ts';
import {
  accountReading,
  namespaceReading,
  recordReading,
  reservationReading,
} from '../../src/ledger/state-reading.ts';
import { changesOf } from './json-changes.ts';
import { genesisOf, stateProofOf } from './proof-samples.ts';

const alice = developmentKeyPair('alice').publicKey;
const bob = developmentKeyPair('bob').publicKey;
const nobody = 'ab'.repeat(32) as PublicKey;
const engines = ['pbft', 'raft'] as const;

const accountIn = (engine: (typeof engines)[number], account: PublicKey, above = 1) => {
  const genesis = genesisOf(engine);
  return { genesis, ...stateProofOf(genesis, accountReading, account, above) };
};
const recordIn = (engine: (typeof engines)[number], key: string) => {
  const genesis = genesisOf(engine);
  return { genesis, ...stateProofOf(genesis, recordReading, key) };
};
/** What a proof covers: all but who answered, and which hash it calls the block by. */
const covered = ({ header, descendants, certificate, entry, proof }: StateReadingJson) => {
  return { header, descendants, certificate, entry, proof };
};

describe('an account', () => {
  test('is proven by what a node answers, with nothing but the genesis file', () => {
    for (const engine of engines) {
      for (const above of [0, 2]) {
        for (const [account, balance, nonce, held] of [
          [alice, 945n, 10, 30n] as const,
          [bob, 5n, 0, 0n] as const,
        ]) {
          const { answer, genesis, finality } = accountIn(engine, account, above);
          const verified = unwrap(verifyAccount(answer, { genesis, account }));
          assert.deepEqual(verified.value, { balance, nonce, held, keys: undefined });
          assert.equal(hashHeader(verified.header), hashHeader(finality.header));
          assert.deepEqual(
            verified.steps.map(({ check }) => check),
            ['state', 'headers', 'certificate'],
          );
        }
      }
    }
  });

  test('that has nothing is proven to have nothing', () => {
    const { answer, genesis } = accountIn('pbft', nobody);
    assert.equal(answer.entry, null);
    const { value: account, steps } = unwrap(verifyAccount(answer, { genesis, account: nobody }));
    assert.deepEqual(account, { balance: 0n, nonce: 0, held: 0n, keys: undefined });
    assert.match(steps[0]?.says ?? '', /holds nothing of account/);
  });

  test('is proven no more when any letter, digit, field or element of it is another', () => {
    for (const engine of engines) {
      for (const account of [alice, nobody]) {
        const { answer, genesis } = accountIn(engine, account);
        let tried = 0;
        for (const { json, where } of changesOf(covered(answer), '', 5)) {
          tried++;
          const verdict = verifyAccount(json, { genesis, account });
          assert.ok(verdict instanceof Problem, `${engine}: ${where}`);
          assert.match(verdict.code, /^proof\//, where);
        }
        assert.ok(tried > 200, `${tried} changes`);
      }
    }
  });

  test('is not that of another account, of another state, nor of another chain', () => {
    const { answer, genesis } = accountIn('pbft', alice);
    const codeOf = (json: unknown, account: PublicKey, of = genesis) => {
      const verdict = verifyAccount(json, { genesis: of, account });
      return verdict instanceof Problem ? verdict.code : 'proven';
    };
    assert.equal(codeOf(answer, alice), 'proven');
    for (const other of [bob, nobody]) assert.equal(codeOf(answer, other), 'proof/state');
    assert.equal(codeOf(accountIn('pbft', nobody).answer, alice), 'proof/state');
    // What it had before: the proof is right for that root, and the header has another one.
    const before = stateProofOf(
      genesis,
      { read: () => accountReading.read(genesisState(genesis), alice) },
      alice,
    ).answer;
    assert.equal(codeOf(before, alice), 'proof/state');
    assert.match(codeOf(answer, alice, genesisOf('pbft', 'another')), /^proof\/(certificate|unknown)/);
    assert.equal(codeOf(answer, alice, genesisOf('raft')), 'proof/certificate');
    for (const nothing of [undefined, null, 7, 'text', [], {}]) {
      assert.equal(codeOf(nothing, alice), 'proof/malformed');
    }
    assert.equal(codeOf({ ...answer, epochs: 7 }, alice), 'proven', 'epochs are given beside it');
  });
});

describe('a record', () => {
  test('is proven to be there, never to have been there, and to be deleted', () => {
    for (const engine of engines) {
      const { answer, genesis } = recordIn(engine, 'note');
      const { value: record } = unwrap(verifyRecord(answer, { genesis, key: 'note' }));
      assert.deepEqual([record?.value, record?.owner, record?.version], [utf8('b'), alice, 2]);
      for (const [key, hasEntry] of [
        ['no such', false] as const,
        ['gone', true] as const,
        ['shop/no', false] as const,
      ]) {
        const other = recordIn(engine, key);
        assert.equal(other.answer.entry !== null, hasEntry, key);
        assert.equal(unwrap(verifyRecord(other.answer, { genesis, key })).value, undefined, key);
      }
    }
  });

  test('is proven no more when anything of it is another, nor under another key', () => {
    for (const key of ['note', 'no such', 'gone', 'shop/no']) {
      const { answer, genesis } = recordIn('pbft', key);
      for (const { json, where } of changesOf(covered(answer), '', 5)) {
        const verdict = verifyRecord(json, { genesis, key });
        assert.ok(verdict instanceof Problem, `${key}: ${where}`);
        assert.match(verdict.code, /^proof\//, where);
      }
      for (const other of ['note', 'no such', 'gone', 'shop/no', 'shop'].filter((one) => one !== key)) {
        const verdict = verifyRecord(answer, { genesis, key: other });
        assert.ok(verdict instanceof Problem && verdict.code === 'proof/state', `${key} as ${other}`);
      }
    }
  });

  test('is not proven by an account that has the same bytes, nor the other way round', () => {
    const { answer, genesis } = accountIn('pbft', alice);
    assert.ok(verifyRecord(answer, { genesis, key: 'note' }) instanceof Problem);
    assert.ok(verifyAccount(recordIn('pbft', 'note').answer, { genesis, account: alice }) instanceof Problem);
  });
});

describe('a reservation and a namespace', () => {
  const genesis = genesisOf('pbft');
  const reservationIn = (id: ReservationId) => stateProofOf(genesis, reservationReading, id).answer;
  const namespaceIn = (name: string) => stateProofOf(genesis, namespaceReading, name).answer;
  const made = { sender: alice, nonce: 9, operation: 0 };

  test('are proven to be there, and not to be', () => {
    const held = unwrap(verifyReservation(reservationIn(made), { genesis, reservation: made }));
    assert.deepEqual(
      [held.value?.amount, held.value?.recipient, held.value?.fate],
      [30n, bob, { type: 'held' }],
    );
    const none = { ...made, operation: 1 };
    assert.equal(
      unwrap(verifyReservation(reservationIn(none), { genesis, reservation: none })).value,
      undefined,
    );
    const shop = unwrap(verifyNamespace(namespaceIn('shop'), { genesis, name: 'shop' }));
    assert.deepEqual([shop.value?.owner, shop.value?.mode, shop.value?.entries], [alice, 'open', 1]);
    assert.equal(unwrap(verifyNamespace(namespaceIn('shed'), { genesis, name: 'shed' })).value, undefined);
    const { value } = unwrap(
      verifyRecord(recordIn('pbft', 'shop/price').answer, { genesis, key: 'shop/price' }),
    );
    assert.deepEqual(value?.value, utf8('9'), 'in the tree of its namespace');
  });

  test('are proven no more when anything of them is another, nor under another name', () => {
    const codeOf = (verdict: object) => (verdict instanceof Problem ? verdict.code : 'proven');
    for (const name of ['shop', 'shed']) {
      for (const { json, where } of changesOf(covered(namespaceIn(name)), '', 5)) {
        assert.match(codeOf(verifyNamespace(json, { genesis, name })), /^proof\//, where);
      }
    }
    for (const operation of [0, 1]) {
      const reservation = { ...made, operation };
      for (const { json, where } of changesOf(covered(reservationIn(reservation)), '', 5)) {
        assert.match(codeOf(verifyReservation(json, { genesis, reservation })), /^proof\//, where);
      }
    }
    assert.equal(codeOf(verifyNamespace(namespaceIn('shop'), { genesis, name: 'shed' })), 'proof/state');
    assert.equal(codeOf(verifyNamespace(namespaceIn('shed'), { genesis, name: 'shop' })), 'proof/state');
    const other = { ...made, nonce: 8 };
    assert.equal(
      codeOf(verifyReservation(reservationIn(made), { genesis, reservation: other })),
      'proof/state',
    );
  });
});
