import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import { Problem } from '../../base/problem.ts';
import { grouped } from '../../client/plain-words.ts';
import { node } from '../node.ts';
import { AccountLink, Facts, OneNodesWord, ProblemBox, Title, useAnswer, Waiting } from '../parts.tsx';
import { RecordList, writersWords } from '../record-list.tsx';

export function NamespacePage({ about: name }: { about: string }): JSX.Element {
  const answer = useAnswer(() => node.namespace(name), name);
  return (
    <>
      <Title>Namespace</Title>
      <p class="mono wrap">{harmless(name)}</p>
      {answer === undefined ? (
        <Waiting />
      ) : answer instanceof Problem ? (
        <ProblemBox problem={answer} />
      ) : (
        <>
          <Facts
            rows={[
              ['owner', <AccountLink address={answer.owner} />],
              ['who may write', writersWords(answer.mode, answer.writers.length)],
              ...(answer.writers.length === 0
                ? []
                : [
                    [
                      'writers',
                      <>
                        {answer.writers.map((writer) => (
                          <span key={writer}>
                            <AccountLink address={writer} />{' '}
                          </span>
                        ))}
                      </>,
                    ] as const,
                  ]),
              ['keys, deleted ones too', grouped(answer.entries)],
            ]}
          />
          <OneNodesWord height={answer.height} />
        </>
      )}
      <h2>Records</h2>
      <RecordList prefix={`${name}/`} />
    </>
  );
}
