import { Buffer } from 'buffer';

// What Node has everywhere, for the simulator in a browser: the bundler puts these where they are named.

const queue: (() => void)[] = [];
const { port1, port2 } = new MessageChannel();
port1.addEventListener('message', () => queue.shift()?.());
port1.start();

/** After all promises that are settled by now. */
export function setImmediate(call: () => void): void {
  queue.push(call);
  port2.postMessage(0);
}

export { Buffer };
