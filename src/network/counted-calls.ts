import type { Server, Socket } from 'node:net';
import { tcp } from '@libp2p/tcp';
import { serverOf } from './libp2p-internals.ts';

/**
 * libp2p's TCP. Each call is counted before libp2p makes a line of it, with a log, timers and promises of its
 * own: who calls and hangs up again, thousands of times a second, would cost a core. `hears`: whether a call
 * from this address is to be taken.
 */
export function countedTcp(hears: (address: string) => boolean): ReturnType<typeof tcp> {
  const make = tcp({
    dialOpts: { noDelay: true, keepAlive: true },
    listenOpts: { noDelay: true, keepAlive: true },
  });
  return (components) => {
    const transport = make(components);
    const createListener = transport.createListener.bind(transport);
    transport.createListener = (options) => {
      const listener = createListener(options);
      countCalls(serverOf(listener), hears);
      return listener;
    };
    return transport;
  };
}

function countCalls(server: Server, hears: (address: string) => boolean): void {
  const takers = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || !hears(remoteAddress)) return void socket.resetAndDestroy();
    for (const take of takers) take.call(server, socket);
  });
}
