import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StateReadingJson } from '../../src/api/schemas.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { type KeptProof, type VerifiedProof, verifyKeptProof } from '../../src/client/kept-proof.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { reservationText } from '../../src/ledger/reservation-id.ts';
import { pageReading } from '../../src/ledger/page-reading.ts';
import {
  accountReading,
  namespaceReading,
  recordReading,
  reservationReading,
  type StateKind,
} from '../../src/ledger/state-reading.ts';
import { changesOf } from './json-changes.ts';
import { genesisOf, proofOf, stateProofOf } from './proof-samples.ts';

const alice = developmentKeyPair('alice').publicKey;
const genesis = genesisOf('pbft');
const held = { sender: alice, nonce: 9, operation: 0 };
const page = { namespace: 'shop', after: undefined };

type Sample = Omit<KeptProof, 'answers'> & { readonly answers: readonly StateReadingJson[] };

/** As a command writes it: an answer, and of what. */
function kept<Name>(
  proves: KeptProof['proves'],
  name: string,
  [kind, of]: readonly [StateKind<Name, unknown>, Name],
  transactions: readonly unknown[] = [],
): Sample {
  const answer = stateProofOf(genesis, kind, of).answer;
  return { proves, name, answers: [answer], transactions, epochs: [] };
}

const made = [2, 1].map((at) => proofOf(genesis, 1, at).json);
const samples: readonly Sample[] = [
  kept('account', encodeAddress(alice), [accountReading, alice]),
  kept('record', 'note', [recordReading, 'note']),
  kept('record', 'gone', [recordReading, 'gone']),
  kept('reservation', reservationText(held), [reservationReading, held]),
  kept('namespace', 'shop', [namespaceReading, 'shop']),
  kept('namespace', 'shed', [namespaceReading, 'shed']),
  kept('records', 'shop', [pageReading, page]),
  kept('history', 'note', [recordReading, 'note'], made),
  kept('history', 'never', [recordReading, 'never']),
];

const verified = async (json: unknown) => verifyKeptProof(json, { genesis });
/** What somebody is shown: all of it but the words of the steps. */
const shown = ({ proves, name, value, header }: VerifiedProof) => ({ proves, name, value, header });

describe('a kept proof', () => {
  test('says what it is about, and what there was of it', async () => {
    const found = await Promise.all(samples.map(async (sample) => unwrap(await verified(sample))));
    assert.deepEqual(
      found.map(({ proves }) => proves),
      samples.map(({ proves }) => proves),
    );
    const [account, note, gone, reservation, shop, shed, records, history, never] = found;
    assert.ok(account?.proves === 'account' && account.name === alice && account.value.balance === 945n);
    assert.ok(note?.proves === 'record' && note.name === 'note' && note.value?.version === 2);
    assert.equal(gone?.value, undefined);
    assert.ok(reservation?.proves === 'reservation' && reservation.value?.amount === 30n);
    assert.ok(shop?.proves === 'namespace' && shop.value?.mode === 'open');
    assert.equal(shed?.value, undefined);
    assert.ok(records?.proves === 'records');
    assert.deepEqual(
      records.value.map(({ key }) => key),
      ['shop/price'],
    );
    assert.ok(history?.proves === 'history' && history.value.older === 0);
    assert.deepEqual(
      history.value.versions.map(({ version }) => version),
      [2, 1],
    );
    assert.deepEqual(never?.value, { versions: [], older: 0 });
    for (const { header, steps } of found) {
      assert.equal(header.height, 1);
      assert.deepEqual(
        steps.map(({ check }) => check),
        ['state', 'headers', 'certificate'],
      );
    }
  });

  test('of which anything is changed shows the same, or nothing', async () => {
    for (const sample of samples) {
      const said = unwrap(await verified(sample));
      let refused = 0;
      let changed = 0;
      let at = 0;
      for (const { json, where } of changesOf(sample, sample.proves, 100)) {
        // The checks of each part have tests of their own that leave nothing out.
        if (at++ % 5 !== 0) continue;
        const found = await verified(json);
        changed += 1;
        if (found instanceof Problem) {
          assert.match(found.code, /^proof\//, where);
          refused += 1;
        } else if (
          said.proves === 'history' &&
          found.proves === 'history' &&
          said.value.versions.length > 0
        ) {
          // Without the last ones it says how many there were before those that it shows.
          const { versions, older } = found.value;
          assert.equal(versions.length + older, said.value.versions.length + said.value.older, where);
          assert.deepEqual(versions, said.value.versions.slice(0, versions.length), where);
        } else {
          // Where nothing is, there may be nothing of another name either.
          const isOther = found.name !== said.name && sample.answers[0]?.entry === null;
          assert.deepEqual({ ...shown(found), ...(isOther && { name: said.name }) }, shown(said), where);
        }
      }
      assert.ok(refused > changed / 2, `${sample.proves}: ${refused} of ${changed}`);
    }
  });

  test('of one thing does not pass for that of another', async () => {
    const [, note, gone, , shop, , records] = samples;
    assert.ok(note !== undefined && gone !== undefined && shop !== undefined && records !== undefined);
    for (const [one, code] of [
      [{ ...note, name: 'gone' }, 'proof/state'],
      [{ ...gone, name: 'shed' }, 'proof/state'],
      [{ ...note, proves: 'account' }, 'proof/malformed'],
      [{ ...note, proves: 'namespace' }, 'proof/state'],
      [{ ...shop, proves: 'record' }, 'proof/state'],
      [{ ...note, proves: 'chain' }, 'proof/malformed'],
      [{ ...note, name: 7 }, 'proof/malformed'],
      [{ ...note, answers: [] }, 'proof/malformed'],
      [{ ...records, answers: [] }, 'proof/malformed'],
      [{ ...note, answers: [...note.answers, ...note.answers] }, 'proof/malformed'],
      [{ ...note, answers: note.answers[0] }, 'proof/malformed'],
      [null, 'proof/malformed'],
      ['note', 'proof/malformed'],
    ] as const) {
      const found = await verified(one);
      assert.ok(found instanceof Problem, JSON.stringify(one).slice(0, 80));
      assert.equal(found.code, code, JSON.stringify(one).slice(0, 80));
    }
    const elsewhere = await verifyKeptProof(note, { genesis: genesisOf('pbft', 'another') });
    assert.ok(elsewhere instanceof Problem);
  });
});
