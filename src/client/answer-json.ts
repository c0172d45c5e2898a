import { limits } from '../base/limits.ts';

/** What stands in a text as JSON, or why nothing is read from it. */
export function readJson(text: string): { readonly json: unknown } | { readonly fault: string } {
  const fault = excessIn(text);
  if (fault !== undefined) return { fault };
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return { fault: 'it is not JSON' };
  }
}

/**
 * Why a text is not parsed as JSON: it has more levels or values than any answer of a node. Brackets that
 * take few bytes on their way, compressed, take seconds and a gigabyte once they are parsed, and whoever
 * walks through their levels runs out of stack. Undefined for what may be parsed, whether it is JSON or not.
 */
export function excessIn(text: string): string | undefined {
  let levels = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        break;
      case '[':
      case '{':
        levels += 1;
        values += 1;
        break;
      case ']':
      case '}':
        levels -= 1;
        break;
      case ',':
        values += 1;
    }
    if (levels > limits.clientAnswerDepth) return `it has more than ${limits.clientAnswerDepth} levels`;
    if (values > limits.clientAnswerValues) return `it has more than ${limits.clientAnswerValues} values`;
  }
  return undefined;
}

/** The place of the quote that ends the string which opens at `start`; behind the text without one. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return text.length;
}
