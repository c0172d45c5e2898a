import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '../../src/base/invariant.ts';
import { GuardedYamux } from '../../src/network/guarded-yamux.ts';
import { StrangersBudget } from '../../src/network/line-budget.ts';
import { updateWindowLate } from '../../src/network/window-updates.ts';
import { eventually } from '../support/eventually.ts';
import { addressOf, Libp2pWorld } from './libp2p-world.ts';
import { Line, portOf } from './line.ts';
import { Recorder } from './recorder.ts';

const whole = 800;

/** As much of a stream of the muxer as is looked at, and how often it told that more may be sent. */
function stream(state: number, left: number) {
  const made = {
    state,
    recvWindow: whole,
    recvWindowCapacity: left,
    told: 0,
    sendWindowUpdate() {
      this.told += 1;
      this.recvWindowCapacity = whole;
    },
    abort: () => assert.fail('nothing is wrong with it'),
  };
  updateWindowLate(made);
  return made;
}

void test('the other side hears that it may send more when an eighth was used, and not before', () => {
  const used = stream(3, whole - whole / 8 + 1);
  used.sendWindowUpdate();
  assert.equal(used.told, 0);
  used.recvWindowCapacity -= 1;
  used.sendWindowUpdate();
  assert.equal(used.told, 1);
});

void test('what opens a stream is said at once, and a paused one decides by itself', () => {
  for (const state of [0, 1, 2, 5]) {
    const other = stream(state, whole);
    other.sendWindowUpdate();
    assert.equal(other.told, 1, `state ${state}`);
  }
});

void test('a muxer that keeps these elsewhere is noticed', () => {
  assert.throws(() => updateWindowLate({}), InvariantError);
  assert.throws(() => updateWindowLate({ sendWindowUpdate: () => undefined }), InvariantError);
  const other = { state: 3, sendWindowUpdate: () => undefined, abort: () => undefined };
  updateWindowLate(other);
  assert.throws(() => other.sendWindowUpdate(), InvariantError);
});

void test('a stream that is opened on a line that was reset ends, and not the process', async () => {
  const gone = new Error('Cannot write to a stream that is closed');
  const nothing = (): void => undefined;
  const log = Object.assign(nothing, { error: nothing, trace: nothing, newScope: (): unknown => log });
  const line = Object.assign(new EventTarget(), {
    status: 'open',
    log,
    send: () => {
      throw gone;
    },
  });
  const muxer = new GuardedYamux({
    init: {},
    strangers: new StrangersBudget(0),
    isProtocol: () => true,
    now: () => 0,
  })
    .service()
    .createStreamMuxer(line as never);
  const stream = await muxer.createStream();
  assert.equal(stream.status, 'aborted');
});

void test('small messages cost no answer each, and more than a window goes through', async () => {
  const world = new Libp2pWorld();
  const line = await Line.open();
  try {
    // Beats would be answers of another kind.
    const tuning = { heartbeatMs: 600_000 };
    const to = await world.create({ index: 0, tuning });
    const arrived = new Recorder();
    await to.start(arrived);
    line.leadTo(portOf(addressOf(to)));
    const from = await world.create({ index: 1, tuning, peers: [`/ip4/127.0.0.1/tcp/${line.port}`] });
    await from.start(new Recorder());
    const send = async (size: number, count: number): Promise<void> => {
      const before = arrived.count('message');
      for (let sent = 1; sent <= count; sent++) {
        from.send(to.self, new Uint8Array(size));
        await eventually('it is there', () => arrived.count('message') === before + sent);
      }
    };
    await eventually('they are connected', () => from.peers().length === 1 && to.peers().length === 1);
    await send(155, 20);
    const before = line.back;
    await send(155, 100);
    // One answer is 34 bytes.
    assert.ok(line.back - before < 10 * 34, `${line.back - before} bytes came back`);
    await send(60_000, 40);
  } finally {
    await world.close();
    await line.close();
  }
});
