import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { Door, hostOf } from '../../src/network/door.ts';

/** A door with callers that are told apart by a name. */
class Scene {
  now = 0;
  readonly banned = new Set<string>();
  readonly ended: string[] = [];
  readonly lines = new Map<string, object>();
  readonly door = new Door({ now: () => this.now, isBanned: (block) => this.banned.has(block) });

  call(name: string, address: string): boolean {
    const line = {};
    this.lines.set(name, line);
    return this.door.admit(line, `/ip4/${address}/tcp/4000`, () => this.ended.push(name));
  }

  secure(name: string): boolean {
    return this.door.secure(this.lines.get(name) ?? {});
  }

  /** As many as there are places, all from one address. */
  fill(address: string): void {
    for (let index = 0; index < limits.callers.places; index++) this.call(`${address} ${index}`, address);
  }

  /** Calls from there that get as far as the handshake. */
  handshakes(address: string, calls: number): number {
    let secured = 0;
    for (let index = 0; index < calls; index++) {
      this.call('caller', address);
      if (this.secure('caller')) secured++;
      this.door.leave(this.lines.get('caller') ?? {});
    }
    return secured;
  }
}

const { places, known, block, strangers, again } = limits.callers;

void test('silent callers keep nobody out: the oldest of them goes for each who calls', () => {
  const scene = new Scene();
  scene.fill('10.0.0.1');
  assert.deepEqual(scene.ended, []);
  assert.ok(scene.call('late', '10.0.0.1'));
  assert.ok(scene.call('later', '192.168.7.7'));
  assert.deepEqual(scene.ended, ['10.0.0.1 0', '10.0.0.1 1']);
  assert.equal(scene.door.size, places);
});

void test('who has begun the handshake does not go for who is silent, and the few not for the many', () => {
  const scene = new Scene();
  scene.call('busy', '10.0.0.1');
  assert.ok(scene.secure('busy'));
  scene.call('alone', '192.168.7.7');
  scene.fill('10.0.0.1');
  scene.fill('10.0.0.2');
  assert.ok(!scene.ended.includes('busy'));
  assert.ok(!scene.ended.includes('alone'));
});

void test('a caller from where a member was goes last of the silent ones, also when there are many of them', () => {
  const scene = new Scene();
  scene.door.know('/ip4/10.1.1.1/tcp/7000/p2p/somebody');
  for (let index = 0; index < places / 2; index++) scene.call(`member ${index}`, '10.1.1.1');
  scene.fill('10.0.0.1');
  assert.equal(scene.ended.length, places / 2);
  assert.ok(scene.ended.every((name) => !name.startsWith('member')));
  // The same address block is not the same address.
  scene.call('neighbour', '10.1.1.2');
  scene.fill('10.1.1.1');
  assert.ok(scene.ended.includes('neighbour'));
});

void test('calls have a rate for each address block, and one for all strangers, and no stranger takes of a known one’s', () => {
  const scene = new Scene();
  const heard = (address: string, calls: number): number => {
    let count = 0;
    for (let call = 0; call < calls; call++) if (scene.door.hears(address)) count += 1;
    return count;
  };
  const { calls } = limits.callers;
  scene.door.know('/ip4/10.1.1.1/tcp/7000');
  assert.equal(heard('10.0.0.1', 10_000), calls.block.burst);
  assert.equal(heard('::ffff:10.0.0.2', 10), 0, 'the same block, as IPv6 names it');
  assert.equal(heard('2001:db8::1', 10_000), calls.block.burst);
  assert.equal(heard('2001:db8:0:99::1', 10), 0, 'another address of the same site');
  let all = 2 * calls.block.burst;
  for (let block = 0; block < calls.strangers.burst; block++)
    all += heard(`10.${2 + (block >> 8)}.${block & 255}.1`, 2);
  assert.equal(all, calls.strangers.burst);
  assert.equal(heard('::ffff:10.1.1.1', 10_000), calls.known.burst);
  // Those who call all the time leave something to who did not.
  for (let second = 1; second <= 20; second++) {
    scene.now += 1_000;
    for (let block = 0; block < 40; block++) heard(`10.0.${block}.1`, 100);
    assert.equal(heard(`10.9.${second}.1`, 1), 1, `in second ${second}`);
  }
});

