/**
 * The value of a JSON text (RFC 8259). Throws a SyntaxError that says what is wrong. Two things that other
 * readers let pass are refused, because what a person sees in the file would not be what counts: a name that
 * stands twice in one object (the RFC leaves open which of them counts), and a byte order mark at the start.
 */
export function parseStrictJson(text: string): unknown {
  if (text.startsWith('\ufeff')) throw new SyntaxError('it starts with a byte order mark (U+FEFF)');
  const value: unknown = JSON.parse(text);
  refuseRepeatedNames(text);
  return value;
}

const structure = /["{}]/g;
const colonNext = /\s*:/y;

/** The text is valid: a quote opens a string, and a string with a colon behind it is a name. */
function refuseRepeatedNames(text: string): void {
  const open: Set<string>[] = [];
  structure.lastIndex = 0;
  for (let found = structure.exec(text); found !== null; found = structure.exec(text)) {
    if (found[0] === '{') open.push(new Set());
    else if (found[0] === '}') open.pop();
    else {
      const end = endOfString(text, found.index);
      colonNext.lastIndex = structure.lastIndex = end;
      if (!colonNext.test(text)) continue;
      // Escapes are ways of writing: "a" and "\u0061" are one name.
      const name = JSON.parse(text.slice(found.index, end)) as string;
      const names = open.at(-1);
      if (names?.has(name) === true) {
        throw new SyntaxError(`the name ${JSON.stringify(name.slice(0, 64))} stands twice in one object`);
      }
      names?.add(name);
    }
  }
}

/** The place behind the quote that closes the string which opens at `start`. */
function endOfString(text: string, start: number): number {
  let at = start;
  for (;;) {
    at = text.indexOf('"', at + 1);
    let backslashes = 0;
    while (text[at - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
}
