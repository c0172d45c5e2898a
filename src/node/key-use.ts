import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as z from 'zod/mini';
import { toHex } from '../base/bytes.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { ChainStore } from '../storage/chain-store.ts';
import { writeDurably } from './durable-file.ts';

/** In the store: which store this is. A new one gets a new name. */
const storeIdKey = 'node-store-id';

const useSchema = z.strictObject({
  chains: z.array(z.strictObject({ chainId: z.string(), storeId: z.string(), since: z.string() })),
});
type Uses = z.infer<typeof useSchema>;

/**
 * Notes beside a validator's key that it is used on this chain, with this store, before anything is signed with it. True
 * when no other store was there before: then nothing that it signed can be forgotten. False when the store was replaced
 * (a lost disk, a deleted directory): the engine's amnesia guard then keeps the validator from voting too early.
 */
export async function noteKeyUse(options: {
  readonly path: string;
  readonly chainId: Hash;
  readonly store: ChainStore;
  readonly now: Date;
}): Promise<boolean> {
  const { path, chainId, store, now } = options;
  const storeId = await nameStore(store);
  const uses = await readUses(path);
  const before = uses.chains.find((use) => use.chainId === chainId);
  if (before !== undefined) return before.storeId === storeId;
  const chains = [...uses.chains, { chainId, storeId, since: now.toISOString() }];
  await writeDurably(path, `${JSON.stringify({ chains }, null, 2)}\n`);
  return true;
}

async function nameStore(store: ChainStore): Promise<string> {
  const known = store.logRecords.get(storeIdKey);
  if (known !== undefined) return toHex(known);
  const id = new Uint8Array(randomBytes(16));
  await new Promise<void>((resolve, reject) => {
    store.persist({ records: [{ key: storeIdKey, value: id }], blocks: [] }, (problem) =>
      problem === undefined ? resolve() : reject(problem),
    );
  });
  return toHex(id);
}

async function readUses(path: string): Promise<Uses> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { chains: [] };
    throw unusable(path, cause);
  }
  try {
    return z.parse(useSchema, JSON.parse(text));
  } catch (cause) {
    throw unusable(path, cause);
  }
}

function unusable(path: string, cause: unknown): Problem {
  return new Problem(
    'keys/use-unknown',
    `${path} cannot be read, so it is not known where the key was used`,
    {
      remedy: 'Restore it from a copy. Without it the validator could contradict what it signed before.',
      details: { path },
      cause,
    },
  );
}
