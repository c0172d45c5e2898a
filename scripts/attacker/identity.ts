import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { base58 } from '@scure/base';
import { generateKeyPair, type KeyPair } from '../../src/crypto/keys.ts';
import { nativeSigner } from '../../src/crypto/native.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';

/** Who a raw peer says that it is: an Ed25519 key, its peer id, and a certificate that shows the key to libp2p's TLS. */
export interface Identity {
  readonly keyPair: KeyPair;
  readonly peerId: string;
  /** PEM. */
  readonly certificate: string;
  readonly tlsKey: string;
}

/** A new one costs a few tenths of a millisecond: identities are free, and attackers may have as many as they like. */
export function newIdentity(keyPair: KeyPair = generateKeyPair()): Identity {
  const publicKey = wireKey(keyPair.publicKey);
  const tls = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = tls.publicKey.export({ type: 'spki', format: 'der' });
  const proof = nativeSigner(keyPair.secretKey)(concat(Buffer.from('libp2p-tls-handshake:'), spki));
  const extension = sequence(octets(publicKey), octets(Buffer.from(proof, 'hex')));
  return {
    keyPair,
    peerId: peerIdOf(keyPair.publicKey),
    certificate: pem('CERTIFICATE', selfSigned(spki, tls.privateKey, extension)),
    tlsKey: tls.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/**
 * An identity whose certificate stands at the end of a chain of others with the longest keys of RSA that TLS checks.
 * Nobody has those keys: what costs is to find that out.
 */
export function chainedIdentity(length: number): Identity {
  const identity = newIdentity();
  const tls = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = tls.publicKey.export({ type: 'spki', format: 'der' });
  const chain = Array.from({ length }, (_, index) => signedByNobody(index + 1, hugeKey(), true));
  return {
    ...identity,
    certificate: [signedByNobody(0, key, false), ...chain].map((der) => pem('CERTIFICATE', der)).join(''),
    tlsKey: tls.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** The name that libp2p gives to a node with this key. */
export function peerIdOf(publicKey: PublicKey): string {
  const key = wireKey(publicKey);
  return base58.encode(concat(Buffer.from([0, key.length]), key));
}

/** The key in libp2p's protocol buffer. */
function wireKey(publicKey: PublicKey): Buffer {
  return concat(Buffer.from('08011220', 'hex'), Buffer.from(publicKey, 'hex'));
}

const ecdsaWithSha256 = sequence(Buffer.from('06082a8648ce3d040302', 'hex'));
/** 1.3.6.1.4.1.53594.1.1: where libp2p's TLS expects the peer's own key and what it signed. */
const libp2pExtension = Buffer.from('060a2b0601040183a25a0101', 'hex');
const yes = Buffer.from('0101ff', 'hex');
const noName = sequence();

function selfSigned(spki: Buffer, key: KeyObject, extension: Buffer): Buffer {
  const validity = sequence(time('250101000000Z'), time('491231235959Z'));
  const serial = createHash('sha256').update(spki).digest().subarray(0, 8);
  serial[0] = 1;
  const extensions = tagged(0xa3, sequence(sequence(libp2pExtension, yes, octets(extension))));
  const version3 = tagged(0xa0, tagged(0x02, Buffer.from([2])));
  const body = sequence(
    version3,
    tagged(0x02, serial),
    ecdsaWithSha256,
    noName,
    validity,
    noName,
    spki,
    extensions,
  );
  const signature = sign('sha256', body, createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' })));
  return sequence(body, ecdsaWithSha256, tagged(0x03, concat(Buffer.from([0]), signature)));
}

const rsaWithSha256 = sequence(Buffer.from('06092a864886f70d01010b0500', 'hex'));
const hugeKeyBytes = 16_384 / 8;

function hugeKey(): Buffer {
  const numbers = [hugeKeyBytes, 8].map((size) => {
    const bytes = randomBytes(size);
    bytes[0] = 0xff;
    bytes[size - 1] = 0xff;
    return tagged(0x02, concat(Buffer.from([0]), bytes));
  });
  const algorithm = sequence(Buffer.from('06092a864886f70d0101010500', 'hex'));
  return sequence(algorithm, tagged(0x03, concat(Buffer.from([0]), sequence(...numbers))));
}

/** The certificate at this place of a chain, which the next one would have signed. */
function signedByNobody(place: number, key: Buffer, mayIssue: boolean): Buffer {
  const isIssuer = sequence(Buffer.from('0603551d13', 'hex'), yes, octets(sequence(yes)));
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.from([1, place])),
    rsaWithSha256,
    nameOf(place + 1),
    sequence(time('250101000000Z'), time('491231235959Z')),
    nameOf(place),
    key,
    ...(mayIssue ? [tagged(0xa3, sequence(isIssuer))] : []),
  );
  const signature = randomBytes(hugeKeyBytes);
  signature[0] = 0x7f;
  return sequence(body, rsaWithSha256, tagged(0x03, concat(Buffer.from([0]), signature)));
}

function nameOf(place: number): Buffer {
  const text = tagged(0x0c, Buffer.from(`c${place}`));
  return sequence(tagged(0x31, sequence(Buffer.from('0603550403', 'hex'), text)));
}

function time(text: string): Buffer {
  return tagged(0x17, Buffer.from(text));
}

function octets(bytes: Buffer): Buffer {
  return tagged(0x04, bytes);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, concat(...parts));
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concat(Buffer.from([tag, ...size]), content);
}

function concat(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
