import { readFileSync } from 'node:fs';
import { Problem } from '../base/problem.ts';

/** Where the password of a key comes from: a file, then the environment, then the person at the terminal. */
export async function readPassword(options: {
  readonly passwordFile?: string | undefined;
  /** What the password is for, as the question says it. */
  readonly purpose: string;
  /** Ask twice: for a password that is being chosen. */
  readonly confirm?: boolean;
}): Promise<string> {
  const { passwordFile, purpose, confirm = false } = options;
  if (passwordFile !== undefined) return fromFile(passwordFile);
  const fromEnvironment = process.env['QUORATE_PASSWORD'];
  if (fromEnvironment !== undefined) return notEmpty(fromEnvironment, 'QUORATE_PASSWORD');
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new Problem('cli/password-missing', `a password is needed ${purpose}, and there is nobody to ask`, {
      remedy: 'Set QUORATE_PASSWORD, or give --password-file FILE.',
    });
  }
  // Quiet from before the first question to after the last: what is typed ahead must not be seen either.
  process.stdin.setRawMode(true);
  process.stdin.setEncoding('utf8');
  try {
    const password = notEmpty(await ask(`Password ${purpose}: `), 'what you typed');
    if (confirm && (await ask('The same again: ')) !== password) {
      throw new Problem('cli/password-mismatch', 'the two passwords differ', { remedy: 'Try again.' });
    }
    return password;
  } finally {
    process.stdin.setRawMode(false);
  }
}

function fromFile(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Problem('cli/password-file', `the password file ${file} cannot be read`, {
      remedy: 'Check --password-file: it names a file that holds the password on its first line.',
      cause,
    });
  }
  return notEmpty(text.split(/\r?\n/, 1)[0] ?? '', file);
}

function notEmpty(password: string, source: string): string {
  if (password !== '') return password;
  throw new Problem('cli/password-missing', `${source} holds an empty password`, {
    remedy: 'Choose a password of at least one character.',
  });
}

const interrupt = '\u0003';
const endOfText = '\u0004';
const backspaces = new Set(['\b', '\u007f']);

/** Asks on standard error and shows nothing of what is typed. The terminal is raw already. */
function ask(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  return new Promise((resolve, reject) => {
    let typed = '';
    const end = (rest: string, settle: () => void): void => {
      stdin.off('data', onData);
      stdin.pause();
      if (rest !== '') stdin.unshift(rest);
      stderr.write('\n');
      settle();
    };
    const onData = (chunk: string): void => {
      const characters = Array.from(chunk);
      for (const [index, character] of characters.entries()) {
        if (character === '\r' || character === '\n') {
          return end(characters.slice(index + 1).join(''), () => resolve(typed));
        }
        if (character === interrupt || character === endOfText) {
          const stopped = new Problem('cli/interrupted', 'stopped at the password', {
            remedy: 'Start again.',
          });
          return end('', () => reject(stopped));
        }
        typed = backspaces.has(character) ? typed.slice(0, -1) : typed + character;
      }
    };
    stdin.on('data', onData);
    stdin.resume();
  });
}
