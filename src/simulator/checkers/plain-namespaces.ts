import type { Operation } from '../../ledger/operation.ts';
import { type Books, fails } from './plain-books.ts';
import type { PlainCode } from './plain-codes.ts';
import type { PlainRecord } from './plain-roots.ts';

/** Claims a namespace, or changes who may write there. */
export function ruleNamespace(
  books: Books,
  sender: string,
  operation: Extract<Operation, { readonly type: 'open-namespace' | 'set-namespace' }>,
): ReturnType<typeof fails> | null {
  const { name } = operation;
  const space = books.namespaces.get(name);
  if (operation.type === 'open-namespace') {
    if (space !== undefined) return fails('transaction/namespace-taken');
    const { mode, writers } = operation;
    books.namespaces.set(name, { owner: sender, mode, writers });
    return null;
  }
  if (space === undefined) return fails('transaction/no-such-namespace');
  if (space.owner !== sender) return fails('transaction/not-namespace-owner');
  const changed = { ...space };
  if (operation.owner !== undefined) changed.owner = operation.owner;
  if (operation.mode !== undefined) changed.mode = operation.mode;
  if (changed.mode === 'open') changed.writers = [];
  if (operation.writers !== undefined) changed.writers = operation.writers;
  if (space.mode === 'append-only' && changed.mode !== space.mode) return fails('transaction/append-only');
  const wantsWriters = changed.mode !== 'open';
  if (wantsWriters !== changed.writers.length > 0) return fails('transaction/namespace-writers');
  books.namespaces.set(name, changed);
  return null;
}

/** Why somebody may not do this to a key; null when nothing forbids it. */
export function forbids(
  books: Books,
  sender: string,
  { type, key }: Extract<Operation, { readonly key: string }>,
  old: PlainRecord | undefined,
): PlainCode | null {
  const owner = old?.content?.owner;
  const [name, ...rest] = key.split('/');
  const space = rest.length === 0 ? null : books.namespaces.get(name ?? '');
  if (space === undefined) return 'transaction/no-such-namespace';
  const hasWriters = space !== null && space.mode !== 'open';
  if (hasWriters && !space.writers.includes(sender)) return 'transaction/not-writer';
  if (owner === undefined) return type === 'put' ? null : 'transaction/no-such-record';
  if (hasWriters) return space.mode === 'append-only' ? 'transaction/append-only' : null;
  return owner === sender ? null : 'transaction/not-owner';
}
