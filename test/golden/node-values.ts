import { concat, utf8 } from '../../src/base/bytes.ts';
import type { Signature } from '../../src/crypto/signature.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { accountStateKey } from '../../src/ledger/state-entry.ts';
import { helloBytes } from '../../src/node/peers/hello.ts';
import { Relay } from '../../src/node/peers/relay.ts';
import { keys } from '../../src/storage/keys.ts';
import { chainId, hashOf, keyOf, someSignature } from '../ledger/samples.ts';

const height = toHeight(2 ** 40 + 3);

/** One key of each kind, by kind. Those of the indexes stand beside their entries. */
export const storeKeys: Readonly<Record<string, Uint8Array>> = {
  'chain record': keys.chain,
  'final record': keys.final,
  'pruned record': keys.pruned,
  'indexed record': keys.indexed,
  'sweeping record': keys.sweeping,
  header: keys.header(height),
  certificate: keys.certificate(height),
  receipts: keys.receipts(height),
  block: keys.block(hashOf('block')),
  candidate: keys.candidate(hashOf('block')),
  transaction: keys.transaction(hashOf('transaction')),
  log: keys.log('prepare/0/7/9'),
  state: keys.state(accountStateKey(keyOf('alice'))),
  evidence: keys.evidence(258),
  snapshot: keys.snapshot(258),
  epoch: keys.epoch(height),
};

export const helloSigned: Uint8Array = helloBytes(chainId, '12D3KooWSample');

/** What a relaying validator signs, and what goes to gossip. */
export function relaySample(): { readonly signed: Uint8Array; readonly sealed: Uint8Array } {
  let signed: Uint8Array = new Uint8Array();
  const relay = new Relay({
    chainId,
    roster: () => ({ epoch: toHeight(9), keys: [] }),
    salt: 2 ** 40,
    sign(bytes): Signature {
      signed = concat(bytes);
      return someSignature;
    },
  });
  const sealed = relay.seal(2, utf8('a message'));
  return { signed, sealed };
}
