import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import { grouped } from '../../client/plain-words.ts';
import { PagedList } from '../lists.tsx';
import { node } from '../node.ts';
import { AccountLink, OneNodesWord, Title } from '../parts.tsx';
import { RecordList, writersWords } from '../record-list.tsx';
import { linkTo } from '../router.ts';

/** Records and namespaces by the beginning of their names. */
export function RecordsPage({ about: prefix }: { about: string }): JSX.Element {
  return (
    <>
      <Title>Records</Title>
      <PrefixForm prefix={prefix} />
      <OneNodesWord />
      {/* What has a "/" in it is no beginning of a name. */}
      {!prefix.includes('/') && (
        <>
          <h2>Namespaces</h2>
          <PagedList
            head={['name', 'owner', 'who may write', 'keys']}
            ask={({ limit, cursor }) => node.namespaces(prefix, { limit, after: cursor })}
            itemsOf={({ namespaces }) => namespaces}
            row={({ name, owner, mode, writers, entries }) => (
              <tr key={name}>
                <td class="wrap">
                  <a href={linkTo('namespace', name)}>{harmless(name)}</a>
                </td>
                <td>
                  <AccountLink address={owner} />
                </td>
                <td class="wrap">{writersWords(mode, writers.length)}</td>
                <td class="number">{grouped(entries)}</td>
              </tr>
            )}
            nothing="None was opened."
            more="Further namespaces"
          />
          <h2>Records</h2>
        </>
      )}
      <RecordList prefix={prefix} />
    </>
  );
}

function PrefixForm({ prefix }: { prefix: string }): JSX.Element {
  const wanted = useSignal(prefix);
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        location.hash = linkTo('records', wanted.value);
      }}
    >
      <label>
        Names and keys that begin with{' '}
        <input
          value={wanted.value}
          placeholder="all"
          onInput={({ currentTarget }) => (wanted.value = currentTarget.value)}
        />
      </label>
      <button type="submit">List them</button>
    </form>
  );
}
