import type { JSX } from 'preact';
import { harmless } from '../base/harmless.ts';
import { grouped } from '../client/plain-words.ts';
import { Problem } from '../base/problem.ts';
import type { CheckedStep } from '../ledger/inclusion.ts';
import { download } from './download.ts';
import { ProblemBox, Tick } from './parts.tsx';
import type { Shown } from './proven-state.ts';
import { linkTo } from './router.ts';
import { trust } from './trust.ts';

/** What this page checked of the state. */
export function StateSteps({ height, steps, proof }: Shown): JSX.Element {
  return (
    <>
      <p class="quiet">
        <Tick verdict="final" /> as of block <a href={linkTo('block', height)}>{grouped(height)}</a>
      </p>
      <Steps steps={steps} proof={proof} name={`${proof?.proves ?? 'state'}-at-${height}`} />
    </>
  );
}

/** What this page checked, step by step, and the proof as a file. */
export function Steps(props: {
  readonly steps: readonly CheckedStep[] | Problem;
  /** What was checked, for whoever wants to check it elsewhere; undefined where that takes no proof. */
  readonly proof: object | undefined;
  readonly name: string;
}): JSX.Element {
  const { steps, proof, name } = props;
  if (steps instanceof Problem) return <ProblemBox problem={steps} />;
  const { value: trusted } = trust;
  const isPinned = trusted !== undefined && !(trusted instanceof Problem) && trusted.from === 'pinned';
  return (
    <details class="steps">
      <summary>What this page checked</summary>
      <ol>
        {steps.map(({ check, says }) => (
          <li key={check}>
            <strong>{check}</strong>: {harmless(says)}
          </li>
        ))}
        <li>
          <strong>genesis</strong>:{' '}
          {isPinned
            ? 'all of it against the genesis file that you pinned'
            : 'all of it against the genesis file that this node gave'}{' '}
          (<a href={linkTo('trust')}>what is trusted</a>)
        </li>
      </ol>
      {proof !== undefined && (
        <p>
          <button type="button" onClick={() => download(JSON.stringify(proof), `${name}.json`)}>
            Download the proof
          </button>{' '}
          <span class="quiet">for quorate verify</span>
        </p>
      )}
    </details>
  );
}
