import { type Codec, refine, struct, u16, u48, u8, wordOf } from '../../src/base/codec.ts';
import { nodeHashCodec } from '../../src/ledger/state-proof.ts';
import { rulesCodec } from '../../src/ledger/namespace.ts';

/** Formats that the sources write and read without a codec, because they need only parts of them. */

function toTheEnd<T>(inner: Codec<T>): Codec<readonly T[]> {
  const values: Codec<readonly T[]> = {
    layout: { type: 'rest', of: inner.layout },
    write(writer, all) {
      for (const one of all) inner.write(writer, one);
    },
    read(reader) {
      const all: T[] = [];
      while (reader.left > 0) all.push(inner.read(reader));
      return all;
    },
  };
  return refine(values, 'at least one', (all) => {
    if (all.length === 0) throw new Error('there is none');
    return all;
  });
}

export const namespaceEntryCodec = struct({ rules: rulesCodec, root: nodeHashCodec, entries: u48 });

export const transactionsIndexCodec = toTheEnd(u16);

export const versionsIndexCodec = struct({
  first: u48,
  changes: toTheEnd(
    struct({ transaction: u16, operation: u8, change: wordOf(['put', 'delete', 'give'] as const) }),
  ),
});
