import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { comparable, Hashes, sessionsOf, withOutputs } from '../../scripts/sessions/page.ts';

const page = `# Page

## First

<!-- testnet --engine raft, loose -->
<!-- file order.json -->

\`\`\`
{ "a": 1 }
\`\`\`

<!-- background quorate start -->

\`\`\`
$ quorate one \\
    --more
printed

by it
$ quorate two
\`\`\`

<!-- until quorate three -->

## Second

<!-- testnet -->
<!-- run quorate four -->

\`\`\`
no command
\`\`\`
`;

suite('the page of sessions', () => {
  test('is read as sessions: networks, files, commands with their output, and what is not shown', () => {
    const [first, second] = sessionsOf(page);
    assert.deepEqual(first, {
      title: 'First',
      testnet: '--engine raft',
      loose: true,
      steps: [
        { type: 'file', name: 'order.json', text: '{ "a": 1 }\n' },
        { type: 'background', command: 'quorate start' },
        { type: 'shown', command: 'quorate one \\\n    --more', from: 16, to: 19 },
        { type: 'shown', command: 'quorate two', from: 20, to: 20 },
        { type: 'until', command: 'quorate three' },
      ],
    });
    assert.deepEqual(second, {
      title: 'Second',
      testnet: '',
      loose: false,
      steps: [{ type: 'hidden', command: 'quorate four' }],
    });
  });

  test('gets new outputs in the place of the old ones', () => {
    const shown = (text: string) =>
      sessionsOf(text).flatMap(({ steps }) => steps.filter((step) => step.type === 'shown'));
    const [one, two] = shown(page);
    assert.ok(one !== undefined && two !== undefined);
    const written = withOutputs(
      page,
      new Map([
        [one, 'other'],
        [two, 'this\nand that'],
      ]),
    );
    assert.match(written, /--more\nother\n\$ quorate two\nthis\nand that\n```/);
    assert.deepEqual(
      shown(written).map(({ command }) => command),
      [one.command, two.command],
    );
  });

  test('differs in words and numbers; in a loose session hashes, heights and addresses may be others', () => {
    const said = (hash: string, height: number, time: string) =>
      `${hash} is final at height ${height}, ${time} UTC`;
    const then = said('ab'.repeat(32), 7, '2026-11-29 01:02:27');
    const later = said('ab'.repeat(32), 7, '2027-01-02 03:04:05');
    const other = said('cd'.repeat(32), 19, '2026-11-29 01:02:27');
    assert.equal(comparable(then, { loose: false }), comparable(later, { loose: false }));
    assert.notEqual(comparable(then, { loose: false }), comparable(other, { loose: false }));
    assert.equal(comparable(then, { loose: true }), comparable(other, { loose: true }));
    assert.notEqual(comparable(`${then}!`, { loose: true }), comparable(other, { loose: true }));
  });

  test('names in a command what this run printed, where the page has what another one did', () => {
    const hashes = new Hashes();
    hashes.note(`Proposal ${'ab'.repeat(32)} is open`, `Proposal ${'cd'.repeat(32)} is open`);
    assert.equal(hashes.in(`approve ${'ab'.repeat(6)} --from me`), `approve ${'cd'.repeat(6)} --from me`);
    assert.equal(hashes.in(`approve ${'ef'.repeat(6)}`), `approve ${'ef'.repeat(6)}`);
  });

  test('shows all that a chain can do, each on a network of its own', () => {
    const real = sessionsOf(readFileSync(new URL('../../scripts/sessions.md', import.meta.url), 'utf8'));
    assert.ok(real.length > 8);
    for (const { title, steps } of real) {
      assert.ok(
        steps.some(({ type }) => type === 'shown'),
        title,
      );
    }
  });
});
