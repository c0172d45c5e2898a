import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { Problem } from '../base/problem.ts';
import { connectionProblem } from '../client/connection-problem.ts';
import { grouped } from '../client/plain-words.ts';
import { mostRows } from './lists.tsx';
import { node } from './node.ts';
import { ProblemBox, Rows, Tick } from './parts.tsx';
import type { ShownList } from './proven-state.ts';
import { StateSteps } from './steps.tsx';

/** A list as the node tells it, until somebody wants it proven: then what is shown is read from the proof. */
export function CheckedList<Item>(props: {
  readonly head: readonly string[];
  readonly row: (item: Item) => ComponentChildren;
  readonly check: () => Promise<ShownList<Item> | Problem>;
  /** As the node tells it. */
  readonly children: ComponentChildren;
}): JSX.Element {
  const { head, row, check, children } = props;
  const checked = useSignal<ShownList<Item> | Problem | 'asked' | undefined>(undefined);
  const { value } = checked;
  if (value !== undefined && value !== 'asked' && !(value instanceof Problem)) {
    const { items, says } = value;
    return (
      <>
        <p role="status">
          <Tick verdict="final" /> {says}
        </p>
        {items.length > 0 && <Rows head={head}>{items.slice(0, mostRows).map(row)}</Rows>}
        {items.length > mostRows && (
          <p class="quiet">The first {grouped(mostRows)} are shown; the proof has all of them.</p>
        )}
        <StateSteps {...value} />
      </>
    );
  }
  const ask = async (): Promise<void> => {
    if (checked.value === 'asked') return;
    checked.value = 'asked';
    // Its code comes with it.
    checked.value = await check().catch((cause: unknown) => connectionProblem(node.baseUrl, cause, true));
  };
  return (
    <>
      {children}
      {value instanceof Problem && <ProblemBox problem={value} />}
      <p>
        <button type="button" aria-disabled={value === 'asked'} onClick={() => void ask()}>
          {value === 'asked' ? 'Checking …' : 'Check that none is missing'}
        </button>
      </p>
    </>
  );
}
