import { BoundedMap } from '../../base/bounded-map.ts';
import { decode, encode } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { CodeOf } from '../../base/problem-codes.ts';
import type { ValidatorIndex } from '../../consensus/engine.ts';
import { isForgeableKey } from '../../crypto/forgeable-key.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey, Signature, SignatureClaim } from '../../crypto/signature.ts';
import type { EngineName } from '../../ledger/engine-names.ts';
import type { PeerId } from '../../network/port.ts';
import type { Logger } from '../process/log.ts';
import { helloBytes, helloCodec, type ProtocolVersions, wireVersion, wireVersionIn } from './hello.ts';

/**
 * Who is welcome besides members and the peers that this node dials: nobody, the holders of these keys, or
 * anybody.
 */
export type Observers = 'members' | 'open' | readonly PublicKey[];

interface PeerRegistryOptions {
  readonly chainId: Hash;
  readonly engine: EngineName;
  readonly protocolVersions: ProtocolVersions;
  /** The address of this node's API that others are told, in the form of `parseApiUrl`. */
  readonly api?: string | undefined;
  /** The validator keys by index. */
  readonly keys: readonly PublicKey[];
  /** The key that this node proves to others; it need not be a validator's (yet). */
  readonly identity: { readonly publicKey: PublicKey; readonly sign: (bytes: Uint8Array) => Signature };
  /** Anybody is welcome unless given. */
  readonly observers?: Observers;
  /** At once: one check for each new connection, which the network limits. */
  readonly checkSignature: (claim: SignatureClaim) => boolean;
  readonly log: Logger;
}

/** What a peer proved, and what it said of itself. */
interface Proof {
  readonly publicKey: PublicKey;
  readonly protocolVersions: ProtocolVersions;
  readonly api: string | undefined;
  /** This node dialled it, as its settings say. */
  readonly invited: boolean;
}

/** Who may talk to us, and which peer acts for which validator. */
export class PeerRegistry {
  readonly #options: PeerRegistryOptions;
  /** What peers proved whose connection is about to open. Some of them never come: it is bounded. */
  readonly #greeted = new BoundedMap<PeerId, Proof>(limits.peersRemembered);
  /** What each connected peer proved, newest last. */
  readonly #proven = new Map<PeerId, Proof>();
  #keys: readonly PublicKey[];
  /** Of those the ones that are no members any more. */
  #removed: ReadonlySet<PublicKey> = new Set();
  /**
   * Members of the set before this one: whoever is behind needs blocks from us, and we may need the last
   * blocks of that set from them.
   */
  #former: ReadonlySet<PublicKey> = new Set();
  readonly #isOpen: boolean;
  readonly #listed: ReadonlySet<PublicKey>;

  constructor(options: PeerRegistryOptions) {
    this.#options = options;
    this.#keys = options.keys;
    const { observers = 'open' } = options;
    this.#isOpen = observers === 'open';
    this.#listed = new Set(typeof observers === 'string' ? [] : observers);
  }

  /** Our own hello. The peer id is that of this node. */
  hello(self: PeerId): Uint8Array {
    const { chainId, engine, identity, protocolVersions, api } = this.#options;
    return encode(helloCodec, {
      version: wireVersion,
      chainId,
      engine,
      publicKey: identity.publicKey,
      signature: identity.sign(helloBytes(chainId, self)),
      protocolVersions,
      api,
    });
  }

