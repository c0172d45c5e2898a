import { Server, Socket } from 'node:net';
import type { Connection, MessageStream } from '@libp2p/interface';
import { defined, invariant } from '../base/invariant.ts';

/*
 * What libp2p does not offer in public, looked up where the pinned version keeps it. Each says when it is not
 * there, and a test fails then.
 */

interface Insides {
  readonly maConn?: { readonly socket?: { readonly bytesRead?: number; readonly writableLength?: number } };
  readonly muxer?: {
    readonly maConn?: { maxWriteBufferLength?: number; readonly writeBufferLength?: number };
  };
}

/**
 * Bytes that came in on a connection, or -1. Any byte shows life: on a slow line a heartbeat may
 * wait long behind a block.
 */
export function receivedBytes(connection: Connection): number {
  return (connection as Insides).maConn?.socket?.bytesRead ?? -1;
}

/**
 * Memory of what was written to a connection and did not leave, or -1. What TLS has begun to send is there
 * as it was and encrypted.
 */
export function unsentBytes(connection: Connection): number {
  const { maConn, muxer } = connection as Insides;
  const plain = muxer?.maConn?.writeBufferLength;
  const encrypted = maConn?.socket?.writableLength;
  return plain === undefined || encrypted === undefined ? -1 : plain + 2 * encrypted;
}

/**
 * Bounds what may wait under the muxer; past it the connection breaks. Streams stop by themselves when the
 * line is full, but answers to the muxer's pings do not: without this, a peer that pings and never reads
 * fills the memory. False when there is nothing to bound.
 */
export function limitWriteBuffer(connection: Connection, maxBytes: number): boolean {
  const line = (connection as Insides).muxer?.maConn;
  if (line === undefined) return false;
  line.maxWriteBufferLength = maxBytes;
  return true;
}

/** The muxer of a connection. Throws when it is not where it is looked for. */
export function muxerOf(connection: Connection): object {
  return defined((connection as Insides).muxer, 'the muxer of a connection');
}

/**
 * The line under a connection, which the gater and the secure channel saw before there was one. Throws when
 * it is not where it is looked for.
 */
export function lineOf(connection: Connection): object {
  return defined((connection as Insides).maConn, 'the line of a connection');
}

/** The socket of a line, before anything is spoken over it. Throws when it is not where it is looked for. */
export function socketOf(line: MessageStream): Socket {
  const { socket } = line as { readonly socket?: unknown };
  invariant(socket instanceof Socket, 'a line has a socket');
  return socket;
}

/** Where a listener takes its calls. Throws when it is not where it is looked for. */
export function serverOf(listener: object): Server {
  const { server } = listener as { readonly server?: unknown };
  invariant(server instanceof Server, 'a listener has a server');
  return server;
}

/** Pieces of bytes in a row. */
interface List {
  slice(): Uint8Array;
  consume(bytes: number): void;
}

/** Takes what came on a line and nobody heard yet. Throws when it is not where it is looked for. */
export function takeUnread(line: MessageStream): Uint8Array {
  const { readBuffer } = line as { readonly readBuffer?: Partial<List> };
  invariant(readBuffer?.slice !== undefined && readBuffer.consume !== undefined, 'a line has unread bytes');
  const bytes = readBuffer.slice();
  readBuffer.consume(bytes.length);
  return bytes;
}
