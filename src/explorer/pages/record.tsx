import type { JSX } from 'preact';
import { fromHex } from '../../base/bytes.ts';
import { harmless } from '../../base/harmless.ts';
import { Problem } from '../../base/problem.ts';
import type { RecordAnswer } from '../../client/answers.ts';
import { grouped, valueText } from '../../client/plain-words.ts';
import { node } from '../node.ts';
import { PagedList } from '../lists.tsx';
import {
  AccountLink,
  Facts,
  HashLink,
  OneNodesWord,
  ProblemBox,
  Title,
  useAnswer,
  Waiting,
} from '../parts.tsx';
import { linkTo } from '../router.ts';

export function RecordPage({ about }: { about: string }): JSX.Element {
  const answer = useAnswer(() => node.record(about), about);
  return (
    <>
      <Title>Record</Title>
      <p class="mono wrap">{harmless(about)}</p>
      {answer === undefined ? (
        <Waiting />
      ) : answer instanceof Problem ? (
        <ProblemBox problem={answer} />
      ) : (
        <Value record={answer} />
      )}
      <History of={about} />
    </>
  );
}

function Value({ record }: { record: RecordAnswer }): JSX.Element {
  const { text, kind } = valueText(fromHex(record.value));
  const { changed, previous } = record;
  return (
    <>
      <pre class={`value ${kind}`}>{text}</pre>
      <Facts
        rows={[
          ['owner', <AccountLink address={record.owner} />],
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
      <OneNodesWord height={record.height} />
    </>
  );
}

/** All that was ever written under the key, also before it was deleted. */
function History({ of: key }: { of: string }): JSX.Element {
  return (
    <>
      <h2>Versions</h2>
      <PagedList
        head={['version', 'block', 'transaction', 'by', 'change', 'value']}
        ask={(options) => node.recordHistory(key, options)}
        itemsOf={({ versions }) => versions}
        row={({ version, made, transactionHash, by, change, value, to }) => (
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
            <td class="wrap mono">{value === null ? '' : valueText(fromHex(value)).text}</td>
          </tr>
        )}
        nothing="None that this node knows of."
      />
    </>
  );
}
