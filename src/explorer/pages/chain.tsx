import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import { engineWords } from '../../client/engine-words.ts';
import { grouped, moment, timeOfDay } from '../../client/plain-words.ts';
import { blocks, rateSeconds, rates } from '../feed.ts';
import { status, why } from '../node.ts';
import { AccountLink, Facts, HashLink, Rows, Tick, Title } from '../parts.tsx';
import { linkTo } from '../router.ts';

const shown = 30;

/** The chain as it grows. */
export function ChainPage(): JSX.Element {
  const { value: now } = status;
  return (
    <>
      <Title>The chain</Title>
      {now !== undefined && (
        <Facts
          rows={[
            ['final height', grouped(Math.max(now.finalHeight, blocks.value[0]?.header.height ?? 0))],
            [engineWords[now.engine].period, grouped(now.view)],
            ['waiting', `${grouped(now.mempool.transactions)} transactions`],
            ['peers', grouped(now.peers)],
          ]}
        />
      )}
      <p>
        {now?.ready === false && 'This node is not ready. '}
        {harmless(why.value)}
      </p>
      <Rates />
      <Rows head={['block', 'final', 'time', 'proposer', 'transactions', 'hash']}>
        {blocks.value.slice(0, shown).map(({ hash, header, transactionCount, verdict }) => (
          <tr key={hash}>
            <td>
              <a href={linkTo('block', header.height)}>{grouped(header.height)}</a>
            </td>
            <td>
              <Tick verdict={verdict} />
            </td>
            <td title={moment(header.timestamp)}>{timeOfDay(header.timestamp)}</td>
            <td>{header.height === 0 ? 'genesis' : <AccountLink address={header.proposer} />}</td>
            <td class="number">{grouped(transactionCount)}</td>
            <td>
              <HashLink page="block" hash={hash} />
            </td>
          </tr>
        ))}
      </Rows>
      <p class="quiet">
        How many transactions a block has is this node’s word; the page of the block checks them all.
      </p>
    </>
  );
}

/** Transactions in the blocks of each of the last seconds. */
function Rates(): JSX.Element {
  const { value: perSecond } = rates;
  const highest = Math.max(0, ...perSecond);
  const now = perSecond.at(-1) ?? 0;
  const says = `${grouped(now)} transactions in the last second, at most ${grouped(highest)} in one of the last minute`;
  return (
    <figure>
      <svg
        class="bars"
        viewBox={`0 0 ${rateSeconds} 20`}
        preserveAspectRatio="none"
        role="img"
        aria-label={says}
      >
        {perSecond.map((count, second) => {
          const height = (20 * count) / Math.max(1, highest);
          return <rect key={second} x={second + 0.1} y={20 - height} width={0.8} height={height} />;
        })}
      </svg>
      <figcaption class="quiet">{says}</figcaption>
    </figure>
  );
}
