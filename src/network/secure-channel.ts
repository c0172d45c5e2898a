import { connect, createSecureContext, type SecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls';
import type {
  ConnectionEncrypter,
  MessageStream,
  PrivateKey,
  SecureConnectionOptions,
  SecuredConnection,
  StreamMuxerFactory,
  Upgrader,
} from '@libp2p/interface';
import { generateCertificate, toMessageStream } from '@libp2p/tls/utils';
import { peerAtFault } from '../base/peer-faults.ts';
import { Problem, unwrap } from '../base/problem.ts';
import { LineSocket } from './line-socket.ts';
import { peerOfCertificate } from './peer-certificate.ts';
import { boundHandshake, boundHidden } from './secure-bytes.ts';
import { writesTogether } from './writes-together.ts';

/** A certificate of ours is used for a day, and then made anew. It would hold for longer. */
const certificateMs = 24 * 60 * 60 * 1_000;
/**
 * What nodes agree on anyway, and nothing else: a caller chooses, and a key of RSA with a large exponent or a
 * larger curve would cost us two to six times as much.
 */
const cheap = { sigalgs: 'ecdsa_secp256r1_sha256', ecdhCurve: 'X25519MLKEM768:X25519:P-256' };
/** Offered and answered when the muxer is to be agreed on later. */
const withoutMuxer = 'libp2p';

/** How libp2p names its TLS. */
export const secureChannelProtocol = '/tls/1.0.0';

/** What libp2p gives; the upgrader is there only once the channel is used. */
interface Components {
  readonly privateKey: PrivateKey;
  readonly upgrader: Pick<Upgrader, 'getStreamMuxers'>;
}

/**
 * libp2p's TLS, `/tls/1.0.0`, with one certificate for all connections and a cheap check of the other side's.
 * The library makes a certificate for each connection and reads the other's in JavaScript, 3 ms each, and
 * every caller can ask for it. Once it does neither, this file can go.
 */
export class SecureChannel implements ConnectionEncrypter {
  readonly protocol = secureChannelProtocol;
  readonly #components: Components;
  readonly #mayStart: (line: MessageStream) => boolean;
  readonly #now: () => number;
  #ours: { readonly madeAt: number; readonly context: Promise<SecureContext> } | undefined;

  constructor(
    components: Components,
    options: {
      /** A caller asks for a handshake. False to hang up before it costs anything. */
      readonly mayStart?: (line: MessageStream) => boolean;
      /** Milliseconds since the epoch: certificates speak of dates. */
      readonly now?: () => number;
    } = {},
  ) {
    this.#components = components;
    this.#mayStart = options.mayStart ?? (() => true);
    this.#now = options.now ?? Date.now;
  }

  /** Our certificate, ready for use. A clock that was set back makes a new one, too. */
  context(): Promise<SecureContext> {
    const now = this.#now();
    const last = this.#ours;
    if (last !== undefined && now >= last.madeAt && now < last.madeAt + certificateMs) return last.context;
    const context = generateCertificate(this.#components.privateKey).then(({ cert, key }) =>
      createSecureContext({ cert, key, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ...cheap }),
    );
    this.#ours = { madeAt: now, context };
    return context;
  }

  secureInbound(line: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    if (!this.#mayStart(line)) return Promise.reject(tooManyCalls());
    return this.#secure(line, true, options);
  }

  secureOutbound(line: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return this.#secure(line, false, options);
  }

  async #secure(
    line: MessageStream,
    isServer: boolean,
    options: SecureConnectionOptions = {},
  ): Promise<SecuredConnection> {
    const muxers = this.#components.upgrader.getStreamMuxers();
    const names = options.skipStreamMuxerNegotiation === true ? [] : [...muxers.keys()];
    const secureContext = await this.context();
    options.signal?.throwIfAborted();
    const settings: TLSSocketOptions = {
      secureContext,
      isServer,
      // Certificates are their own: who shows one is found out below.
      rejectUnauthorized: false,
      requestCert: true,
      ALPNProtocols: [...names, withoutMuxer],
    };
    const under = new LineSocket(line);
    const endHandshake = boundHandshake(under, (problem) => line.abort(problem));
    const duplex = under.asDuplex();
    const socket = isServer ? new TLSSocket(duplex, settings) : connect({ ...settings, socket: duplex });
    under.on('error', (cause: Error) => socket.destroy(cause));
    try {
      await handshake(socket, options.signal);
      endHandshake();
      boundHidden(socket, duplex, (problem) => line.abort(problem));
      const shown = socket.getPeerCertificate().raw as Uint8Array | undefined;
      const remotePeer = unwrap(await peerOfCertificate(shown ?? new Uint8Array(0)));
      if (options.remotePeer !== undefined && !options.remotePeer.equals(remotePeer)) {
        throw otherPeer(options.remotePeer.toString(), remotePeer.toString());
      }
      const streamMuxer = muxerOf(socket, muxers);
      // It would be agreed on in lines without end, which nobody counts. All nodes name it in the handshake.
      if (streamMuxer === undefined && names.length > 0) throw noMuxer();
      return {
        remotePeer,
        connection: toMessageStream(line, writesTogether(socket)),
        ...(streamMuxer === undefined ? {} : { streamMuxer }),
      };
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      socket.destroy();
      line.abort(error);
      throw error;
    }
  }
}

/** Settles when both sides have shown their certificates. Rejects when the line breaks, or at the signal. */
function handshake(socket: TLSSocket, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new Error('the TLS handshake took too long'));
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('secure', () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    // For good: an error without a listener would end the process.
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the line broke during the TLS handshake')));
  });
}

function muxerOf(
  { alpnProtocol }: TLSSocket,
  muxers: ReadonlyMap<string, StreamMuxerFactory>,
): StreamMuxerFactory | undefined {
  return typeof alpnProtocol === 'string' ? muxers.get(alpnProtocol) : undefined;
}

function noMuxer(): Problem {
  return new Problem('network/muxer', 'the peer names no muxer of ours in its handshake', {
    remedy: `${peerAtFault} It has to speak yamux 1.0.0, and to name it in the TLS handshake.`,
  });
}

function tooManyCalls(): Problem {
  return new Problem('network/busy', 'too many calls come from there, or from strangers in all', {
    remedy: 'Nothing is to be done: it may call again.',
  });
}

function otherPeer(expected: string, found: string): Problem {
  return new Problem('network/other-peer', `${found} answers where ${expected} was expected`, {
    remedy:
      'Correct the address of that peer under "peers" in config.json, or what stands behind /p2p/ there: the log of the node that is meant says both when it starts ("network started").',
    details: { expected, found },
  });
}
