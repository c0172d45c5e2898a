import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { writesTogether } from '../../src/network/writes-together.ts';

/** What the machine was asked to send, call by call. */
function recorded(): { readonly socket: Writable; readonly calls: string[] } {
  const calls: string[] = [];
  const socket = new Writable({
    decodeStrings: false,
    writev(chunks, done) {
      calls.push(chunks.map(({ chunk }) => String.fromCharCode(...(chunk as Uint8Array))).join(''));
      // As a socket does: later.
      setImmediate(done);
    },
  });
  return { socket: writesTogether(socket), calls };
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

void test('what is written in one go leaves in one call, in its order', async () => {
  const { socket, calls } = recorded();
  for (const part of ['header', 'content', 'header', 'content']) socket.write(bytes(part));
  assert.deepEqual(calls, []);
  await turn();
  assert.deepEqual(calls, ['headercontentheadercontent']);
});

void test('what is written later does not wait for more', async () => {
  const { socket, calls } = recorded();
  socket.write(bytes('one'));
  await turn();
  socket.write(bytes('two'));
  await turn();
  assert.deepEqual(calls, ['one', 'two']);
});

void test('what was written just before the end is sent', async () => {
  const { socket, calls } = recorded();
  socket.write(bytes('last'));
  socket.end();
  await once(socket, 'finish');
  assert.deepEqual(calls, ['last']);
});

void test('a full socket says so at once, as before', () => {
  const { socket } = recorded();
  assert.equal(socket.write(bytes('few')), true);
  assert.equal(socket.write(new Uint8Array(socket.writableHighWaterMark)), false);
});
