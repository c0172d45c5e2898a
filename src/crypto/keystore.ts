import { limits } from '../base/limits.ts';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { scrypt } from '@noble/hashes/scrypt.js';
import { randomBytes } from '@noble/hashes/utils.js';
import { fromHex, parseHex, toHex, utf8 } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import { Problem } from '../base/problem.ts';
import { parseStrictJson } from '../base/strict-json.ts';
import { encodeAddress } from './address.ts';
import { type KeyPair, keyPairFromSeed, seedBytes } from './keys.ts';
import type { PublicKey } from './signature.ts';

/** Work of scrypt (RFC 7914): memory is 128 * n * r bytes. */
interface ScryptCost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** 64 MiB and about a third of a second per guess on this project's kind of machine. */
export const defaultCost: ScryptCost = { n: 2 ** 16, r: 8, p: 1 };
/** What a file may ask for: a crafted one must not hang the program or exhaust its memory (1 GiB). */
const maxCost = { n: 2 ** 20, r: 8, p: 4 } as const;

/** What a key file tells without its password. */
export interface KeyFile {
  readonly name: string;
  readonly publicKey: PublicKey;
  /**
   * A plain file holds the secret key as it is: for development keys, and for machines that
   * guard the file otherwise.
   */
  readonly kind: 'encrypted' | 'plain';
}

interface EncryptedPart {
  readonly salt: string;
  readonly cost: ScryptCost;
  readonly nonce: string;
  readonly ciphertext: string;
}

type ParsedKeyFile =
  | (KeyFile & { readonly kind: 'encrypted'; readonly secret: EncryptedPart })
  | (KeyFile & { readonly kind: 'plain'; readonly secretKey: string });

/**
 * The text of a key file: the secret key under a password (scrypt, then XChaCha20-Poly1305, which also
 * authenticates everything else in the file). Without a password the file is plain, and says so. Takes
 * about a third of a second.
 */
export function encryptKey(
  keyPair: KeyPair,
  password: string | undefined,
  options: { readonly name: string; readonly cost?: ScryptCost },
): string {
  const { name } = options;
  invariant(isName(name), `a key's name is 1 to ${limits.keyNameBytes} bytes of printable text`);
  const head = { format: 'quorate-key', version: 1, name, publicKey: keyPair.publicKey };
  const address = encodeAddress(keyPair.publicKey);
  if (password === undefined) {
    const warning = 'Not encrypted: whoever reads this file has the key.';
    return render({ ...head, address, kind: 'plain', warning, secretKey: toHex(keyPair.secretKey) });
  }
  invariant(password.length > 0, 'a password is not empty');
  const cost = options.cost ?? defaultCost;
  const salt = randomBytes(32);
  const nonce = randomBytes(24);
  const file: KeyFile = { name, publicKey: keyPair.publicKey, kind: 'encrypted' };
  const cipher = xchacha20poly1305(stretch(password, salt, cost), nonce, authenticated(file));
  return render({
    ...head,
    address,
    kind: 'encrypted',
    kdf: { name: 'scrypt', salt: toHex(salt), ...cost },
    cipher: {
      name: 'xchacha20-poly1305',
      nonce: toHex(nonce),
      ciphertext: toHex(cipher.encrypt(keyPair.secretKey)),
    },
  });
}

/**
 * The key pair of a key file's text, or a problem: `keys/malformed`,
 * `keys/password-needed`, `keys/wrong-password`.
 */
export function decryptKey(fileText: string, password: string | undefined): KeyPair | Problem {
  const file = parse(fileText);
  if (file instanceof Problem) return file;
  const secretKey = file.kind === 'plain' ? fromHex(file.secretKey) : open(file, password);
  if (secretKey instanceof Problem) return secretKey;
  const keyPair = keyPairFromSeed(secretKey);
  if (keyPair.publicKey !== file.publicKey) return malformed('its secret key is not that of its public key');
  return keyPair;
}

/** What a key file tells without its password, or the problem `keys/malformed`. */
export function readKeyFile(fileText: string): KeyFile | Problem {
  const file = parse(fileText);
  if (file instanceof Problem) return file;
  return { name: file.name, publicKey: file.publicKey, kind: file.kind };
}

