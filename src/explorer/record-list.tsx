import type { JSX } from 'preact';
import { harmless } from '../base/harmless.ts';
import { grouped } from '../client/plain-words.ts';
import type { NamespaceMode } from '../ledger/namespace.ts';
import { PagedList } from './lists.tsx';
import { node } from './node.ts';
import { AccountLink } from './parts.tsx';
import { linkTo } from './router.ts';
import { valueInList } from './text.ts';

/** Records by the beginning of their keys, a page at a time. */
export function RecordList({ prefix }: { prefix: string }): JSX.Element {
  return (
    <PagedList
      head={['key', 'value', 'version', 'block', 'owner']}
      ask={({ limit, cursor }) => node.records(prefix, { limit, after: cursor })}
      itemsOf={({ records }) => records}
      row={({ key, value, version, changed, owner }) => (
        <tr key={key}>
          <td class="wrap">
            <a href={linkTo('record', key)}>{harmless(key)}</a>
          </td>
          <td class="wrap mono">{valueInList(value)}</td>
          <td class="number">{grouped(version)}</td>
          <td>
            <a href={linkTo('block', changed.height)}>{grouped(changed.height)}</a>
          </td>
          <td>
            <AccountLink address={owner} />
          </td>
        </tr>
      )}
      nothing="There is none."
      more="Further records"
    />
  );
}

export function writersWords(mode: NamespaceMode, writers: number): string {
  const who = writers === 1 ? 'one writer' : `${grouped(writers)} writers`;
  if (mode === 'open') return 'everybody: a record is its creator’s';
  return mode === 'writers' ? `${who}, any record` : `${who}, who only add records`;
}
