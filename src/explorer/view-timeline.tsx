import type { JSX } from 'preact';
import { harmless } from '../base/harmless.ts';
import { engineWords } from '../client/engine-words.ts';
import { useAskedAgain } from './asked-again.ts';
import { node, status } from './node.ts';
import { AccountLink, ProblemBox, Rows, Waiting } from './parts.tsx';
import { SeenHere } from './seen-here.tsx';
import { grouped, moment } from '../client/plain-words.ts';

/** The changes of the view or term, the newest first, each with its reason. */
export function ViewTimeline(): JSX.Element {
  const { value: now } = status;
  const { period, leader } = engineWords[now?.engine ?? 'pbft'];
  // Asked for anew whenever one was seen, and when nobody leads any more.
  const { answer, problem } = useAskedAgain(() => node.viewChanges(), `${now?.view}/${now?.primary}`);
  return (
    <>
      <h2>{period === 'term' ? 'Terms and elections' : 'Changes of the view'}</h2>
      {problem !== undefined && <ProblemBox problem={problem} />}
      {answer === undefined ? (
        <Waiting />
      ) : (
        <Rows head={['time', period, leader, 'why']}>
          {answer.changes.toReversed().map((change, index) => (
            <tr key={answer.changes.length - index}>
              <td>{moment(change.at)}</td>
              <td class="number">{grouped(change.view)}</td>
              <td>{change.leader === null ? 'nobody' : <AccountLink address={change.leader} />}</td>
              <td class="wrap">{harmless(change.reason)}</td>
            </tr>
          ))}
        </Rows>
      )}
      <SeenHere />
    </>
  );
}
