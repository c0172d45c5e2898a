import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import type { z } from 'zod';
import { concat, toHex } from '../../src/base/bytes.ts';
import { answeredCodes } from '../../src/api/problem-status.ts';
import { problemSchema, type ProblemJson } from '../../src/api/schemas.ts';
import { type ApiOptions, type RunningApi, startApi } from '../../src/api/server.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { eventually } from '../support/eventually.ts';
import { FakeBackend } from './fake-backend.ts';

export interface World {
  readonly backend: FakeBackend;
  readonly api: RunningApi;
  readonly logged: string[];
}

/** An API over real HTTP on a free port, that ends with its test. */
export async function start(t: TestContext, bounds: ApiOptions['bounds'] = {}): Promise<World> {
  const backend = new FakeBackend();
  const logged: string[] = [];
  const log = {
    error: (message: string, details?: object) => logged.push(message + JSON.stringify(details)),
  };
  const api = await startApi({ backend, host: '127.0.0.1', port: 0, log, bounds });
  t.after(() => api.close());
  return { backend, api, logged };
}

/** Gets a path and checks that the answer is exactly what its schema says: nothing missing, and nothing more. */
export async function get<S extends z.ZodType>(world: World, path: string, schema: S): Promise<z.output<S>> {
  const response = await fetch(world.api.address + path);
  const body: unknown = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  return parse(schema, body);
}

/** Parses by the schema, and fails on anything that the schema does not name. */
export function parse<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.parse(body);
  assert.deepEqual(body, parsed);
  return parsed;
}

export async function problemFrom(response: Response, status: number, code: string): Promise<ProblemJson> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.equal(response.headers.get('content-type'), 'application/problem+json; charset=utf-8');
  const problem = parse(problemSchema, JSON.parse(text));
  assert.equal(problem.code, code, text);
  assert.ok(
    (answeredCodes as string[]).includes(code),
    `${code} is not among the codes that the API answers`,
  );
  assert.equal(problem.status, status);
  assert.equal(problem.type, `urn:quorate:problem:${code}`);
  assert.ok(problem.remedy.length > 10);
  return problem;
}

export function post(world: World, body: object | string, query = '', type = 'application/json') {
  return fetch(`${world.api.address}/v1/transactions${query}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body:
      typeof body === 'string' ? body : body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body),
  });
}

export function postBinary(world: World, body: Uint8Array, query = '') {
  return post(world, body, query, 'application/octet-stream');
}

export const hexOf = (transaction: Transaction): string => toHex(transaction.bytes);

/** The binary form by its description: a count in 2 bytes, and each behind its length in 2 bytes. */
export function binaryBatch(transactions: readonly Uint8Array[]): Uint8Array {
  const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);
  return concat(u16(transactions.length), ...transactions.flatMap((bytes) => [u16(bytes.length), bytes]));
}

/** Writes raw text to the API's port and gives all that comes back until the other side closes. */
export function rawExchange(world: World, text: string): Promise<string> {
  const { hostname, port } = new URL(world.api.address);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let received = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (received += chunk));
    socket.on('close', () => resolve(received));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(received) : reject(error),
    );
  });
}

/** Waits for something that other turns of the event loop bring about. */
export async function until(condition: () => boolean): Promise<void> {
  await eventually('it happens', condition);
}
