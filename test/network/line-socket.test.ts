import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import type { MessageStream } from '@libp2p/interface';
import { LineSocket } from '../../src/network/line-socket.ts';
import { eventually } from '../support/eventually.ts';

class FakeLine extends EventTarget {
  readonly socket: Socket;
  readonly heard: string[] = [];
  unread: Buffer;
  readonly readBuffer = {
    slice: (): Buffer => this.unread,
    consume: (bytes: number): void => void (this.unread = this.unread.subarray(bytes)),
  };

  constructor(socket: Socket, unread: string) {
    super();
    this.socket = socket;
    this.unread = Buffer.from(unread);
    socket.on('data', (piece) => this.heard.push(String(piece)));
  }

  close(): Promise<void> {
    this.socket.end();
    return Promise.resolve();
  }

  asLine(): MessageStream {
    return this as unknown as MessageStream;
  }
}

async function withPair(use: (near: Socket, far: Socket) => Promise<void>): Promise<void> {
  const server: Server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  try {
    await use(near, far);
  } finally {
    near.destroy();
    far.destroy();
    server.close();
  }
}

void test('it reads what nobody had heard, and then all that comes, which the line hears no more', async () => {
  await withPair(async (near, far) => {
    const line = new FakeLine(near, 'first ');
    const under = new LineSocket(line.asLine());
    let text = '';
    under.on('data', (piece) => (text += String(piece)));
    far.write('second');
    under.resume();
    await eventually('both came', () => text === 'first second');
    assert.deepEqual([line.heard, line.unread.length], [[], 0]);
  });
});

void test('a piece that is not admitted reaches nobody, and nothing does after the end', async () => {
  await withPair(async (near, far) => {
    const under = new LineSocket(new FakeLine(near, '').asLine());
    const asked: string[] = [];
    const heard: string[] = [];
    under.admits = (piece) => asked.push(String(piece)) > 1;
    under.on('data', (piece) => heard.push(String(piece)));
    under.resume();
    let sent = 0;
    for (const text of ['one', 'two', 'three']) {
      if (text === 'three') under.destroy();
      far.write(text);
      sent += text.length;
      await eventually(text, () => near.bytesRead === sent);
    }
    assert.deepEqual([asked, heard], [['one', 'two'], ['two']]);
  });
});

void test('a write is done when it is away, and the end of the line is told with its reason', async () => {
  await withPair(async (near, far) => {
    const line = new FakeLine(near, '');
    const under = new LineSocket(line.asLine());
    await new Promise<void>((done) => void under.write(Buffer.from('sent'), () => done()));
    assert.equal(String((await once(far, 'data'))[0]), 'sent');
    await new Promise<void>((done) => under.end(() => done()));
    await once(far, 'end');

    const told: unknown[] = [];
    under.on('error', (error) => told.push(error));
    const closed = new Promise<void>((done) => under.on('close', done));
    const error = new Error('broken');
    line.dispatchEvent(Object.assign(new Event('close'), { error }));
    await closed;
    assert.deepEqual([told, under.readable, under.writable], [[error], false, false]);
  });
});

void test('a line that keeps its socket elsewhere is noticed', () => {
  assert.throws(() => new LineSocket(new EventTarget() as unknown as MessageStream), /a line has a socket/);
});
