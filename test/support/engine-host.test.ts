import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlockName, Effect, Engine } from '../../src/consensus/engine.ts';
import { hash, type Hash } from '../../src/crypto/hash.ts';
import { type Proposal, toHeight } from '../../src/ledger/block.ts';
import { EngineHost, type Validated } from './engine-host.ts';

const named = (number: number): Hash => hash('quorate/v1/transaction', new Uint8Array([number]));

/** Its engine has the effects that a test gives it. */
class ScriptedHost extends EngineHost<object, Engine<object>> {
  constructor(height = 0) {
    super(0);
    this.restart(height);
  }

  #height = 0;

  restart(height: number): void {
    this.#height = height;
    this.begin({} as Engine<object>);
  }

  gives(...effects: readonly Effect<object>[]): void {
    this.take({ step: () => effects } as unknown as Engine<object>, { type: 'tick', now: 0 });
  }

  override finalBlock(): BlockName {
    return { height: toHeight(this.#height), blockHash: named(this.#height) };
  }

  protected override blockOf(): Proposal | undefined {
    return undefined;
  }

  protected override pool(): Iterable<Hash> {
    return [];
  }

  protected override faultOf(): Validated | null {
    return null;
  }
}

const final = (
  height: number,
  blockHash = named(height),
  parentHash = named(height - 1),
): Effect<object> => ({
  type: 'commit',
  link: { height: toHeight(height), blockHash, parentHash, isLast: false },
  certificate: null,
});
const write = (seq: number, ...blocks: Hash[]): Effect<object> => ({
  type: 'persist',
  seq,
  records: [],
  sign: [],
  blocks,
});

test('an engine whose final blocks come in order and link is let go on', () => {
  new ScriptedHost(4).gives(final(5), write(1), final(6), write(2));
});

test('an engine that leaves a height out, or tells one twice, is stopped', () => {
  assert.throws(() => new ScriptedHost().gives(final(2)), /in order/);
  assert.throws(() => new ScriptedHost().gives(final(1), final(1)), /in order/);
});

test('an engine whose final block stands on another than the last one is stopped', () => {
  assert.throws(() => new ScriptedHost().gives(final(1), final(2, named(2), named(7))), /link/);
});

test('an engine that makes another block final after a restart is stopped', () => {
  const host = new ScriptedHost();
  host.gives(final(1));
  host.restart(0);
  assert.throws(() => host.gives(final(1, named(9))), /never changes/);
});

test('an engine that asks for writes out of their order is stopped', () => {
  assert.throws(() => new ScriptedHost().gives(write(2), write(1)), /order of their numbers/);
});
