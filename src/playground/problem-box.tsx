import type { JSX } from 'preact';
import { harmless } from '../base/harmless.ts';
import type { Problem } from '../base/problem.ts';

/** What went wrong and what to do: here, and in the explorer that the playground is a part of. */
export function ProblemBox({ problem }: { problem: Problem }): JSX.Element {
  return (
    <div class="problem" role="alert">
      <p>
        <strong>{harmless(problem.message)}</strong>
      </p>
      <p>{harmless(problem.remedy)}</p>
      <p class="quiet">{problem.code}</p>
    </div>
  );
}
