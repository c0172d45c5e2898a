import type { JSX } from 'preact';
import { harmless } from '../base/harmless.ts';
import { grouped } from '../client/plain-words.ts';
import type { NamespaceMode } from '../ledger/namespace.ts';
import { CheckedList } from './checked-list.tsx';
import { PagedList } from './lists.tsx';
import { node } from './node.ts';
import { AccountLink } from './parts.tsx';
import type { ShownRecord } from './proven-state.ts';
import { linkTo } from './router.ts';
import { valueInList } from './text.ts';

const head = ['key', 'value', 'version', 'block', 'owner'];

/** Records by the beginning of their keys, a page at a time. */
export function RecordList({ prefix }: { prefix: string }): JSX.Element {
  return (
    <PagedList
      head={head}
      ask={({ limit, cursor }) => node.records(prefix, { limit, after: cursor })}
      itemsOf={({ records }) => records}
      row={RecordRow}
      nothing="There is none."
      more="Further records"
    />
  );
}

/** All records of a namespace. */
export function NamespaceRecords({ of: name }: { of: string }): JSX.Element {
  return (
    <CheckedList
      head={head}
      row={RecordRow}
      check={async () => (await import('./proven-lists.ts')).recordsShown(name)}
    >
      <RecordList prefix={`${name}/`} />
    </CheckedList>
  );
}

type Listed = Pick<ShownRecord, 'key' | 'value' | 'version' | 'changed' | 'owner'>;

function RecordRow({ key, value, version, changed, owner }: Listed): JSX.Element {
  return (
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
  );
}

export function writersWords(mode: NamespaceMode, writers: number): string {
  const who = writers === 1 ? 'one writer' : `${grouped(writers)} writers`;
  if (mode === 'open') return 'everybody: a record is its creator’s';
  return mode === 'writers' ? `${who}, any record` : `${who}, who only add records`;
}
