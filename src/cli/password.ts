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
  const password = notEmpty(await ask(`Password ${purpose}: `), 'what you typed');
  if (confirm && (await ask('The same again: ')) !== password) {
    throw new Problem('cli/password-mismatch', 'the two passwords differ', { remedy: 'Try again.' });
  }
  return password;
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

/** Asks on standard error and shows nothing of what is typed. */
function ask(question: string): Promise<string> {
  const { stdin, stderr } = process;
  // The question comes last: whoever answers it at once must not see the answer.
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.resume();
  stderr.write(question);
  return new Promise((resolve, reject) => {
    let typed = '';
    const end = (settle: () => void): void => {
      stdin.off('data', onData);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
      settle();
    };
    const onData = (chunk: string): void => {
      for (const character of chunk) {
        if (character === '\r' || character === '\n') return end(() => resolve(typed));
        if (character === interrupt || character === endOfText) {
          return end(() =>
            reject(new Problem('cli/interrupted', 'stopped at the password', { remedy: 'Start again.' })),
          );
        }
        typed = backspaces.has(character) ? typed.slice(0, -1) : typed + character;
      }
    };
    stdin.on('data', onData);
  });
}
