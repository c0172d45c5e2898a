/**
 * Text from the network, made harmless: a control character in it must not reach a terminal or a page, and
 * one that turns the direction of writing (Unicode UAX #9) must not make it look like another text.
 */
export function harmless(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replace(/[\u0000-\u001f\u007f-\u009f]/g, '\u{fffd}')
      .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (mark) => `\\u${hexOf(mark)}`)
  );
}

function hexOf(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, '0');
}
