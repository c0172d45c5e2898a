import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import type { ReservationAnswer } from '../../client/answers.ts';
import { grouped } from '../../client/plain-words.ts';
import { node } from '../node.ts';
import { AccountLink, Answered, Facts, OneNodesWord, Title, useAnswer } from '../parts.tsx';
import { linkTo } from '../router.ts';

/** Coins that were set aside for somebody, and what became of them. */
export function ReservationPage({ about }: { about: string }): JSX.Element {
  const answer = useAnswer(() => node.reservation(about), about);
  return (
    <>
      <Title>Reservation</Title>
      <p class="mono wrap">{harmless(about)}</p>
      <Answered answer={answer}>
        {(found) => (
          <>
            <Facts
              rows={[
                ['amount', grouped(found.amount)],
                ['set aside by', <AccountLink address={found.sender} />],
                ['for', <AccountLink address={found.recipient} />],
                ['made in', <BlockLink height={found.made.height} />],
                ['can be taken until', `block ${grouped(found.expiryHeight)}`],
                ['became', <Became of={found} />],
              ]}
            />
            <OneNodesWord height={found.height} />
          </>
        )}
      </Answered>
    </>
  );
}

function Became({ of: { status, taken, settled } }: { of: ReservationAnswer }): JSX.Element {
  if (status === 'held') return <>nothing yet: it is held</>;
  const end = settled === null ? '' : <BlockLink height={settled.height} />;
  if (status === 'expired') return <>it expired: all of it went back</>;
  return (
    <>
      {status === 'posted' ? `${grouped(taken)} taken, the rest went back` : 'let go of: all of it went back'}{' '}
      {end}
    </>
  );
}

function BlockLink({ height }: { height: number }): JSX.Element {
  return <a href={linkTo('block', height)}>block {grouped(height)}</a>;
}
