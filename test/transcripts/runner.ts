import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { test } from 'node:test';

/**
 * Transcripts: text files that a person can read as a story, and that a test plays. Prose stands on lines that start with `#`; a
 * line that starts with `> ` is a command; what it printed stands below it. A test fails when a command prints anything
 * else. `npm run transcripts` writes what is printed now: read the difference before you commit it.
 */
export type Command = (words: readonly string[]) => readonly string[];

/** One test for each transcript in a folder. `begin` makes the world of one transcript and answers its commands. */
export function playTranscripts(folder: URL, begin: () => Command): void {
  const path = fileURLToPath(folder);
  const files = readdirSync(path).filter((file) => file.endsWith('.txt'));
  assert.ok(files.length > 0, `there are transcripts in ${path}`);
  for (const file of files.sort()) {
    const written = readFileSync(join(path, file), 'utf8');
    test(`${file.replace('.txt', '')}: ${title(written)}`, () => {
      const played = play(written, begin());
      if (process.env['QUORATE_REWRITE'] === '1') writeFileSync(join(path, file), played);
      else assert.equal(played, written, `${file} no longer says what happens; see npm run transcripts`);
    });
  }
}

function title(text: string): string {
  return text.split('\n')[0]?.replace(/^#\s*/, '') ?? '';
}

function play(text: string, command: Command): string {
  const lines: string[] = [];
  let afterCommand = false;
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('> ')) {
      lines.push(line, ...command(line.slice(2).trim().split(/\s+/)));
      afterCommand = true;
    } else if (line.startsWith('#') || (line === '' && !afterCommand)) {
      lines.push(line);
      afterCommand = false;
    } else if (line === '') {
      lines.push('');
      afterCommand = false;
    }
  }
  return `${lines.join('\n')}\n`;
}
