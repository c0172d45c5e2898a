import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import { Problem } from '../../base/problem.ts';
import { nameOf, node } from '../node.ts';
import { AccountLink, Facts, OneNodesWord, ProblemBox, Title, useAnswer, Waiting } from '../parts.tsx';
import { grouped } from '../text.ts';

export function AccountPage({ about }: { about: string }): JSX.Element {
  const answer = useAnswer(() => node.account(about), about);
  const name = nameOf(about);
  return (
    <>
      <Title>Account {name === undefined ? '' : harmless(name)}</Title>
      <p class="mono wrap">{harmless(about)}</p>
      {answer === undefined ? (
        <Waiting />
      ) : answer instanceof Problem ? (
        <ProblemBox problem={answer} />
      ) : (
        <>
          <Facts
            rows={[
              ['balance', grouped(answer.balance)],
              ['transactions sent', grouped(answer.nonce)],
              [
                'signed for by',
                answer.keys === null ? (
                  'its own key'
                ) : (
                  <>
                    {answer.keys.threshold} of{' '}
                    {answer.keys.keys.map((key) => (
                      <span key={key}>
                        <AccountLink address={key} />{' '}
                      </span>
                    ))}
                  </>
                ),
              ],
            ]}
          />
          <OneNodesWord height={answer.height} />
        </>
      )}
    </>
  );
}
