import { stripVTControlCharacters, styleText } from 'node:util';
import { harmless } from '../base/harmless.ts';
import { moment as exactMoment } from '../client/plain-words.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/**
 * Whether a program reads what is printed. Then standard output holds nothing but JSON, one value or one a
 * line, and so does standard error: problems and warnings, one a line. Nobody is told how far it is.
 */
export const forPrograms = isAskedForJson(process.argv);

/** What follows `--` is no option. */
function isAskedForJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end < 0 ? words.length : end).includes('--json');
}

let goOnWithoutOutput = false;

/** For a command that must live on when nobody reads what it prints any more. */
export function surviveClosedOutput(): void {
  goOnWithoutOutput = true;
}

/** The exit code of a command whose answer cannot be written. */
let lostAnswer: ExitCode = exitCodes.problem;

/** What the command asks for may count from here on: a lost answer must not look as if it did not. */
export function mayCountUnseen(): void {
  lostAnswer = exitCodes.timeout;
}

/**
 * A reader that has enough (`quorate block --full | head`) ends a command quietly with what it came to, and
 * is no fault. Where nobody takes what stands on standard error, the exit code still tells. What Node warns
 * of is JSON where a program reads it.
 */
export function watchOutput(): void {
  // Node's own (that NO_COLOR and FORCE_COLOR contradict each other), unless it was told to show none.
  if (forPrograms && process.listenerCount('warning') > 0) {
    process.removeAllListeners('warning').on('warning', ({ message }) => warn(message));
  }
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (goOnWithoutOutput) return;
    if (error.code === 'EPIPE') process.exit();
    const what = `standard output cannot be written: ${error.message}`;
    const remedy = 'What was asked for may be done: look before you run it again.';
    printError(
      forPrograms ? toJson({ warning: `${what}. ${remedy}` }) : `error ${what}\n  what to do  ${remedy}`,
    );
    process.exit(lostAnswer);
  });
}

type Style = Parameters<typeof styleText>[0];

/**
 * Colours where standard output shows them (a terminal, and neither NO_COLOR nor FORCE_COLOR says otherwise).
 */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

export function styledError(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stderr });
}

export function print(text: string): void {
  endLine();
  process.stdout.write(`${text}\n`);
}

/** For what is JSON when a program reads it: `notice` and `warn` see to that themselves. */
export function printError(text: string): void {
  endLine();
  process.stderr.write(`${text}\n`);
}

const eraseLine = '\r\u001b[2K';
let isLineShown = false;

/**
 * Shows a line on standard error, a terminal, until the next one or whatever is printed takes its place. It
 * is cut where the terminal would break it: of two rows only the last could be erased.
 */
export function showLine(text: string): void {
  const { columns } = process.stderr;
  const isLong = columns > 0 && visible(text) >= columns;
  process.stderr.write(eraseLine + (isLong ? stripVTControlCharacters(text).slice(0, columns - 1) : text));
  isLineShown = true;
}

export function endLine(): void {
  if (isLineShown) process.stderr.write(eraseLine);
  isLineShown = false;
}

/** A word on standard error, for people only. */
export function notice(text: string): void {
  if (!forPrograms) printError(text);
}

/** Something that is to be looked at although the command goes on. */
export function warn(text: string): void {
  printError(forPrograms ? toJson({ warning: text }) : styledError('yellow', `warning: ${text}`));
}

/** The answer of a command: one JSON value for programs, or text for people. */
export function answer(json: boolean | undefined, value: unknown, text: () => string): void {
  print(json === true ? toJson(value) : text());
}

/** In characters that do nothing where somebody looks at it: JSON leaves those above U+007E as they are. */
export function toJson(value: unknown): string {
  const json = JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? one.toString() : one));
  return json.replace(/[\u007f-\uffff]/g, (mark) => (harmless(mark) === mark ? mark : escaped(mark)));
}

function escaped(mark: string): string {
  return `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Rows of a name and a value, the values in one column. */
export function facts(rows: readonly (readonly [string, string])[]): string {
  const width = widest(rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${styled('dim', name.padEnd(width))}  ${value}`).join('\n');
}

/** Columns without lines, each as wide as its widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) =>
    Math.max(visible(name), widest(rows.map((row) => visible(row[column] ?? '')))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - visible(cell)))
      .join('  ')
      .trimEnd();
  return [styled('bold', line(head)), ...rows.map(line)].join('\n');
}

/** However many there are: a call takes no more arguments than the stack has room for. */
function widest(widths: readonly number[]): number {
  return widths.reduce((most, one) => Math.max(most, one), 0);
}

function visible(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** A moment to the second. */
export function moment(timestamp: number): string {
  return exactMoment(timestamp).replace(/\.\d+ UTC$/, ' UTC');
}

export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
