const escape = '\u001b';
const backspaces = new Set(['\b', '\u007f']);
/** Ctrl-U: clears the line. */
const killLine = '\u0015';
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * A line as it is typed into a raw terminal. Keys that write nothing (arrows, function keys, the marks
 * around pasted text: ECMA-48 control sequences) are no characters of it, and a backspace takes off what the
 * person sees as one character.
 */
export class TypedLine {
  #text = '';
  /** `control`: inside a control sequence; it ends with its first byte from @ to ~. */
  #state: 'text' | 'escape' | 'control' | 'single' = 'text';

  get text(): string {
    return this.#text;
  }

  /** One character, as it came; what ends a line is the caller's to see. */
  type(character: string): void {
    switch (this.#state) {
      case 'escape':
        this.#state = character === '[' ? 'control' : character === 'O' ? 'single' : 'text';
        return;
      case 'single':
        this.#state = 'text';
        return;
      case 'control':
        if (character >= '@' && character <= '~') this.#state = 'text';
        return;
      case 'text':
    }
    if (character === escape) this.#state = 'escape';
    else if (character === killLine) this.#text = '';
    else if (backspaces.has(character)) this.#text = withoutLast(this.#text);
    // Other control characters write nothing either.
    else if (character >= ' ') this.#text += character;
  }
}

function withoutLast(text: string): string {
  const last = [...graphemes.segment(text)].at(-1);
  return last === undefined ? '' : text.slice(0, last.index);
}
