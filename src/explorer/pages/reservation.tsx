import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import { Problem } from '../../base/problem.ts';
import type { ReservationAnswer } from '../../client/answers.ts';
import { grouped } from '../../client/plain-words.ts';
import { node } from '../node.ts';
import { AccountLink, Facts, OneNodesWord, ProblemBox, Title, useAnswer, Waiting } from '../parts.tsx';
import { linkTo } from '../router.ts';

/** Coins that were set aside for somebody, and what became of them. */
export function ReservationPage({ about }: { about: string }): JSX.Element {
  const answer = useAnswer(() => node.reservation(about), about);
  return (
    <>
      <Title>Reservation</Title>
      <p class="mono wrap">{harmless(about)}</p>
      {answer === undefined ? (
        <Waiting />
      ) : answer instanceof Problem ? (
        <ProblemBox problem={answer} />
      ) : (
        <>
          <Facts
            rows={[
              ['amount', grouped(answer.amount)],
              ['set aside by', <AccountLink address={answer.sender} />],
              ['for', <AccountLink address={answer.recipient} />],
              ['made in', <BlockLink height={answer.made.height} />],
              ['can be taken until', `block ${grouped(answer.expiryHeight)}`],
              ['became', <Became of={answer} />],
            ]}
          />
          <OneNodesWord height={answer.height} />
        </>
      )}
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
