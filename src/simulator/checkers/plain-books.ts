import type { PlainChain } from './plain-chain.ts';
import type { PlainCode } from './plain-codes.ts';
import type {
  PlainAccount,
  PlainFound,
  PlainNamespace,
  PlainRecord,
  PlainReservation,
  PlainState,
} from './plain-roots.ts';

/** Tried on a copy: what fails leaves nothing behind. */
export interface Books {
  readonly accounts: Map<string, PlainAccount>;
  readonly records: Map<string, PlainRecord>;
  readonly reservations: PlainReservation[];
  readonly namespaces: Map<string, PlainNamespace>;
  chain: PlainChain;
}

export const copyOf = ({ accounts, records, reservations, namespaces, chain }: PlainState): Books => ({
  accounts: new Map(accounts),
  records: new Map(records),
  reservations: [...reservations],
  namespaces: new Map(namespaces),
  chain,
});

const nobody: PlainAccount = { balance: 0n, held: 0n, nonce: 0, keys: null };
export const accountIn = ({ accounts }: Books, key: string): PlainAccount => accounts.get(key) ?? nobody;

/** Moves between what an account can spend and what it holds for others. */
export function setAside(books: Books, key: string, amount: bigint): void {
  const account = accountIn(books, key);
  books.accounts.set(key, {
    ...account,
    balance: account.balance - amount,
    held: account.held + amount,
  });
}

export function pay(books: Books, key: string, amount: bigint): void {
  const account = accountIn(books, key);
  books.accounts.set(key, { ...account, balance: account.balance + amount });
}

export const fails = (code: PlainCode, found: PlainFound | null = null) => ({ code, found });
