import { Buffer } from 'node:buffer';
import type { TransactionList } from '../../api/listed.ts';
import { concat, equalBytes, fromHex, toHex, utf8 } from '../../base/bytes.ts';
import { Problem } from '../../base/problem.ts';
import { hashBytes } from '../../crypto/hash.ts';
import { type Height, toHeight } from '../../ledger/block.ts';
import type { ChainStore } from '../../storage/chain-store.ts';

/** Where an entry stands in its list: at a height, and in the block. */
export interface ListPosition {
  readonly height: Height;
  readonly at: number;
}

type Order = 'newest' | 'oldest';

const positionBytes = 10;
const tagBytes = 10;

/** The bytes that set a list apart from every other one. */
export function listName(
  list: TransactionList | { readonly by: 'record'; readonly key: string },
): Uint8Array {
  if (list.by === 'account') return concat(utf8('a'), fromHex(list.account));
  return list.by === 'reference' ? concat(utf8('r'), list.reference) : concat(utf8('k'), utf8(list.key));
}

/**
 * Where a page of a list ends: a position with a tag over it, its list, the order, and the hash of the block
 * there. So it goes on with the same list on the same chain, at any node that has the block, and nowhere
 * else. It is no secret and guards nothing: whoever makes one up gets another page of the same list.
 */
export class ListCursors {
  readonly #store: Pick<ChainStore, 'hashAt'>;

  constructor(store: Pick<ChainStore, 'hashAt'>) {
    this.#store = store;
  }

  /** Null where its block is not known any more. */
  make(position: ListPosition, list: Uint8Array, order: Order): string | null {
    const bytes = Buffer.alloc(positionBytes);
    bytes.writeUIntBE(position.height, 0, 6);
    bytes.writeUInt32BE(position.at, 6);
    const tag = this.#tag(position.height, bytes, list, order);
    return tag === undefined ? null : toHex(concat(bytes, tag));
  }

  /** Throws `api/wrong-cursor`. */
  read(cursor: string, list: Uint8Array, order: Order): ListPosition {
    const given = Buffer.from(cursor, 'hex');
    const bytes = given.subarray(0, positionBytes);
    const height = toHeight(bytes.readUIntBE(0, 6));
    const tag = this.#tag(height, bytes, list, order);
    if (tag !== undefined && equalBytes(tag, given.subarray(positionBytes))) {
      return { height, at: bytes.readUInt32BE(6) };
    }
    const what = tag === undefined ? `this node has no block ${height}` : 'it is of another list or chain';
    throw new Problem('api/wrong-cursor', `the cursor does not fit: ${what}`, {
      remedy:
        'Begin without a cursor. Go on only with the one of the page before, for the same list in the same order, at a node that is as far.',
      details: { height },
    });
  }

  #tag(height: Height, position: Uint8Array, list: Uint8Array, order: Order): Uint8Array | undefined {
    const hash = this.#store.hashAt(height);
    if (hash === undefined) return undefined;
    const said = [fromHex(hash), position, utf8(order), list];
    return hashBytes('quorate/v1/list-cursor', ...said).subarray(0, tagBytes);
  }
}
