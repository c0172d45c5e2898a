import { varint } from './raw-connection.ts';

/** Gossipsub's RPCs, written by hand: protocol buffers, behind their length. See rpc.proto of the gossipsub specification. */
export function rpc(...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(body.length), body]);
}

/** RPC.publish: unsigned messages of one topic. */
export function publishRpc(topic: string, messages: readonly Uint8Array[]): Buffer {
  return rpc(
    ...messages.map((data) => field(2, Buffer.concat([field(2, data), field(4, Buffer.from(topic))]))),
  );
}

/** RPC.subscriptions. */
export function subscribeRpc(topics: readonly string[], subscribe = true): Buffer {
  return rpc(
    ...topics.map((topic) =>
      field(1, Buffer.concat([number(1, subscribe ? 1 : 0), field(2, Buffer.from(topic))])),
    ),
  );
}

/** RPC.control: kinds of ControlMessage by their field, ihave 1, iwant 2, graft 3, prune 4, idontwant 5. */
export function controlRpc(parts: readonly Uint8Array[]): Buffer {
  return rpc(field(3, Buffer.concat(parts)));
}

/** A field of bytes. */
export function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** A field that is a number. */
export function number(place: number, value: number): Buffer {
  return Buffer.concat([varint(place * 8), varint(value)]);
}

/** Hears the RPCs of a node: the messages that it publishes. */
export class GossipReader {
  readonly #onMessage: (topic: string, data: Buffer) => void;
  #heard = Buffer.alloc(0);

  constructor(onMessage: (topic: string, data: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  read(piece: Buffer): void {
    this.#heard = Buffer.concat([this.#heard, piece]);
    for (;;) {
      const size = readVarint(this.#heard, 0);
      if (size === undefined || this.#heard.length < size.end + size.value) return;
      const body = this.#heard.subarray(size.end, size.end + size.value);
      this.#heard = this.#heard.subarray(size.end + size.value);
      for (const message of fieldsOf(body, 2)) {
        const [data] = fieldsOf(message, 2);
        const [topic] = fieldsOf(message, 4);
        if (data !== undefined && topic !== undefined) this.#onMessage(topic.toString(), data);
      }
    }
  }
}

/** The fields of bytes with a number, in order. */
function fieldsOf(bytes: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const key = readVarint(bytes, at);
    const size = key && readVarint(bytes, key.end);
    if (key === undefined || size === undefined) break;
    at = size.end;
    if (key.value % 8 !== 2) continue;
    if (Math.floor(key.value / 8) === wanted) found.push(bytes.subarray(at, at + size.value));
    at += size.value;
  }
  return found;
}

function readVarint(bytes: Buffer, from: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let at = from; at < bytes.length && at < from + 6; at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 128 ** (at - from);
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}
