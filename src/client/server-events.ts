/** One event of a stream of server-sent events (WHATWG HTML, section 9.2), with its last id. */
export interface ServerEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** More text than this without an end of an event: the stream is not ours. Thrown by `parseEvents`. */
export class EventTooLong extends Error {
  override readonly name = 'EventTooLong';
}

/**
 * Events of a byte stream, whatever the pieces in which it comes. Each may have this many
 * characters, with its comments.
 */
export async function* parseEvents(
  stream: AsyncIterable<Uint8Array>,
  largest: number,
): AsyncGenerator<ServerEvent, void> {
  const decoder = new TextDecoder();
  let rest = '';
  let size = 0;
  let id = '';
  let event = '';
  let data: string[] = [];
  for await (const piece of stream) {
    rest += decoder.decode(piece, { stream: true });
    // A lone CR at the end may be the first half of CR LF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { id, event, data: data.join('\n') };
        event = '';
        data = [];
        size = 0;
        continue;
      }
      size += line.length;
      if (size > largest) throw new EventTooLong(`an event has more than ${largest} characters`);
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'id') id = value;
      else if (field === 'event') event = value;
      else if (field === 'data') data.push(value);
    }
    if (size + rest.length > largest) throw new EventTooLong(`an event has more than ${largest} characters`);
  }
}

/** Whoever takes long over a block reads nothing meanwhile: only what is waited for can be late. */
export async function* piecesOf(
  body: ReadableStream<Uint8Array>,
  { begin, rest }: { readonly begin: () => void; readonly rest: (bytes: number) => void },
): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    rest(value?.length ?? 0);
    if (done) return;
    yield value;
    begin();
  }
}
