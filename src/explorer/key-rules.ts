import { Problem } from '../base/problem.ts';
import type { KeyFile } from '../crypto/keystore.ts';

/** A password is all that guards a key in a browser: whoever has the browser can try as many as they like. */
const shortestPassword = 10;

/** Why a page does not make a key of this name; undefined when it does. */
export function checkNewKey(
  name: string,
  password: string,
  taken: readonly Pick<KeyFile, 'name'>[],
): Problem | undefined {
  const bytes = new TextEncoder().encode(name).length;
  if (!/^[\p{L}\p{N}._ -]+$/u.test(name) || bytes > 64) {
    return notKept('a key needs a name of 1 to 64 bytes, of letters, digits, ".", "_", "-" and spaces');
  }
  if (password.length < shortestPassword) {
    return notKept(`a password has ${shortestPassword} characters at least: it is all that guards the key`);
  }
  return isTaken(name, taken);
}

/** Why a page does not keep this key file; undefined when it does. */
export function checkKeyFile(
  { name, kind }: KeyFile,
  taken: readonly Pick<KeyFile, 'name'>[],
): Problem | undefined {
  return kind === 'plain' ? notKept(`the key file of "${name}" is not encrypted`) : isTaken(name, taken);
}

function isTaken(name: string, taken: readonly Pick<KeyFile, 'name'>[]): Problem | undefined {
  return taken.some((key) => key.name === name)
    ? notKept(`there is a key with the name "${name}" already`)
    : undefined;
}

function notKept(why: string): Problem {
  return new Problem('keys/not-kept', why, {
    remedy: 'Choose another name or a longer password. "quorate keys password FILE" encrypts a key file.',
    details: {},
  });
}
