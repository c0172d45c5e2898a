import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { strictText, wholeText } from '../base/strict-text.ts';
import { TypedLine } from './typed-line.ts';
import { readOptionFile } from './input-file.ts';

/** Where the password of a key comes from: a file, then the environment, then the person at the terminal. */
export async function readPassword(options: {
  readonly passwordFile?: string | undefined;
  /** Which variable of the environment holds it; QUORATE_PASSWORD unless told. */
  readonly variable?: 'QUORATE_PASSWORD' | 'QUORATE_NEW_PASSWORD';
  /** What the password is for, as the question says it. */
  readonly purpose: string;
  /** Ask twice: for a password that is being chosen. */
  readonly confirm?: boolean;
}): Promise<string> {
  const { passwordFile, purpose, confirm = false, variable = 'QUORATE_PASSWORD' } = options;
  const option = variable === 'QUORATE_PASSWORD' ? '--password-file' : '--new-password-file';
  if (passwordFile !== undefined) return await fromFile(passwordFile, option);
  const fromEnvironment = process.env[variable];
  if (fromEnvironment !== undefined) return onlyLine(fromEnvironment, variable);
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new Problem('cli/password-missing', `a password is needed ${purpose}, and there is nobody to ask`, {
      remedy:
        variable === 'QUORATE_PASSWORD'
          ? 'Set QUORATE_PASSWORD, or give --password-file FILE.'
          : 'Set QUORATE_NEW_PASSWORD, or give --new-password-file FILE.',
    });
  }
  // Quiet from before the first question to after the last: what is typed ahead must not be seen either.
  process.stdin.setRawMode(true);
  process.stdin.setEncoding('utf8');
  try {
    const password = onlyLine(await ask(`Password ${purpose}: `), 'what you typed');
    if (confirm && (await ask('The same again: ')) !== password) {
      throw new Problem('cli/password-mismatch', 'the two passwords differ', { remedy: 'Try again.' });
    }
    return password;
  } finally {
    process.stdin.setRawMode(false);
  }
}

async function fromFile(file: string, option: string): Promise<string> {
  const bytes = await readOptionFile(file, limits.secretFileBytes, option, 'cli/password-file');
  const read = strictText(bytes);
  if ('fault' in read) throw notText(file, read.fault);
  return onlyLine(read.text, file);
}

/**
 * The password that a text is, without the line's end. Whatever would not come back whole, or could
 * be another password as well, is refused: a key could then be made that its password does not
 * open, or that another opens.
 */
function onlyLine(text: string, source: string): string {
  const password = text.replace(/^\ufeff/, '').replace(/\r?\n$/, '');
  if (password === '') {
    throw new Problem('cli/password-missing', `${source} holds an empty password`, {
      remedy: 'Choose a password of at least one character.',
    });
  }
  const whole = wholeText(password);
  if ('fault' in whole) throw notText(source, whole.fault);
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(password)) {
    throw new Problem('cli/password-text', `${source} holds more than one line, or control characters`, {
      remedy: 'A password is one line of text. Random bytes are best written in hex or base64 first.',
    });
  }
  return password;
}

function notText(source: string, fault: string): Problem {
  return new Problem('cli/password-text', `${source} is not UTF-8 text: ${fault}`, {
    remedy:
      'Write it as UTF-8: another encoding makes other passwords of the same letters. Random bytes are best written in hex or base64 first.',
  });
}

const interrupt = '\u0003';
const endOfText = '\u0004';

/** Asks on standard error and shows nothing of what is typed. The terminal is raw already. */
function ask(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  return new Promise((resolve, reject) => {
    const typed = new TypedLine();
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
          return end(characters.slice(index + 1).join(''), () => resolve(typed.text));
        }
        if (character === interrupt || character === endOfText) {
          const stopped = new Problem('cli/interrupted', 'stopped at the password', {
            remedy: 'Start again.',
          });
          return end('', () => reject(stopped));
        }
        typed.type(character);
      }
    };
    stdin.on('data', onData);
    stdin.resume();
  });
}
