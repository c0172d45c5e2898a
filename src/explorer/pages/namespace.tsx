import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import { grouped } from '../../client/plain-words.ts';
import { AccountLink, Answered, Facts, Title, useAnswer } from '../parts.tsx';
import { namespaceShown } from '../proven-state.ts';
import { NamespaceRecords, writersWords } from '../record-list.tsx';
import { StateSteps } from '../steps.tsx';

export function NamespacePage({ about: name }: { about: string }): JSX.Element {
  const answer = useAnswer(() => namespaceShown(name), name);
  return (
    <>
      <Title>Namespace</Title>
      <p class="mono wrap">{harmless(name)}</p>
      <Answered answer={answer}>
        {(found) => (
          <>
            <Facts
              rows={[
                ['owner', <AccountLink address={found.owner} />],
                ['who may write', writersWords(found.mode, found.writers.length)],
                ...(found.writers.length === 0
                  ? []
                  : [
                      [
                        'writers',
                        <>
                          {found.writers.map((writer) => (
                            <span key={writer}>
                              <AccountLink address={writer} />{' '}
                            </span>
                          ))}
                        </>,
                      ] as const,
                    ]),
                ['keys, deleted ones too', grouped(found.entries)],
              ]}
            />
            <StateSteps {...found} />
          </>
        )}
      </Answered>
      <h2>Records</h2>
      <NamespaceRecords key={name} of={name} />
    </>
  );
}
