import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../src/base/bytes.ts';
import type { FoundAnswer, ReceiptAnswer } from '../../src/client/answers.ts';
import { failureText, grouped, moment, timeOfDay, valueText } from '../../src/client/plain-words.ts';

test('a moment is shown as people write it, and as a number where no calendar reaches', () => {
  assert.equal(moment(1_767_225_600_123), '2026-01-01 00:00:00.123 UTC');
  assert.equal(timeOfDay(1_767_225_600_123), '00:00:00.123 UTC');
  // The latest that a header can name.
  assert.equal(moment(2 ** 48 - 1), '+010889-08-02 05:31:50.655 UTC');
  assert.equal(timeOfDay(2 ** 48 - 1), '05:31:50.655 UTC');
  for (const absurd of [1e300, -1e300, 8.64e15 + 1, Number.NaN]) {
    assert.equal(moment(absurd), `${absurd} ms`);
    assert.equal(timeOfDay(absurd), `${absurd} ms`);
  }
});

test('a value is shown as text only where that is all of it, and as what it is', () => {
  for (const [bytes, text, kind] of [
    [utf8('plain 😀\u200d'), 'plain 😀\u200d', 'text'],
    [utf8('<b>'), '<b>', 'text'],
    [new Uint8Array(), '(empty)', 'empty'],
    [utf8('a\u202eb'), '0x61e280ae62', 'hex'],
    [utf8('a\nb'), '0x610a62', 'hex'],
    [utf8('\ufeffa'), '0xefbbbf61', 'hex'],
    [new Uint8Array([0xff, 0x61]), '0xff61', 'hex'],
  ] as const) {
    assert.deepEqual(valueText(bytes), { text, kind });
  }
});

test('a failure says what failed, why, and what was found, and nothing that a node adds', () => {
  const failed = (found: object | null): string =>
    failureText({
      code: 'condition/record-version',
      failure: { part: 'condition', index: 1, found: found as FoundAnswer | null },
    } as ReceiptAnswer);
  for (const [found, words] of [
    [null, ''],
    [{ type: 'version', version: 0 }, '; found no record'],
    [{ type: 'version', version: 1_234, lie: 'applied' }, '; found version 1,234'],
    [{ type: 'hash', hash: 'ab' }, '; found a value with SHA-256 ab'],
    [{ type: 'balance', balance: '1234567', lie: 'x' }, '; found a balance of 1,234,567'],
    [{ type: 'height', height: 7 }, '; found height 7'],
    [{ type: 'time', time: 1e300 }, '; found the time 1e+300 ms'],
    [{ type: 'reserved', amount: '5' }, '; found 5 reserved'],
    [{ type: '\u202enew', more: 'x' }, '; found what this program does not know (\\u202enew)'],
  ] as const) {
    assert.equal(failed(found), `condition/record-version at condition 1${words}`);
  }
  assert.equal(failureText({ code: 'a\u001bb', failure: null } as unknown as ReceiptAnswer), 'a\ufffdb');
  assert.equal(grouped('18446744073709551615'), '18,446,744,073,709,551,615');
});
