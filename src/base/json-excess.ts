import { limits } from './limits.ts';
import { parseStrictJson } from './strict-json.ts';

/**
 * Why a text is not parsed as JSON: it has more levels or values than anything that we read. Brackets that
 * take few bytes on their way, compressed, take seconds and a gigabyte once they are parsed, and whoever
 * walks through their levels runs out of stack. Undefined for what may be parsed, whether it is JSON or not.
 */
export function excessIn(text: string): string | undefined {
  let levels = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === '"') at = endOfString(text, at);
    else if (letter === ']' || letter === '}') levels -= 1;
    else if (letter === '[' || letter === '{') levels += 1;
    if (letter === '[' || letter === '{' || letter === ',') values += 1;
    if (levels > limits.jsonLevels) return `it has more than ${limits.jsonLevels} levels`;
    if (values > limits.jsonValues) return `it has more than ${limits.jsonValues} values`;
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

/** As `parseStrictJson`, of a text that anybody may have written: what is too much in it is an error too. */
export function parseForeignJson(text: string): unknown {
  const excess = excessIn(text);
  if (excess !== undefined) throw new SyntaxError(excess);
  return parseStrictJson(text);
}
