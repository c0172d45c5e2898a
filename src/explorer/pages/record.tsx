import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { fromHex } from '../../base/bytes.ts';
import { harmless } from '../../base/harmless.ts';
import { grouped, valueText } from '../../client/plain-words.ts';
import { useAskedAgain } from '../asked-again.ts';
import { CheckedList } from '../checked-list.tsx';
import { blocks } from '../feed.ts';
import { PagedList } from '../lists.tsx';
import { node } from '../node.ts';
import { AccountLink, Facts, HashLink, ProblemBox, Title, Waiting } from '../parts.tsx';
import type { ShownVersion } from '../proven-lists.ts';
import { type ShownRecord, recordShown } from '../proven-state.ts';
import { RecordDiff } from '../record-diff.tsx';
import { linkTo } from '../router.ts';
import { StateSteps } from '../steps.tsx';
import { linesIn, valueInList } from '../text.ts';

export function RecordPage({ about }: { about: string }): JSX.Element {
  const isWatched = useSignal(false);
  const top = isWatched.value ? (blocks.value[0]?.header.height ?? 0) : 'once';
  const { answer, problem } = useAskedAgain(() => recordShown(about), `${top}`);
  // What is shown of its past is asked for anew when there is a newer version, or none any more.
  const version = problem === undefined ? `${answer?.version}` : problem.code;
  return (
    <>
      <Title>Record</Title>
      <p class="mono wrap">{harmless(about)}</p>
      <p>
        <label>
          <input
            type="checkbox"
            checked={isWatched.value}
            onChange={({ currentTarget }) => (isWatched.value = currentTarget.checked)}
          />{' '}
          Watch it: look again after each block
        </label>
      </p>
      {isWatched.value && <Watched record={problem === undefined ? answer : undefined} />}
      {problem !== undefined ? (
        <ProblemBox problem={problem} />
      ) : answer === undefined ? (
        <Waiting />
      ) : (
        <Value record={answer} />
      )}
      <History key={`history/${version}`} of={about} />
      <RecordDiff key={`diff/${version}`} of={about} />
    </>
  );
}

/** Said by a screen reader whenever it is another version. */
function Watched({ record }: { record: ShownRecord | undefined }): JSX.Element {
  return (
    <p role="status">
      {record === undefined
        ? 'Watched: there is no such record now.'
        : `Watched: version ${record.version} since block ${grouped(record.changed.height)}.`}
    </p>
  );
}

function Value({ record }: { record: ShownRecord }): JSX.Element {
  const lines = record.value === '' ? undefined : linesIn(record.value);
  const { text, kind } =
    lines === undefined ? valueText(fromHex(record.value)) : { text: lines.join('\n'), kind: 'text' };
  const { changed, previous } = record;
  return (
    <>
      <pre class={`value ${kind}`}>{text}</pre>
      <Facts
        rows={[
          ['owner', <AccountLink address={record.owner} />],
          ['namespace', <NamespaceOf recordKey={record.key} />],
          ['version', grouped(record.version)],
          [
            'made in',
            <a href={linkTo('block', changed.height)}>
              block {grouped(changed.height)}, transaction {changed.transaction + 1}
            </a>,
          ],
          [
            'version before',
            previous === null ? (
              'none: this is the first'
            ) : (
              <a href={linkTo('block', previous.height)}>
                block {grouped(previous.height)}, transaction {previous.transaction + 1}
              </a>
            ),
          ],
        ]}
      />
      <StateSteps {...record} />
    </>
  );
}

function NamespaceOf({ recordKey }: { recordKey: string }): JSX.Element {
  const end = recordKey.indexOf('/');
  if (end < 0) return <>none: there is no “/” in its key</>;
  const name = recordKey.slice(0, end);
  return <a href={linkTo('namespace', name)}>{harmless(name)}</a>;
}

/** All that was ever written under the key, also before it was deleted. */
function History({ of: key }: { of: string }): JSX.Element {
  const head = ['version', 'block', 'transaction', 'by', 'change', 'value'];
  return (
    <>
      <h2>Versions</h2>
      <CheckedList
        head={head}
        row={VersionRow}
        check={async () => (await import('../proven-lists.ts')).historyShown(key)}
      >
        <PagedList
          head={head}
          ask={(options) => node.recordHistory(key, options)}
          itemsOf={({ versions }) => versions}
          row={VersionRow}
          nothing="None that this node knows of."
        />
      </CheckedList>
    </>
  );
}

function VersionRow(shown: ShownVersion): JSX.Element {
  const { version, made, transactionHash, by, change, value, to } = shown;
  return (
    <tr key={version}>
      <td class="number">{version}</td>
      <td>
        <a href={linkTo('block', made.height)}>{grouped(made.height)}</a>
      </td>
      <td>
        <HashLink page="transaction" hash={transactionHash} />
      </td>
      <td>
        <AccountLink address={by} />
      </td>
      <td>
        {change} {to !== null && <AccountLink address={to} />}
      </td>
      <td class="wrap mono">{value === null ? '' : valueInList(value)}</td>
    </tr>
  );
}
