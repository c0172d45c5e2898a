import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { generateCertificate, verifyPeerCertificate } from '@libp2p/tls/utils';
import * as fc from 'fast-check';
import { Problem } from '../../src/base/problem.ts';
import { peerOfCertificate } from '../../src/network/peer-certificate.ts';
import { nodeSeed } from './libp2p-world.ts';

async function made(): Promise<{ bytes: Uint8Array; peer: string }> {
  const key = await generateKeyPairFromSeed('Ed25519', nodeSeed(1));
  const { cert } = await generateCertificate(key);
  return { bytes: new X509Certificate(cert).raw, peer: peerIdFromPrivateKey(key).toString() };
}

const isRefused = (result: unknown): void => {
  assert.ok(result instanceof Problem && result.code === 'network/certificate', String(result));
};

void test('the certificate of a peer names it, as the library says, too', async () => {
  const { bytes, peer } = await made();
  assert.equal(String(await peerOfCertificate(bytes)), peer);
  assert.equal(String(await verifyPeerCertificate(bytes)), peer);
});

void test('a certificate from which a byte was changed is refused, whatever the byte, and nothing throws', async () => {
  const { bytes } = await made();
  for (let index = 0; index < bytes.length; index++) {
    const changed = bytes.slice();
    changed[index] = (changed[index] as number) ^ 0x04;
    isRefused(await peerOfCertificate(changed));
  }
});

void test('what is no certificate is refused, and nothing throws', async () => {
  const { bytes } = await made();
  const samples = [new Uint8Array(0), new Uint8Array(3_000), bytes.subarray(0, 100)];
  for (const sample of samples) isRefused(await peerOfCertificate(sample));
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 700 }), async (noise) =>
      isRefused(await peerOfCertificate(noise)),
    ),
    { seed: 20261128, numRuns: 200 },
  );
});

void test('the certificate of one peer with the signed key of another shows neither', async () => {
  const { bytes } = await made();
  const other = new X509Certificate(
    (await generateCertificate(await generateKeyPairFromSeed('Ed25519', nodeSeed(2)))).cert,
  ).raw;
  // The extension is at the end, before the certificate's own signature, and has the same size in both.
  const oid = Buffer.from('2b0601040183a25a0101', 'hex');
  const [at, from] = [Buffer.from(bytes).indexOf(oid), Buffer.from(other).indexOf(oid)];
  assert.ok(at > 0 && from > 0);
  const mixed = bytes.slice();
  mixed.set(other.subarray(from, from + 120), at);
  isRefused(await peerOfCertificate(mixed));
});

void test('peers with other kinds of keys are refused: nobody has them, and they are more work', async () => {
  for (const key of [await generateKeyPair('RSA', 2_048), await generateKeyPair('secp256k1')]) {
    const { cert } = await generateCertificate(key);
    isRefused(await peerOfCertificate(new X509Certificate(cert).raw));
  }
});

void test('the key that is signed for is the certificate’s own, byte for byte', async () => {
  const { bytes } = await made();
  const own = createPublicKey(new X509Certificate(bytes).publicKey.export({ type: 'spki', format: 'pem' }));
  assert.ok(Buffer.from(bytes).includes(own.export({ type: 'spki', format: 'der' })));
});
