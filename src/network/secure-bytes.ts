import type { Duplex } from 'node:stream';
import { limits } from '../base/limits.ts';
import { peerAtFault } from '../base/peer-faults.ts';
import { Problem } from '../base/problem.ts';

const { handshakeBytes, recordBytes, hiddenBytes } = limits.secureChannel;

/**
 * Bounds what the other side may send of a TLS handshake, and ends the line past it. TLS by itself reads a
 * certificate's whole chain, up to 100 KiB, and checks each signature in it with keys of any kind and size:
 * 100 to 220 ms for one caller. Returns what ends the watch.
 */
export function boundHandshake(
  under: { admits: (piece: Uint8Array) => boolean },
  onFault: (problem: Problem) => void,
): () => void {
  let came = 0;
  under.admits = (piece) => {
    came += Math.max(piece.byteLength, recordBytes);
    if (came <= handshakeBytes) return true;
    onFault(tooMuch('handshake'));
    return false;
  };
  return () => {
    under.admits = () => true;
  };
}

/**
 * Bounds what comes on a secured line and yields no data: TLS takes new keys and the like without end, 4 µs
 * each, and no budget of ours would see it. `under` is what the socket reads from, and is attached to it
 * already: between our two listeners the socket pushes what a piece yields.
 */
export function boundHidden(socket: Duplex, under: Duplex, onFault: (problem: Problem) => void): void {
  let hidden = 0;
  const push = socket.push.bind(socket);
  socket.push = (data: Uint8Array | null, ...rest) => {
    hidden = Math.max(0, hidden - (data?.byteLength ?? 0) - recordBytes);
    return push(data, ...rest);
  };
  under.prependListener('data', (piece: Uint8Array) => void (hidden += piece.byteLength));
  under.on('data', () => {
    if (hidden > hiddenBytes) onFault(tooMuch('records'));
  });
}

function tooMuch(use: 'handshake' | 'records'): Problem {
  return new Problem('network/too-much', `more of the secure channel's own ${use} than a node sends`, {
    remedy: peerAtFault,
    details: { use },
  });
}
