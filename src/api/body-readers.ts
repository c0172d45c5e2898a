import { boundedBytes, decode, listOf } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { apiProblem } from './problem-answer.ts';

/** A binary submission: the count in two bytes, then each transaction behind its length in two bytes. */
const batchCodec = listOf(boundedBytes(limits.maxTransactionBytes), limits.httpBatch);

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
 * JSON from bytes; throws a problem. Invalid UTF-8 and deep nesting are refused before anything is parsed, so
 * that the cost of a body is bounded by its length. The schemas refuse unknown names, `__proto__` among them.
 */
export function readJson(body: Uint8Array): unknown {
  if (exceedsDepth(body)) {
    throw apiProblem(
      'api/json-too-deep',
      `the JSON is nested more than ${limits.httpJsonDepth} levels deep`,
      {
        remedy: 'See /v1/openapi.json: nothing that the API takes is nested so deep.',
        details: { limit: limits.httpJsonDepth },
      },
    );
  }
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw apiProblem('api/invalid-utf8', 'the body is not valid UTF-8', {
      remedy: 'Send JSON in UTF-8 (RFC 8259, section 8.1).',
    });
  }
  try {
    return JSON.parse(text);
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

function exceedsDepth(body: Uint8Array): boolean {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (inText) {
      if (byte === backslash) i += 1;
      else if (byte === quote) inText = false;
    } else if (byte === quote) inText = true;
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > limits.httpJsonDepth) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return false;
}
