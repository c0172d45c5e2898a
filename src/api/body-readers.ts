import { decode, listOf } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { parseStrictJson } from '../base/strict-json.ts';
import { transactionBytesCodec } from '../ledger/transaction.ts';
import { notUtf8 } from './content-codings.ts';
import { apiProblem } from './problem-answer.ts';

export const binaryMediaType = 'application/octet-stream';

/** A binary submission: the count in two bytes, then each transaction behind its length in two bytes. */
const batchCodec = listOf(transactionBytesCodec, limits.httpBatch);

/** The transactions of a binary submission; throws a problem. */
export function readBatch(body: Uint8Array): readonly Uint8Array[] {
  const batch = decode(batchCodec, body, 'the batch');
  if (batch instanceof Problem) throw batch;
  if (batch.length === 0) {
    throw apiProblem('api/invalid-request', 'the batch is empty', {
      remedy: 'Send at least one transaction.',
    });
  }
  return batch;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * JSON from bytes; throws a problem. Deep nesting, many values and invalid UTF-8 are refused before anything
 * is parsed: a body full of brackets or commas would keep the event loop busy for longer than one of text.
 * The schemas refuse unknown names, `__proto__` among them.
 */
export function readJson(body: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw notUtf8(body);
  }
  refuseExcess(body);
  try {
    return parseStrictJson(text);
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? cause.message : 'it cannot be parsed';
    // V8 quotes a piece of the text; a short one helps, a long one does not.
    throw apiProblem('api/malformed-json', `the body is not JSON: ${reason.slice(0, 120)}`, {
      remedy: 'Send one JSON object (RFC 8259).',
    });
  }
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];
/** A full batch has one comma less than transactions; the rest is for what else stands in a body. */
const maxCommas = limits.httpBatch + 16;

function refuseExcess(body: Uint8Array): void {
  let depth = 0;
  let commas = 0;
  let inText = false;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (inText) {
      if (byte === backslash) i += 1;
      else if (byte === quote) inText = false;
    } else if (byte === quote) {
      inText = true;
    } else if (byte === openArray || byte === openObject) {
      depth += 1;
      if (depth > limits.httpJsonDepth) throw tooDeep();
    } else if (byte === closeArray || byte === closeObject) {
      depth -= 1;
    } else if (byte === comma) {
      commas += 1;
      if (commas > maxCommas) throw tooMany();
    }
  }
}

function tooDeep(): Problem {
  return apiProblem('api/json-too-deep', `the JSON is nested more than ${limits.httpJsonDepth} levels deep`, {
    remedy: 'See /v1/openapi.json: nothing that the API takes is nested so deep.',
    details: { limit: limits.httpJsonDepth },
  });
}

function tooMany(): Problem {
  return apiProblem('api/json-too-many', 'the JSON has more values than any request needs', {
    remedy: `Send at most ${limits.httpBatch} transactions in one request.`,
    details: { limit: limits.httpBatch },
  });
}
