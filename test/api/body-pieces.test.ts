import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { BodyPieces } from '../../src/api/body-pieces.ts';
import { limits } from '../../src/base/limits.ts';

function requestOf(): { readonly request: IncomingMessage; readonly pieces: (string | null)[] } {
  const pieces: (string | null)[] = [];
  const request = new IncomingMessage(new Socket());
  request.push = (piece: Buffer | null) => {
    pieces.push(piece === null ? null : piece.toString());
    return pieces.length < 3;
  };
  return { request, pieces };
}

test('what one reading brought of a body is one piece, and the end comes behind it', () => {
  const { request, pieces } = requestOf();
  const body = new BodyPieces(request);
  for (const byte of 'abc') request.push(Buffer.from(byte));
  assert.deepEqual(pieces, []);
  assert.equal(body.join(), true);
  assert.equal(body.join(), true);
  request.push(Buffer.from('d'));
  request.push(Buffer.from('e'));
  request.push(null);
  assert.deepEqual(pieces, ['abc', 'de', null]);
});

test('a reader that has enough is heard', () => {
  const { request } = requestOf();
  const body = new BodyPieces(request);
  const answers = Array.from({ length: 3 }, () => {
    request.push(Buffer.from('a'));
    return body.join();
  });
  assert.deepEqual(answers, [true, true, false]);
});

test('a body is hollow when more than half of what was read for it is something else', () => {
  const { request } = requestOf();
  const body = new BodyPieces(request);
  body.read(limits.httpFrameBytes);
  assert.equal(body.isHollow, false);
  request.push(Buffer.alloc(100));
  body.read(200);
  assert.equal(body.isHollow, false);
  body.read(1);
  assert.equal(body.isHollow, true);
});