  /**
   * Undefined when the peer is welcome; `invited`: this node dialled it. It is known for what it proved once
   * it is `connected`.
   */
  admit(peer: PeerId, bytes: Uint8Array, invited = false): undefined | Problem {
    const { chainId, engine, checkSignature, log } = this.#options;
    const version = wireVersionIn(bytes);
    if (version instanceof Problem) return version;
    if (version !== wireVersion) {
      return refusal('network/other-version', `it speaks version ${version}, and this node ${wireVersion}`, {
        remedy: 'Run software of the same wire version on all nodes.',
        details: { theirs: version, ours: wireVersion },
      });
    }
    const hello = decode(helloCodec, bytes, 'hello');
    if (hello instanceof Problem) return hello;
    if (hello.chainId !== chainId) {
      return refusal('network/other-chain', 'it is on another chain', {
        remedy: 'Start both nodes with the same genesis file.',
        details: { theirs: hello.chainId, ours: chainId },
      });
    }
    if (hello.engine !== engine) {
      return refusal('network/other-engine', `it runs ${hello.engine}, and this node ${engine}`, {
        remedy: 'The engine is part of the genesis file: use the same one on both nodes.',
        details: { theirs: hello.engine, ours: engine },
      });
    }
    const { publicKey, signature, protocolVersions, api } = hello;
    // Before its signature is checked: a peer that is not welcome costs no more than that.
    if (!this.#isOpen && !invited && !this.#isMember(publicKey)) {
      return refusal('network/not-a-member', `its key ${publicKey} is not of a member, and not listed`, {
        remedy: 'Put its key under "observers" in config.json of this node, or make it a member.',
        details: { publicKey },
      });
    }
    const claim = { publicKey, message: helloBytes(chainId, peer), signature };
    if (isForgeableKey(publicKey) || !checkSignature(claim)) {
      return refusal('network/false-hello', 'it claims a key that did not sign for it', {
        remedy:
          'Have its operator start it again: its node key or its validator key was changed while it ran.',
        details: { peer, publicKey },
      });
    }
    const other = [...this.#proven].find(([, proven]) => proven.publicKey === publicKey)?.[0];
    if (other !== undefined && other !== peer) {
      log.warn('two peers act for one key; the newer one is taken', { publicKey, other, peer });
    }
    if (this.isOwn(publicKey)) {
      log.error('another peer acts for the key of this node: stop one of the two', { peer });
    }
    this.#greeted.set(peer, { publicKey, protocolVersions, api, invited });
    return undefined;
  }

  /**
   * The peer that was welcomed is connected. Its hello may have come before its old connection was given up,
   * for which it is forgotten: so what it proved counts from here on, and not before.
   */
  connected(peer: PeerId): void {
    const proof = this.#greeted.get(peer);
    if (proof === undefined) return;
    this.#greeted.delete(peer);
    this.#proven.delete(peer);
    this.#proven.set(peer, proof);
  }

  /** Forgets a lost peer. */
  forget(peer: PeerId): void {
    this.#proven.delete(peer);
  }

  /** The validator keys by index from now on, and which of them are no members any more. */
  setKeys(keys: readonly PublicKey[], removed: ReadonlySet<PublicKey> = new Set()): void {
    this.#former = new Set(this.#keys);
    this.#keys = keys;
    this.#removed = removed;
  }

  keyAt(validator: ValidatorIndex): PublicKey | undefined {
    return this.#keys[validator];
  }

  get validators(): readonly PublicKey[] {
    return this.#keys;
  }

  validatorOf(peer: PeerId): ValidatorIndex | undefined {
    const key = this.#proven.get(peer)?.publicKey;
    const index = key === undefined ? -1 : this.#keys.indexOf(key);
    return index < 0 ? undefined : index;
  }

  /** It acts for no member and was not dialled by this node, or it acts for one that was removed. */
  isStranger(peer: PeerId): boolean {
    const proven = this.#proven.get(peer);
    if (proven === undefined || this.#removed.has(proven.publicKey)) return true;
    return !proven.invited && !this.#keys.includes(proven.publicKey);
  }

  /** The key that a peer proved, when it is a member's or a listed one; from its good hello on. */
  memberKeyOf(peer: PeerId): PublicKey | undefined {
    const key = (this.#proven.get(peer) ?? this.#greeted.get(peer))?.publicKey;
    return key !== undefined && this.#isMember(key) ? key : undefined;
  }

  #isMember(key: PublicKey): boolean {
    const isKnown = this.#keys.includes(key) || this.#former.has(key);
    return (isKnown && !this.#removed.has(key)) || this.#listed.has(key);
  }

  /** The peer that acts for a validator: of several the newest. */
  peerOf(validator: ValidatorIndex): PeerId | undefined {
    const key = this.#keys[validator];
    let newest: PeerId | undefined;
    for (const [peer, proven] of this.#proven) if (proven.publicKey === key) newest = peer;
    return newest;
  }

  /** The keys that connected peers proved, and this node's own. */
  get provenKeys(): ReadonlySet<PublicKey> {
    const keys = new Set([this.#options.identity.publicKey]);
    for (const { publicKey } of this.#proven.values()) keys.add(publicKey);
    return keys;
  }

  /** No link to another validator is missing. */
  get isLinkedToAll(): boolean {
    const linked = this.provenKeys;
    return this.#keys.every((key) => linked.has(key) || this.#removed.has(key));
  }

  /** Which protocol versions a connected validator, or this node, knows. */
  protocolVersionsOf(validator: ValidatorIndex): ProtocolVersions | undefined {
    if (this.isOwn(this.#keys[validator])) return this.#options.protocolVersions;
    const peer = this.peerOf(validator);
    return peer === undefined ? undefined : this.#proven.get(peer)?.protocolVersions;
  }

  /** It is this node's key, whatever place that has or had. */
  isOwn(publicKey: PublicKey | undefined): boolean {
    return publicKey === this.#options.identity.publicKey;
  }

  /** Where a connected validator, or this node, says that its API can be reached. */
  apiOf(validator: ValidatorIndex): string | undefined {
    if (this.isOwn(this.#keys[validator])) return this.#options.api;
    const peer = this.peerOf(validator);
    return peer === undefined ? undefined : this.#proven.get(peer)?.api;
  }
}

function refusal(
  code: CodeOf<'network'>,
  why: string,
  rest: { remedy: string; details: Record<string, string | number> },
): Problem {
  return new Problem(code, `the peer is refused: ${why}`, rest);
}
