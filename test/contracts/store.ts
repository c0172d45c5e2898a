import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { compareBytes, toHex } from '../../src/base/bytes.ts';
import { InvariantError } from '../../src/base/invariant.ts';
import type { Store, Write } from '../../src/storage/port.ts';

/** A place that holds one store's data, open or not. */
export interface Place {
  open(): Promise<Store>;
  remove(): Promise<void>;
}

export const key = (...bytes: number[]): Uint8Array => Uint8Array.of(...bytes);
export const put = (at: Uint8Array, value: Uint8Array): Write => ({ type: 'put', key: at, value });
export const del = (at: Uint8Array): Write => ({ type: 'del', key: at });

export function write(store: Store, batch: readonly Write[]): Promise<void> {
  return new Promise((resolve, reject) => {
    store.write(batch, (problem) => (problem === undefined ? resolve() : reject(problem)));
  });
}

const everything = { from: key(), to: key(255, 255) };

/** What every implementation of the store port promises. */
export function storeContract(name: string, makePlace: () => Promise<Place>): void {
  const withPlace = (run: (place: Place) => Promise<void>) => async (): Promise<void> => {
    const place = await makePlace();
    try {
      await run(place);
    } finally {
      await place.remove();
    }
  };
  const withStore = (run: (store: Store) => Promise<void>): (() => Promise<void>) =>
    withPlace(async (place) => {
      const store = await place.open();
      try {
        await run(store);
      } finally {
        await store.close();
      }
    });

  describe(`store contract: ${name}`, () => {
    test(
      'what is written is read, until it is deleted',
      withStore(async (store) => {
        assert.equal(store.get(key(1)), undefined);
        await write(store, [put(key(1), key(7, 8)), put(key(2), key())]);
        assert.deepEqual(store.get(key(1)), key(7, 8));
        assert.deepEqual(store.get(key(2)), key());
        await write(store, [del(key(1)), del(key(9))]);
        assert.equal(store.get(key(1)), undefined);
      }),
    );

    test(
      'within a batch the later change of a key counts',
      withStore(async (store) => {
        await write(store, [put(key(1), key(1)), put(key(1), key(2)), put(key(2), key(1)), del(key(2))]);
        assert.deepEqual(store.get(key(1)), key(2));
        assert.equal(store.get(key(2)), undefined);
      }),
    );

    test(
      '`done` comes later, once per batch, in the order of the calls, also for an empty batch',
      withStore(async (store) => {
        const order: number[] = [];
        let returned = false;
        await new Promise<void>((resolve, reject) => {
          for (let index = 0; index < 50; index++) {
            const batch = index % 7 === 0 ? [] : [put(key(1), key(index))];
            store.write(batch, (problem) => {
              if (problem !== undefined || !returned) reject(problem ?? new Error('done came at once'));
              order.push(index);
              if (index === 49) resolve();
            });
          }
          returned = true;
        });
        assert.deepEqual(
          order,
          Array.from({ length: 50 }, (_, index) => index),
        );
        assert.deepEqual(store.get(key(1)), key(48));
      }),
    );

    test(
      'when `done` comes, the whole batch is there, and all before it',
      withStore(async (store) => {
        const seen: boolean[] = [];
        const batches = Array.from({ length: 20 }, (_, index) => [
          put(key(1, index), key(index)),
          put(key(2, index), new Uint8Array(10_000).fill(index)),
        ]);
        await Promise.all(
          batches.map(async (batch, index) => {
            await write(store, batch);
            for (let before = 0; before <= index; before++) {
              seen.push(
                store.get(key(1, before))?.[0] === before && store.get(key(2, before))?.length === 10_000,
              );
            }
          }),
        );
        assert.equal(seen.length, 210);
        assert.ok(seen.every(Boolean));
      }),
    );

    test(
      'a batch may be written from within `done`',
      withStore(async (store) => {
        await new Promise<void>((resolve, reject) => {
          store.write([put(key(1), key(1))], () => {
            store.write([put(key(1), key(2))], (problem) =>
              problem === undefined ? resolve() : reject(problem),
            );
          });
        });
        assert.deepEqual(store.get(key(1)), key(2));
      }),
    );

    test(
      'bytes given and taken are the caller’s own',
      withStore(async (store) => {
        const [given, value] = [key(1), key(5, 5)];
        const written = write(store, [put(given, value)]);
        await written;
        given.fill(9);
        value.fill(9);
        const taken = store.get(key(1));
        assert.deepEqual(taken, key(5, 5));
        taken?.fill(9);
        assert.deepEqual(store.get(key(1)), key(5, 5));
        const [[, scanned] = []] = await store.scan(everything);
        scanned?.fill(9);
        assert.deepEqual(store.get(key(1)), key(5, 5));
      }),
    );

    test(
      'a scan gives what is in its range, in the order of bytes, up to its limit',
      withStore(async (store) => {
        const keys = [key(1), key(1, 0), key(1, 255), key(2), key(10), key(100), key(200, 1), key(254)];
        await write(
          store,
          keys.toReversed().map((each) => put(each, each)),
        );
        const found = async (range: {
          from: Uint8Array;
          to: Uint8Array;
          limit?: number;
          reverse?: boolean;
        }): Promise<string[]> =>
          (await store.scan(range)).map(([each, value]) => {
            assert.deepEqual(value, each);
            return toHex(each);
          });
        assert.deepEqual(await found(everything), keys.map(toHex));
        assert.deepEqual(await found({ from: key(1, 0), to: key(10) }), ['0100', '01ff', '02']);
        assert.deepEqual(await found({ from: key(1, 0), to: key(10), limit: 2 }), ['0100', '01ff']);
        assert.deepEqual(await found({ from: key(1, 0), to: key(10), reverse: true }), [
          '02',
          '01ff',
          '0100',
        ]);
        assert.deepEqual(await found({ from: key(2), to: key(200), limit: 2, reverse: true }), ['64', '0a']);
        assert.deepEqual(await found({ from: key(3), to: key(10) }), []);
        assert.deepEqual(await found({ from: key(10), to: key(10) }), []);
        assert.deepEqual(await found({ from: key(1), to: key(255), limit: 0 }), []);
      }),
    );

    test(
      'compacting a range changes nothing that is read, and may be under way when the store is closed',
      withPlace(async (place) => {
        const store = await place.open();
        await write(store, [put(key(1), key(1)), put(key(2), key(2)), put(key(3), key(3))]);
        await write(store, [del(key(2))]);
        const left = [
          [key(1), key(1)],
          [key(3), key(3)],
        ];
        await store.compact({ from: key(1), to: key(3) }, 0);
        assert.deepEqual(await store.scan(everything), left);
        const [under] = [store.compact(everything, 0), store.compact(everything, 0)];
        await store.close();
        await under;
        const again = await place.open();
        assert.deepEqual(await again.scan(everything), left);
        await again.close();
      }),
    );

    test(
      'whoever hears of the last batches while the store closes may ask to compact: that is left undone',
      withPlace(async (place) => {
        const store = await place.open();
        const answers: unknown[] = [];
        let compacted: Promise<void> | undefined;
        store.write([put(key(1), key(1))], (problem) => {
          compacted = store.compact(everything, 0);
          answers.push(problem);
        });
        await store.close();
        await compacted;
        assert.deepEqual(answers, [undefined]);
        const again = await place.open();
        assert.deepEqual(await again.scan(everything), [[key(1), key(1)]]);
        await again.close();
      }),
    );

    test(
      'close finishes what was taken, and the data is there when it is opened again',
      withPlace(async (place) => {
        const first = await place.open();
        const answers: unknown[] = [];
        for (let index = 0; index < 20; index++) {
          first.write([put(key(1, index), key(index))], (problem) => answers.push(problem));
        }
        await first.close();
        assert.deepEqual(answers, Array.from({ length: 20 }));
        const second = await place.open();
        assert.equal((await second.scan(everything)).length, 20);
        assert.deepEqual(second.get(key(1, 19)), key(19));
        await second.close();
      }),
    );

    test(
      'a batch may be made while it is read, each change in the memory of the one before',
      withStore(async (store) => {
        const change = { type: 'put' as const, key: key(1), value: key(1) };
        function* batch(): Generator<Write> {
          for (const byte of [1, 2, 3]) {
            change.key[0] = byte;
            change.value[0] = 10 * byte;
            yield change;
          }
        }
        const written = new Promise<void>((resolve) => store.write(batch(), () => resolve()));
        change.key[0] = 4;
        change.value[0] = 40;
        await written;
        assert.deepEqual(
          await store.scan(everything),
          [1, 2, 3].map((byte) => [key(byte), key(10 * byte)]),
        );
      }),
    );

    test(
      'nothing is written of a batch that is not made to its end, nor of what comes with it',
      withPlace(async (place) => {
        const store = await place.open();
        await write(store, [put(key(1), key(1))]);
        function* batch(): Generator<Write> {
          yield put(key(2), key(2));
          throw new InvariantError('not made to its end');
        }
        assert.throws(() => store.write(batch(), () => undefined), InvariantError);
        await store.close();
        const again = await place.open();
        assert.deepEqual(await again.scan(everything), [[key(1), key(1)]]);
        await again.close();
      }),
    );

    test(
      'a closed store, and byte 0, are not for use',
      withPlace(async (place) => {
        const store = await place.open();
        assert.throws(() => store.write([put(key(0, 1), key())], () => undefined), InvariantError);
        await store.close();
        assert.throws(() => store.get(key(1)), InvariantError);
        assert.throws(() => store.write([], () => undefined), InvariantError);
        await assert.rejects(store.scan(everything), InvariantError);
      }),
    );

    test('any batches and reopenings behave as a sorted map', async () => {
      const someKey = fc
        .uint8Array({ minLength: 1, maxLength: 3, min: 1, max: 3 })
        .map((bytes) => Uint8Array.from(bytes));
      const change: fc.Arbitrary<Write> = fc.oneof(
        fc.record({
          type: fc.constant('put' as const),
          key: someKey,
          value: fc.uint8Array({ maxLength: 6 }).map((bytes) => Uint8Array.from(bytes)),
        }),
        fc.record({ type: fc.constant('del' as const), key: someKey }),
      );
      const step = fc.oneof(
        { weight: 8, arbitrary: fc.array(change, { maxLength: 6 }) },
        { weight: 1, arbitrary: fc.constant('reopen' as const) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
          const place = await makePlace();
          let store = await place.open();
          const model = new Map<string, Write & { type: 'put' }>();
          const written: Promise<void>[] = [];
          for (const each of steps) {
            if (each === 'reopen') {
              await store.close();
              store = await place.open();
              continue;
            }
            written.push(write(store, each));
            for (const one of each) {
              if (one.type === 'put') model.set(toHex(one.key), one);
              else model.delete(toHex(one.key));
            }
          }
          await Promise.all(written);
          const expected = [...model.values()]
            .sort((a, b) => compareBytes(a.key, b.key))
            .map((one) => [one.key, one.value]);
          assert.deepEqual(await store.scan(everything), expected);
          await store.close();
          await place.remove();
        }),
        { seed: 20261123, numRuns: 25 },
      );
    });
  });
}
