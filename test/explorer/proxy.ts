import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** An address at which one node answers, and later another. */
export class Proxy {
  readonly address: string;
  #target: URL;

  private constructor(port: number, target: string) {
    this.address = `http://127.0.0.1:${port}`;
    this.#target = new URL(target);
  }

  static async start(t: TestContext, target: string): Promise<Proxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new Proxy((server.address() as AddressInfo).port, target);
    server.on('request', (asked, answer) => {
      const { hostname, port, host } = proxy.#target;
      const { method, url, headers } = asked;
      const onward = request(
        { hostname, port, method, path: url, headers: { ...headers, host } },
        (answered) => {
          answer.writeHead(answered.statusCode ?? 502, answered.headers);
          answered.pipe(answer);
        },
      );
      onward.on('error', () => answer.destroy());
      answer.on('close', () => onward.destroy());
      asked.pipe(onward);
    });
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    return proxy;
  }

  /** From now on this one answers; who follows the one before is cut off with it. */
  turnTo(target: string): void {
    this.#target = new URL(target);
  }
}
