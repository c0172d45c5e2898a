import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { MeteredSocket } from '../../src/api/metered-socket.ts';

/** A socket that writes down what the machine is asked to send, call by call. */
class Recorded extends Duplex {
  readonly calls: string[] = [];

  override _read(): void {
    // Nothing comes.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.calls.push(chunk.toString());
    done();
  }

  override _writev(parts: readonly { chunk: Buffer }[], done: () => void): void {
    this.calls.push(parts.map(({ chunk }) => chunk.toString()).join(''));
    done();
  }
}

void test('the parts of an answer that are written in one go leave in one call, in their order', async () => {
  const socket = new Recorded();
  const metered = new MeteredSocket(socket as unknown as Socket, () => undefined);
  let done = 0;
  metered.cork();
  for (const part of ['5\r\n', 'event', '\r\n']) metered.write(part, () => (done += 1));
  metered.uncork();
  await turn();
  assert.deepEqual(socket.calls, ['5\r\nevent\r\n']);
  assert.equal(done, 3);
  metered.write('one');
  await turn();
  assert.deepEqual(socket.calls, ['5\r\nevent\r\n', 'one']);
});

void test('when the client is gone, the writer is told', async () => {
  const socket = new Recorded();
  const metered = new MeteredSocket(socket as unknown as Socket, () => undefined);
  metered.on('error', () => undefined);
  socket.destroy(new Error('gone'));
  await turn();
  assert.equal(metered.destroyed, true);
});

void test('a line that breaks when nobody speaks HTTP on it any more ends no process', async () => {
  const socket = new Recorded();
  const metered = new MeteredSocket(socket as unknown as Socket, () => undefined);
  socket.destroy(new Error('gone'));
  await turn();
  assert.equal(metered.destroyed, true);
});
