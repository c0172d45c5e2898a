import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { limits } from '../base/limits.ts';
import type { ListOptions } from '../client/http-client.ts';
import { grouped } from '../client/plain-words.ts';
import { wholeNumber } from './options.ts';

const oldestOption = new Option('--oldest', 'the oldest first, not the newest');
const limitOption = new Option('--limit <n>', `at most this many (${limits.httpPage} at once)`)
  .default(limits.httpListPage)
  .argParser(wholeNumber(1, limits.httpPage));
const cursorOption = new Option('--cursor <text>', 'go on where the page before ended, as it said').argParser(
  (text) => {
    if (/^[0-9a-f]{40}$/.test(text)) return text;
    throw new InvalidArgumentError('Give the 40 hex digits that the page before ended with.');
  },
);

/** The options of a command that shows a page of a list. */
export function withPage(command: Command) {
  return command.addOption(oldestOption).addOption(limitOption).addOption(cursorOption);
}

interface PageOptions {
  readonly oldest?: true | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export function pageOf({ oldest, limit, cursor }: PageOptions): ListOptions {
  return { order: oldest === true ? 'oldest' : 'newest', limit, ...(cursor !== undefined && { cursor }) };
}

/** What a page is of, and how to see the next one. */
export function pageFooter(page: {
  readonly height: number;
  readonly completeFrom: number;
  readonly next: string | null;
}): string {
  const { height, completeFrom, next } = page;
  const basis = `read at height ${grouped(height)}, complete from height ${grouped(completeFrom)} on`;
  return next === null ? basis : `${basis}; more with --cursor ${next}`;
}
