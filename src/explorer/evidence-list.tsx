import type { JSX } from 'preact';
import { harmless } from '../base/harmless.ts';
import { Problem } from '../base/problem.ts';
import type { EvidenceItem, SignedWordAnswer } from '../client/answers.ts';
import { grouped } from '../client/plain-words.ts';
import { node } from './node.ts';
import { AccountLink, Answered, Facts, HashLink, ProblemBox, useAnswer } from './parts.tsx';
import { knownChecker } from './trust.ts';

/** Kept small: whoever lies is named once for each kind of lie. */
const shown = 20;

interface Checked {
  readonly item: EvidenceItem;
  /** What this page found; a problem where it does not hold, undefined where it could not tell. */
  readonly verdict: string | Problem | undefined;
}

/** Who was caught, with the two messages that contradict each other side by side. */
export function EvidenceList(): JSX.Element {
  const answer = useAnswer(checkedEvidence, 'evidence');
  return (
    <>
      <h2>Evidence</h2>
      <Answered answer={answer}>
        {(found) =>
          found.length === 0 ? (
            <p>Nobody was seen signing two things that contradict each other.</p>
          ) : (
            found.map((one, index) => <Contradiction key={index} checked={one} />)
          )
        }
      </Answered>
    </>
  );
}

async function checkedEvidence(): Promise<readonly Checked[] | Problem> {
  const answer = await node.evidence({ limit: shown });
  if (answer instanceof Problem) return answer;
  const checker = await knownChecker();
  const found: Checked[] = [];
  for (const item of answer.evidence) {
    const verdict = checker instanceof Problem ? checker : await checker.contradiction(item);
    found.push({ item, verdict });
  }
  return found;
}

function Contradiction({ checked: { item, verdict } }: { checked: Checked }): JSX.Element {
  return (
    <section class="contradiction" aria-label={`Evidence: ${harmless(item.kind)}`}>
      <h3>
        <AccountLink address={item.address} />: {harmless(item.kind)}
      </h3>
      {verdict instanceof Problem ? (
        <ProblemBox problem={verdict} />
      ) : verdict === undefined ? (
        <p class="word">One node’s word: this page did not check these signatures itself.</p>
      ) : (
        <p>
          <span class="good" aria-hidden="true">
            ✓
          </span>{' '}
          Verified by this page: {verdict}.
        </p>
      )}
      {item.contradiction === null || item.contradiction === undefined ? (
        <p>This node cannot read it.</p>
      ) : (
        <div class="beside">
          {item.contradiction.messages.map((message, index) => (
            <Message key={index} message={message} at={index} />
          ))}
        </div>
      )}
      <details>
        <summary>{grouped(item.bytes.length / 2)} bytes as they were signed</summary>
        <code class="wrap">{item.bytes}</code>
      </details>
    </section>
  );
}

function Message({ message, at }: { message: SignedWordAnswer; at: number }): JSX.Element {
  const { kind, view, height, blockHash, certificate, signature } = message;
  const isVote = kind !== 'view-change';
  return (
    <div>
      <h4>
        {at === 0 ? 'The one' : 'The other'}: {harmless(kind)}
      </h4>
      <Facts
        rows={[
          [isVote ? 'in view' : 'changes to view', grouped(view)],
          [isVote ? 'at height' : 'final up to', grouped(height)],
          ['block', blockHash === null ? 'none' : <HashLink page="block" hash={blockHash} />],
          ...(isVote
            ? []
            : ([
                [
                  'best certificate that it tells of',
                  certificate === null
                    ? 'none'
                    : `${harmless(certificate.phase)} at height ${grouped(certificate.height)} in view ${grouped(certificate.view)}`,
                ],
              ] as const)),
          ['signature', <span class="mono">{signature}</span>],
        ]}
      />
    </div>
  );
}
