import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { ProgressLine, whileWaiting } from '../../src/cli/progress.ts';
import { print, printError, showLine } from '../../src/cli/terminal.ts';

/** What is written, where standard error is a terminal of so many columns. */
function terminal(t: TestContext, columns: number): string[] {
  const written: string[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    t.mock.method(stream, 'write', (text: string) => written.push(text) > 0);
  }
  for (const [name, value] of Object.entries({ isTTY: true, columns })) {
    const before = Object.getOwnPropertyDescriptor(process.stderr, name);
    Object.defineProperty(process.stderr, name, { value, configurable: true });
    t.after(() => {
      if (before === undefined) Reflect.deleteProperty(process.stderr, name);
      else Object.defineProperty(process.stderr, name, before);
    });
  }
  return written;
}

const erase = '\r\u001b[2K';

const dim = (text: string): string => `\u001b[2m${text}\u001b[22m`;

test('a line that shows how far it is fits into a narrow terminal, with its colours where it fits', (t) => {
  for (const [columns, shown] of [
    [20, 'waiting until it is'],
    [25, 'waiting until it is fina'],
    [26, dim('waiting until it is final')],
    // A terminal that nobody gave a size.
    [0, dim('waiting until it is final')],
  ] as const) {
    const written = terminal(t, columns);
    showLine(dim('waiting until it is final'));
    assert.equal(written.pop(), erase + shown, `${columns} columns`);
    t.mock.restoreAll();
  }
});

test('whatever is printed takes the place of such a line', async (t) => {
  const written = terminal(t, 80);
  for (const say of [print, printError]) {
    const progress = new ProgressLine();
    progress.show('1 of 2');
    say('stopped');
    progress.end();
    assert.deepEqual(written.splice(0), [`${erase}1 of 2`, erase, 'stopped\n']);
  }
  await whileWaiting('waiting', async () => print('done'));
  assert.deepEqual(written, ['done\n'], 'nothing is erased where nothing was shown');
});
