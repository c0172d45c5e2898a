import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import type { StatusAnswer } from '../../src/client/answers.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { toHeight, toView } from '../../src/ledger/block.ts';

export const chainId = 'ab'.repeat(32) as Hash;
export const origin = { engine: 'pbft', chainId } as const;

export interface Seen {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly contentType: string | undefined;
  readonly authorization: string | undefined;
  readonly body: Buffer;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON unless it is text; null never answers. */
  readonly body: object | string | null;
}

/** A node's API that answers as a test says: `answer` gets each request with the number of those before it. */
export async function fakeApi(
  t: TestContext,
  answer: (request: Seen, before: number) => Reply,
): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = describe(request, Buffer.concat(chunks));
      seen.push(one);
      send(response, answer(one, seen.length - 1));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, seen };
}

function describe(request: IncomingMessage, body: Buffer): Seen {
  const { method = '', url = '', headers } = request;
  return { method, url, contentType: headers['content-type'], authorization: headers.authorization, body };
}

function send(response: ServerResponse, { status = 200, headers = {}, body }: Reply): void {
  if (body === null) return;
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** A problem as the API sends it. */
export function problemReply(status: number, code: string, details: object = {}): Reply {
  const body = {
    type: `urn:quorate:problem:${code}`,
    title: code,
    status,
    detail: `detail of ${code}`,
    code,
    remedy: `remedy of ${code}`,
    details,
  };
  return { status, body };
}

/** An address on which nobody listens. */
export async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

/** What a node of a development chain says of itself. */
export const status: StatusAnswer = {
  ...origin,
  chainName: 'testnet',
  development: true,
  version: '0.1.0',
  signatureCheck: 'sodium-native',
  validator: { index: 0, address: encodeAddress(developmentKeyPair('validator-0').publicKey) },
  view: toView(0),
  primary: 0,
  leaderApi: null,
  finalHeight: toHeight(40),
  finalHash: '11'.repeat(32) as Hash,
  stateRoot: '22'.repeat(32) as Hash,
  finalTimestamp: 1_767_225_600_000,
  highestKnown: toHeight(40),
  inFlight: 1,
  voting: true,
  quorumContact: true,
  syncing: false,
  ready: true,
  peers: 3,
  mempool: { transactions: 2, bytes: 400 },
  protocolVersion: 1,
  knownProtocolVersions: { oldest: 1, newest: 1 },
  scheduledProtocolVersion: null,
  uptimeMs: 61_000,
  counters: {},
};
