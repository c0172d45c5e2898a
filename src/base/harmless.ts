/**
 * Text from the network, made harmless: a control character in it must not reach a terminal or a page, and
 * one that turns the direction of writing (Unicode UAX #9), or that nobody sees, must not make it look like
 * another text. Those that join letters and emoji stay: scripts are written with them.
 */
export function harmless(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replace(/[\u0000-\u001f\u007f-\u009f]/g, '\u{fffd}')
      .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, escaped)
      .replace(
        /[\u00ad\u115f\u1160\u180e\u200b\u2028\u2029\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0]/g,
        escaped,
      )
  );
}

function escaped(mark: string): string {
  return `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
