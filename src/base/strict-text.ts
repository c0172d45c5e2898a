/** `ignoreBOM` keeps the mark, whatever its name says. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A text that is what its bytes say, to the last character; or as a part of a sentence, why there is none.
 */
type StrictText = { readonly text: string } | { readonly fault: string };

/**
 * The text of bytes that name or protect something: a key file, a genesis, settings, a password, a token.
 * Whatever would not come back whole is refused: UTF-16, other encodings, and U+FFFD, which stands where some
 * program could not read what was there. Two that differ would be one after that. A byte order mark stays,
 * for the reader of what it stands before to name.
 */
export function strictText(bytes: Uint8Array): StrictText {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return { fault: 'it is in UTF-16, and not in UTF-8' };
  }
  try {
    return wholeText(decoder.decode(bytes));
  } catch {
    return { fault: 'it is not UTF-8 text' };
  }
}

/** The same for text that the system handed over: the environment, the command line. */
export function wholeText(text: string): StrictText {
  if (text.includes('\ufffd')) return { fault: 'it holds U+FFFD, which stands for what could not be read' };
  return text.isWellFormed() ? { text } : { fault: 'it holds half of a surrogate pair' };
}
