import type { Writable } from 'node:stream';

/**
 * From now on, what is written in one go leaves together: of a TLS socket as one record where it fits, and in
 * one call of the machine. The muxer writes the header and the content of a frame apart, and by itself a
 * socket sends the second when the first is away, one turn of the event loop later.
 */
export function writesTogether<Socket extends Writable>(socket: Socket): Socket {
  const write = socket.write.bind(socket) as (bytes: Uint8Array) => boolean;
  const uncork = (): void => socket.uncork();
  socket.write = (bytes: Uint8Array): boolean => {
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(uncork);
    }
    return write(bytes);
  };
  return socket;
}