function open(file: KeyFile & { secret: EncryptedPart }, password: string | undefined): Uint8Array | Problem {
  if (password === undefined || password === '') {
    return new Problem('keys/password-needed', `the key "${file.name}" is encrypted`, {
      remedy: 'Give its password (quorate: QUORATE_PASSWORD, or --password-file FILE).',
      details: { name: file.name },
    });
  }
  const { salt, cost, nonce, ciphertext } = file.secret;
  const key = stretch(password, fromHex(salt), cost);
  try {
    return xchacha20poly1305(key, fromHex(nonce), authenticated(file)).decrypt(fromHex(ciphertext));
  } catch (cause) {
    return new Problem('keys/wrong-password', `the password does not open the key "${file.name}"`, {
      remedy: 'Check the password, and that nobody edited the key file.',
      details: { name: file.name },
      cause,
    });
  }
}

function stretch(password: string, salt: Uint8Array, cost: ScryptCost): Uint8Array {
  // One password must give one key on every keyboard and system.
  return scrypt(utf8(password.normalize('NFKC')), salt, {
    N: cost.n,
    r: cost.r,
    p: cost.p,
    dkLen: 32,
    maxmem: 2 ** 31,
  });
}

/** What the password also protects: nobody can rename a key file or swap its public key. */
function authenticated(file: KeyFile): Uint8Array {
  return utf8(JSON.stringify(['quorate-key', 1, file.kind, file.name, file.publicKey]));
}

function render(file: object): string {
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

function parse(text: string): ParsedKeyFile | Problem {
  if (text.length > limits.keyFileBytes) return malformed('it is too long');
  let value: unknown;
  try {
    value = parseStrictJson(text);
  } catch (cause) {
    // V8's own words would quote the file, and a secret may stand in it.
    const isOurs = cause instanceof SyntaxError && /^(the name|it starts)/.test(cause.message);
    return malformed(isOurs ? cause.message : 'it is not JSON');
  }
  const file = fieldsOf(value);
  if (file['format'] !== 'quorate-key') return malformed('its "format" is not "quorate-key"');
  if (file['version'] !== 1) return malformed('its "version" is not 1');
  const name = file['name'];
  if (typeof name !== 'string' || !isName(name)) return malformed('its "name" is missing or not printable');
  if (!isHex(file['publicKey'], 32)) return malformed('its "publicKey" is not 32 bytes of hex');
  const publicKey = file['publicKey'] as PublicKey;
  if (file['address'] !== encodeAddress(publicKey)) {
    return malformed('its "address" is not that of its "publicKey"');
  }
  if (file['kind'] === 'plain') {
    if (!isHex(file['secretKey'], seedBytes)) return malformed('its "secretKey" is not 32 bytes of hex');
    return { name, publicKey, kind: 'plain', secretKey: file['secretKey'] };
  }
  if (file['kind'] !== 'encrypted') return malformed('its "kind" is not "encrypted" or "plain"');
  const secret = parseSecret(fieldsOf(file['kdf']), fieldsOf(file['cipher']));
  return secret instanceof Problem ? secret : { name, publicKey, kind: 'encrypted', secret };
}

function parseSecret(kdf: Record<string, unknown>, cipher: Record<string, unknown>): EncryptedPart | Problem {
  const { salt, n, r, p } = kdf;
  const { nonce, ciphertext } = cipher;
  if (kdf['name'] !== 'scrypt') return malformed('its "kdf" is not scrypt');
  if (cipher['name'] !== 'xchacha20-poly1305') return malformed('its "cipher" is not xchacha20-poly1305');
  if (!isHex(salt, 32)) return malformed('its salt is not 32 bytes of hex');
  if (!isHex(nonce, 24)) return malformed('its nonce is not 24 bytes of hex');
  if (!isHex(ciphertext, seedBytes + 16)) return malformed('its ciphertext is not 48 bytes of hex');
  const isPower = typeof n === 'number' && Number.isInteger(Math.log2(n));
  if (!isPower || n < 2 || n > maxCost.n || !isCount(r, maxCost.r) || !isCount(p, maxCost.p)) {
    return malformed('its scrypt cost is out of bounds');
  }
  return { salt, cost: { n, r, p }, nonce, ciphertext };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isHex(value: unknown, length: number): value is string {
  return typeof value === 'string' && !(parseHex(value, length, 'field') instanceof Problem);
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max;
}

function isName(name: string): boolean {
  return name.length > 0 && utf8(name).length <= limits.keyNameBytes && !/[\p{C}]/u.test(name);
}

function malformed(why: string): Problem {
  return new Problem('keys/malformed', `this is not a key file: ${why}`, {
    remedy: 'Take the file as it was made, or its backup: no part of it may be changed.',
    details: { why },
  });
}
