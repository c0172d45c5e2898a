import { concat, utf8 } from '../../base/bytes.ts';
import { boundedText, type Codec, decode, optional, refine, struct, u16, wordOf } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import type { Problem } from '../../base/problem.ts';
import { domainPrefix, hashCodec, type Hash, hashToBytes } from '../../crypto/hash.ts';
import { publicKeyCodec, type PublicKey, signatureCodec, type Signature } from '../../crypto/signature.ts';
import { type EngineName, engineNames } from '../../ledger/engine-names.ts';
import type { PeerId } from '../../network/port.ts';
import { parseApiUrl } from '../process/api-url.ts';

/**
 * Raised with every change of what goes over the wire. What is valid is said by the protocol version, which
 * the chain itself says.
 */
export const wireVersion = 8;

/** All from the oldest to the newest. */
export interface ProtocolVersions {
  readonly oldest: number;
  readonly newest: number;
}

interface Hello {
  /** Comes first in every version, so that nodes of two versions can tell each other so. */
  readonly version: number;
  readonly chainId: Hash;
  readonly engine: EngineName;
  /** Proof that the peer acts for a key, which may be a validator's. */
  readonly publicKey: PublicKey;
  readonly signature: Signature;
  /**
   * The protocol versions that the peer knows, and not which software it is: programs that
   * know the one in force work together.
   */
  readonly protocolVersions: ProtocolVersions;
  /** Where the node says that its API can be reached; for people, and nothing that nodes rely on. */
  readonly api: string | undefined;
}

const protocolVersionsCodec: Codec<ProtocolVersions> = refine(
  struct<ProtocolVersions>({ oldest: u16, newest: u16 }),
  '1 <= oldest <= newest',
  (versions) => {
    if (versions.oldest < 1 || versions.newest < versions.oldest) throw new Error('these are no versions');
    return versions;
  },
);

const apiUrlCodec = refine(boundedText(limits.apiUrlBytes), 'the address of an API', (text) => {
  if (parseApiUrl(text) !== text) throw new Error('this is not the address of an API');
  return text;
});

export const helloCodec: Codec<Hello> = struct<Hello>({
  version: u16,
  chainId: hashCodec,
  engine: wordOf(engineNames),
  publicKey: publicKeyCodec,
  signature: signatureCodec,
  protocolVersions: protocolVersionsCodec,
  api: optional(apiUrlCodec),
});

/**
 * What a validator signs to show that a peer is its own: nobody else can show it for another peer or chain.
 */
export function helloBytes(chainId: Hash, peer: PeerId): Uint8Array {
  return concat(domainPrefix('quorate/v1/hello'), hashToBytes(chainId), utf8(peer));
}

const versionBytes = 2;

/** What stands first in every hello, of whatever version. */
export function wireVersionIn(hello: Uint8Array): number | Problem {
  return decode(u16, hello.subarray(0, versionBytes), 'hello');
}
