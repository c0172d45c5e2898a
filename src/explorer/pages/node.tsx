import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import { grouped, moment } from '../../client/plain-words.ts';
import { status, why } from '../node.ts';
import { AccountLink, Facts, Rows, Title, Waiting } from '../parts.tsx';

/** How the node that served this page is, in its own words. */
export function NodePage(): JSX.Element {
  const { value: now } = status;
  if (now === undefined) return <Waiting />;
  const { validator, mempool } = now;
  return (
    <>
      <Title>This node</Title>
      <p>{harmless(why.value)}</p>
      <Facts
        rows={[
          ['chain', `${harmless(now.chainName)} (${now.engine})`],
          ['chain id', <span class="mono">{now.chainId}</span>],
          ['kind', now.development ? 'for development: its keys are public' : 'not for development'],
          ['version', harmless(now.version)],
          [
            'takes part as',
            validator === null ? (
              'observer'
            ) : (
              <>
                validator {validator.index}, <AccountLink address={validator.address} />
              </>
            ),
          ],
          ['ready', now.ready ? 'yes' : 'no'],
          ['votes', now.voting ? 'yes' : 'no'],
          ['contact to a quorum', now.quorumContact ? 'yes' : 'no'],
          ['catching up', now.syncing ? `yes, with height ${grouped(now.highestKnown)}` : 'no'],
          ['final height', `${grouped(now.finalHeight)}, ${moment(now.finalTimestamp)}`],
          ['waiting', `${grouped(mempool.transactions)} transactions, ${grouped(mempool.bytes)} bytes`],
          ['peers', grouped(now.peers)],
          ['up for', `${grouped(Math.floor(now.uptimeMs / 1000))} s`],
        ]}
      />
      <h2>Counters</h2>
      <Rows head={['counter', 'count']}>
        {Object.entries(now.counters).map(([name, count]) => (
          <tr key={name}>
            <td>{harmless(name)}</td>
            <td class="number">{grouped(count)}</td>
          </tr>
        ))}
      </Rows>
    </>
  );
}
