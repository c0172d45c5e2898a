import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { limits } from '../base/limits.ts';
import type { Pace } from './backend.ts';

/** The JSON of a list's items, some of them at a time (fewer when they are large), separated by commas. */
export function* listPieces<T>(
  items: readonly T[],
  present: (item: T) => unknown,
  perPiece: number,
): Generator<string> {
  let piece: string[] = [];
  let characters = 0;
  for (let index = 0; index < items.length; index++) {
    const text = JSON.stringify(present(items[index] as T));
    piece.push(text);
    characters += text.length;
    const isFull = piece.length === perPiece || characters >= limits.httpPieceCharacters;
    if (!isFull && index < items.length - 1) continue;
    yield piece.join(',');
    piece = [];
    characters = 0;
  }
}

/**
 * The JSON of an object that ends with long lists, in pieces: each is made in a turn of the loop of its
 * own, when the client has taken the one before. So an answer of many megabytes holds up nobody, and is
 * never in memory as a whole.
 */
export async function* pacedJson(
  head: object,
  lists: Readonly<Record<string, Iterable<string>>>,
  pace: Pace,
): AsyncGenerator<string> {
  yield JSON.stringify(head).slice(0, -1);
  for (const [name, pieces] of Object.entries(lists)) {
    let begin = `,${JSON.stringify(name)}:[`;
    for (const piece of pieces) {
      await pace();
      yield begin + piece;
      begin = ',';
    }
    yield begin === ',' ? ']' : `${begin}]`;
  }
  yield '}';
}

/** The same for an object that ends with long texts. */
export async function* pacedText(
  head: object,
  texts: Readonly<Record<string, string>>,
  pace: Pace,
): AsyncGenerator<string> {
  yield JSON.stringify(head).slice(0, -1);
  for (const [name, text] of Object.entries(texts)) {
    yield `,${JSON.stringify(name)}:"`;
    for (let from = 0; from < text.length; from += limits.httpPieceCharacters) {
      await pace();
      // A pair of surrogates that is cut is written as two escapes, and read as the same character.
      yield JSON.stringify(text.slice(from, from + limits.httpPieceCharacters)).slice(1, -1);
    }
    yield '"';
  }
  yield '}';
}

/** Answers with JSON in pieces, as fast as the client takes them. */
export function sendPieces(reply: FastifyReply, pieces: AsyncIterable<string>): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(Readable.from(pieces));
}
