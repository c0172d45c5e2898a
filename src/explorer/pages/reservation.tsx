import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import { grouped } from '../../client/plain-words.ts';
import { AccountLink, Answered, Facts, Title, useAnswer } from '../parts.tsx';
import { reservationShown, type ShownReservation } from '../proven-state.ts';
import { linkTo } from '../router.ts';
import { StateSteps } from '../steps.tsx';

/** Coins that were set aside for somebody, and what became of them. */
export function ReservationPage({ about }: { about: string }): JSX.Element {
  const answer = useAnswer(() => reservationShown(about), about);
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
            <StateSteps {...found} />
          </>
        )}
      </Answered>
    </>
  );
}

function Became({ of: { status, taken, settled } }: { of: ShownReservation }): JSX.Element {
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
