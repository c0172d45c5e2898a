import { randomBytes } from 'node:crypto';
import { encode } from '../../src/base/codec.ts';
import { limits } from '../../src/base/limits.ts';
import { unwrap } from '../../src/base/problem.ts';
import { Wallet } from '../../src/client/wallet.ts';
import { encodeMessage } from '../../src/consensus/pbft/message-codec.ts';
import type { PbftMessage } from '../../src/consensus/pbft/message.ts';
import { preimageOf } from '../../src/consensus/pbft/signing.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import type { KeyPair } from '../../src/crypto/keys.ts';
import { nativeSigner } from '../../src/crypto/native.ts';
import { keyFault } from '../../src/crypto/key-fault.ts';
import type { PublicKey, Signature } from '../../src/crypto/signature.ts';
import { toHeight, toView } from '../../src/ledger/block.ts';
import type { Certificate, Epoch } from '../../src/ledger/certificate.ts';
import type { Genesis } from '../../src/ledger/genesis.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { assembleTransaction, type Transaction } from '../../src/ledger/transaction.ts';
import { validatorSet } from '../../src/ledger/validators.ts';
import { sealBytes } from '../../src/node/peers/relay.ts';
import { transactionFrameCodec } from '../../src/node/peers/wire.ts';

const signatureBytes = 64;

/** A signature that is well formed, so that only the check itself can tell that it is wrong. */
export function falseSignature(): Signature {
  const bytes = randomBytes(signatureBytes);
  // The second half is a number below the group's order.
  bytes[63] = 0;
  return bytes.toString('hex') as Signature;
}

export function someHash(): Hash {
  return randomBytes(32).toString('hex') as Hash;
}

/** The same transaction with a signature that nobody made. */
export function withFalseSignature(transaction: Pick<Transaction, 'bytes'>): Uint8Array {
  const bytes = new Uint8Array(transaction.bytes);
  bytes.set(Buffer.from(falseSignature(), 'hex'), bytes.length - signatureBytes);
  return bytes;
}

/** A transaction that its sender signed. */
export function payment(genesis: Genesis, from: KeyPair, nonce: number): Transaction {
  const { chainId } = genesis;
  const wallet = new Wallet({ chainId, keyPair: from, signer: nativeSigner(from.secretKey) });
  const terms = { nonce, fee: 1n, expiryHeight: toHeight(50_000) };
  return unwrap(wallet.transfer(developmentKeyPair('carol').publicKey, 1n, terms));
}

/** A transaction of the largest that nobody signed: it names 992 keys, which are points of the curve and nobody's. */
export function keysNamed(genesis: Genesis, from: KeyPair, nonce: number): Transaction {
  const setKeys = (): Operation => {
    const keys = Array.from({ length: limits.maxSigners }, somePoint).toSorted();
    return { type: 'set-keys', keys, threshold: 1, force: true };
  };
  const transaction = {
    chainId: genesis.chainId,
    sender: from.publicKey,
    nonce,
    fee: 1_000n,
    expiryHeight: toHeight(50_000),
    reference: new Uint8Array(0),
    conditions: [],
    operations: Array.from({ length: 62 }, setKeys),
    signers: [from.publicKey],
  };
  return assembleTransaction(transaction, [falseSignature()]);
}

function somePoint(): PublicKey {
  for (;;) {
    const key = randomBytes(32).toString('hex') as PublicKey;
    if (keyFault(key) === undefined) return key;
  }
}

export function frameOf(salt: number, transactions: readonly Uint8Array[]): Uint8Array {
  return encode(transactionFrameCodec, { salt: salt >>> 0, transactions });
}

export function epochOf(genesis: Genesis): Epoch {
  const { hash } = validatorSet(genesis.validators.map(({ publicKey }) => publicKey));
  return { chainId: genesis.chainId, epoch: toHeight(0), validatorsHash: hash };
}

/** What a validator signed once, as everybody knows it who was connected then: made here with its development key. */
export function oldMessage(genesis: Genesis, draft: PbftMessage): Uint8Array {
  const { secretKey } = developmentKeyPair(`validator-${draft.from}`);
  const message = { ...draft, signature: nativeSigner(secretKey)(preimageOf(draft, epochOf(genesis))) };
  return encodeMessage(message);
}

export function forgedCertificate(
  validators: number,
  slot: { readonly phase: Certificate['phase']; readonly view: number; readonly height: number },
): Certificate {
  const quorum = 2 * Math.floor((validators - 1) / 3) + 1;
  return {
    epoch: toHeight(0),
    phase: slot.phase,
    view: toView(slot.view),
    height: toHeight(slot.height),
    blockHash: someHash(),
    signatures: Array.from({ length: quorum }, (_, validator) => ({
      validator,
      signature: falseSignature(),
    })),
  };
}

/** As it goes by gossip: behind the seal of a validator, which did not make it. */
export function withFalseSeal(message: Uint8Array): Uint8Array {
  const seal = randomBytes(sealBytes);
  // Of the first epoch, by its first validator.
  seal.fill(0, 0, 8);
  seal.set(Buffer.from(falseSignature(), 'hex'), sealBytes - signatureBytes);
  return Buffer.concat([seal, message]);
}

/** A NewView in which every signature is wrong, its own too: as many checks as one message can ask for. */
export function forgedNewView(validators: number, view: number): Uint8Array {
  const quorum = 2 * Math.floor((validators - 1) / 3) + 1;
  return encodeMessage({
    kind: 'new-view',
    epoch: toHeight(0),
    from: view % validators,
    view: toView(view),
    signature: falseSignature(),
    viewChanges: Array.from({ length: quorum }, (_, from) => ({
      epoch: toHeight(0),
      kind: 'view-change' as const,
      from,
      view: toView(view),
      finalHeight: toHeight(5),
      finalCertificate: forgedCertificate(validators, { phase: 'commit', view: view - 2, height: 5 }),
      highest: forgedCertificate(validators, { phase: 'prepare', view: view - 1, height: 7 }),
      signature: falseSignature(),
    })),
  });
}

/** Messages of all other kinds, each with a wrong signature, about what is not far away. */
export function forgedMessage(validators: number, index: number): Uint8Array {
  const from = index % validators;
  const signature = falseSignature();
  const view = toView(Math.floor(index / 7) % 3);
  const slot = { from, view, height: toHeight(1 + (index % 60)), blockHash: someHash(), signature };
  switch (index % 5) {
    case 0:
      return encodeMessage({ epoch: toHeight(0), kind: 'prepare', ...slot });
    case 1:
      return encodeMessage({ epoch: toHeight(0), kind: 'commit', ...slot });
    case 2:
      return encodeMessage({
        epoch: toHeight(0),
        kind: 'suspect',
        from,
        view,
        reason: 'no-progress',
        height: toHeight(index % 1_000),
        sequence: index,
        signature,
      });
    case 3:
      return encodeMessage({
        epoch: toHeight(0),
        kind: 'status',
        from,
        view,
        changing: true,
        finalHeight: toHeight(9),
        finalCertificate: forgedCertificate(validators, { phase: 'commit', view: 0, height: 9 }),
        signature,
      });
    default:
      return encodeMessage({
        epoch: toHeight(0),
        kind: 'view-change',
        from,
        view: toView(view + 2),
        finalHeight: toHeight(9),
        finalCertificate: forgedCertificate(validators, { phase: 'commit', view, height: 9 }),
        highest: forgedCertificate(validators, { phase: 'prepare', view: view + 1, height: 12 }),
        signature,
      });
  }
}
