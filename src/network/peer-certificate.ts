import { limits } from '../base/limits.ts';
import { X509Certificate } from 'node:crypto';
import { publicKeyFromProtobuf } from '@libp2p/crypto/keys';
import type { PeerId } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { concat, toHex, utf8 } from '../base/bytes.ts';
import { Problem } from '../base/problem.ts';

/** The extension in which a peer's key signs for the certificate's, 1.3.6.1.4.1.53594.1.1. */
const signedKeyId = '2b0601040183a25a0101';
const signedPrefix = utf8('libp2p-tls-handshake:');

const tag = { octets: 0x04, sequence: 0x30, extensions: 0xa3 } as const;

/**
 * Who shows this certificate in a TLS handshake: the peer whose key signed for the certificate's key, by the
 * specification of libp2p (`specs/tls/tls.md`). The library's own check takes 3 ms a certificate, and this
 * one a tenth: any caller can ask for it.
 *
 * The dates in it are not looked at. Whoever holds the key can always write others, so they show nothing; and
 * a node whose clock is an hour behind would be cut off by them, where it should be told what is wrong.
 */
export async function peerOfCertificate(bytes: Uint8Array): Promise<PeerId | Problem> {
  if (bytes.length === 0 || bytes.length > limits.certificateBytes)
    return badCertificate('its size is wrong');
  try {
    const certificate = new X509Certificate(bytes);
    // One more kind of key is one more kind of work that a stranger can ask for.
    if (certificate.publicKey.asymmetricKeyType !== 'ec') return badCertificate('its key is not of a curve');
    if (!certificate.verify(certificate.publicKey)) return badCertificate('it did not sign itself');
    const { publicKeyInfo, signedKey } = readCertificate(bytes);
    const [key, signature] = elements(only(elements(signedKey), tag.sequence).body);
    const peerKey = publicKeyFromProtobuf(is(key, tag.octets));
    if (peerKey.type !== 'Ed25519') return badCertificate('the peer has another kind of key than Ed25519');
    const signed = concat(signedPrefix, publicKeyInfo);
    if (!(await peerKey.verify(signed, is(signature, tag.octets)))) {
      return badCertificate('the peer did not sign for its key');
    }
    return peerIdFromPublicKey(peerKey);
  } catch (cause) {
    return badCertificate(cause instanceof Error ? cause.message : 'it is malformed');
  }
}

/** The two parts that matter here, by the structure of RFC 5280, 4.1. */
function readCertificate(bytes: Uint8Array): { publicKeyInfo: Uint8Array; signedKey: Uint8Array } {
  const [toBeSigned] = elements(only(elements(bytes), tag.sequence).body);
  const fields = elements(is(toBeSigned, tag.sequence));
  // Version (present: without it there are no extensions), serial, algorithm, issuer, validity, subject, key.
  const publicKeyInfo = fields[6];
  const extensions = fields.find((field) => field.tag === tag.extensions);
  if (publicKeyInfo === undefined || extensions === undefined) throw new Error('it has no extensions');
  for (const extension of elements(only(elements(extensions.body), tag.sequence).body)) {
    const parts = elements(is(extension, tag.sequence));
    if (parts[0] !== undefined && toHex(parts[0].body) === signedKeyId) {
      return { publicKeyInfo: publicKeyInfo.whole, signedKey: is(parts.at(-1), tag.octets) };
    }
  }
  throw new Error('no peer signed for it');
}

/** One element of DER: its tag, what is in it, and all of it. */
interface Element {
  readonly tag: number;
  readonly body: Uint8Array;
  readonly whole: Uint8Array;
}

/** The elements that stand in a row. Throws when they do not fill the bytes. */
function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const first = byteAt(bytes, at + 1);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (lengthBytes > 2) throw new Error('an element of it is too long');
    let length = lengthBytes === 0 ? first : 0;
    for (let index = 0; index < lengthBytes; index++) length = length * 256 + byteAt(bytes, at + 2 + index);
    const start = at + 2 + lengthBytes;
    const end = start + length;
    if (first === 0x80 || end > bytes.length) throw new Error('an element of it is cut off');
    found.push({ tag: byteAt(bytes, at), body: bytes.subarray(start, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return found;
}

function byteAt(bytes: Uint8Array, index: number): number {
  const byte = bytes[index];
  if (byte === undefined) throw new Error('it is cut off');
  return byte;
}

function only(all: readonly Element[], expected: number): Element {
  const [element] = all;
  if (element === undefined || all.length !== 1 || element.tag !== expected)
    throw new Error('it is malformed');
  return element;
}

function is(element: Element | undefined, expected: number): Uint8Array {
  if (element?.tag !== expected) throw new Error('it is malformed');
  return element.body;
}

function badCertificate(why: string): Problem {
  return new Problem('network/certificate', `the peer's certificate is refused: ${why}`, {
    remedy:
      'Check that a node listens at that address, and no other program: a node shows a certificate as libp2p makes it, with an Ed25519 key, that is valid by the clocks of both machines.',
  });
}
