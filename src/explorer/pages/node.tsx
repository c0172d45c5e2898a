import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import { Problem } from '../../base/problem.ts';
import type { StatusAnswer } from '../../client/answers.ts';
import { grouped, moment } from '../../client/plain-words.ts';
import { useAskedAgain } from '../asked-again.ts';
import { node, status, why } from '../node.ts';
import { AccountLink, Facts, ProblemBox, Rows, Title, Waiting } from '../parts.tsx';
import { SeenHere } from '../seen-here.tsx';

/** How the node that served this page is, in its own words. */
export function NodePage(): JSX.Element {
  const { value: now } = status;
  if (now === undefined) return <Waiting />;
  const { validator, mempool } = now;
  return (
    <>
      <Title>This node</Title>
      <h2>What progress waits for</h2>
      <p>{harmless(why.value)}</p>
      <Fitness />
      <h2>How it is</h2>
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
          [
            'protocol versions',
            `${now.protocolVersion} now; it knows ${now.knownProtocolVersions.oldest} to ${now.knownProtocolVersions.newest}`,
          ],
          ...versionComing(now),
          ['signatures are checked by', harmless(now.signatureCheck)],
          ['up for', `${grouped(Math.floor(now.uptimeMs / 1000))} s`],
        ]}
      />
      <SeenHere />
      <Counters counters={now.counters} />
    </>
  );
}

/** What happened in the process of the node since it started. */
function Counters({ counters }: Pick<StatusAnswer, 'counters'>): JSX.Element {
  return (
    <>
      <h2>Counters</h2>
      <Rows head={['counter', 'count']}>
        {Object.entries(counters).map(([name, count]) => (
          <tr key={name}>
            <td>{harmless(name)}</td>
            <td class="number">{grouped(count)}</td>
          </tr>
        ))}
      </Rows>
    </>
  );
}

/** The protocol version that was decided and does not count yet. */
function versionComing({ scheduledProtocolVersion }: StatusAnswer): readonly (readonly [string, string])[] {
  if (scheduledProtocolVersion === null) return [];
  const { version, height } = scheduledProtocolVersion;
  return [['decided protocol version', `${version}, from height ${grouped(height)}`]];
}

/** Whether it works and is ready, and whom it cannot reach: each with what to do about it. */
function Fitness(): JSX.Element {
  const key = `${status.value?.ready}/${why.value}`;
  const { answer } = useAskedAgain(async () => {
    const [health, ready, listed] = await Promise.all([node.health(), node.ready(), node.validators()]);
    return { health, ready, unreached: listed instanceof Problem ? [] : (listed.unreached ?? []) };
  }, key);
  if (answer === undefined) return <Waiting />;
  const { health, ready, unreached } = answer;
  return (
    <>
      {health instanceof Problem ? (
        <ProblemBox problem={health} />
      ) : ready instanceof Problem ? (
        <ProblemBox problem={ready} />
      ) : (
        <p>It works, and is ready: clients may expect progress.</p>
      )}
      {unreached.length > 0 && (
        <>
          <h2>Whom it cannot reach</h2>
          <Rows head={['address', 'why', 'what to do']}>
            {unreached.map(({ address, why: reason, remedy }) => (
              <tr key={address}>
                <td class="mono">{harmless(address)}</td>
                <td class="wrap">{harmless(reason)}</td>
                <td class="wrap">{harmless(remedy)}</td>
              </tr>
            ))}
          </Rows>
        </>
      )}
    </>
  );
}