void test('whoever is not wanted from there is not heard, unless its address is known', () => {
  const scene = new Scene();
  scene.banned.add('10.0.0.*');
  assert.equal(scene.door.hears('10.0.0.1'), false);
  scene.door.know('/ip4/10.0.0.1/tcp/7000');
  assert.equal(scene.door.hears('10.0.0.1'), true);
  assert.equal(scene.door.hears('10.0.0.2'), false);
});

void test('handshakes have a rate for each address block, and one for all strangers', () => {
  const scene = new Scene();
  assert.equal(scene.handshakes('10.0.0.1', 1_000), block.burst);
  assert.equal(scene.handshakes('10.0.0.99', 1_000), 0, 'the same block');
  let secured: number = block.burst;
  for (let other = 1; other < strangers.burst; other++) secured += scene.handshakes(`10.0.${other}.1`, 1_000);
  assert.equal(secured, strangers.burst);
  assert.equal(scene.handshakes('10.1.0.1', 1_000), 0);
  scene.now += 1_000;
  assert.equal(scene.handshakes('10.0.0.1', 1_000), block.perSecond);
  secured = block.perSecond;
  for (let other = 0; other < strangers.burst; other++) secured += scene.handshakes(`10.2.${other}.1`, 1_000);
  assert.equal(secured, strangers.perSecond);
});

void test('those who call all the time leave room for who did not call of late', () => {
  const scene = new Scene();
  const crowd = Array.from({ length: 40 }, (_, index) => `10.0.${index}.1`);
  let secured = 0;
  for (let second = 0; second < 200; second++) {
    for (let part = 0; part < 10; part++) {
      scene.now += 100;
      for (const address of crowd) secured += scene.handshakes(address, 1);
    }
    // Once the bursts are used up.
    if (second >= 10) assert.equal(scene.handshakes(`10.1.${second}.1`, 1), 1, `in second ${second}`);
  }
  assert.ok(secured >= 200 * again.perSecond, `${secured} of the crowd`);
});

void test('known addresses have a rate of their own, whatever strangers do', () => {
  const scene = new Scene();
  scene.door.know('/ip4/10.1.1.1/tcp/7000');
  scene.door.know('/ip6/2001:db8::1/tcp/7000');
  scene.handshakes('10.0.0.1', 1_000);
  scene.handshakes('10.0.1.1', 1_000);
  assert.equal(scene.handshakes('10.1.1.1', 1_000), known.burst);
  scene.now += 1_000;
  assert.equal(scene.handshakes('10.1.1.1', 1_000), known.perSecond);
});

void test('a silent caller costs nobody a handshake', () => {
  const scene = new Scene();
  for (let count = 0; count < 50; count++) scene.fill('10.0.0.1');
  scene.call('late', '10.0.0.1');
  assert.ok(scene.secure('late'));
});

void test('from a block whose strangers are banned nobody comes in but who may be a member', () => {
  const scene = new Scene();
  scene.banned.add('10.0.0.*');
  scene.door.know('/ip4/10.0.0.5/tcp/7000');
  assert.equal(scene.call('stranger', '10.0.0.1'), false);
  assert.equal(scene.call('member', '10.0.0.5'), true);
  assert.equal(scene.door.size, 1);
});

void test('who left has no place any more, and may not go on', () => {
  const scene = new Scene();
  scene.call('a', '10.0.0.1');
  scene.door.leave(scene.lines.get('a') ?? {});
  assert.equal(scene.door.size, 0);
  assert.equal(scene.secure('a'), false);
});

void test('a multiaddr names a host when it holds an address', () => {
  assert.equal(hostOf('/ip4/1.2.3.4/tcp/7'), '1.2.3.4');
  assert.equal(hostOf('/ip6/::1/tcp/7'), '::1');
  assert.equal(hostOf('/dns4/example.org/tcp/7'), undefined);
});
