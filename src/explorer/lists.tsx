import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Problem } from '../base/problem.ts';
import { grouped } from '../client/plain-words.ts';
import { ProblemBox, Rows, Waiting } from './parts.tsx';

/** What every page of a list says besides its rows. */
interface Page {
  readonly next: string | null;
  readonly completeFrom: number;
}

const perPage = 25;

/** A list of the node's, the newest first, a page at a time. */
export function PagedList<Answer extends Page, Item>(props: {
  readonly head: readonly string[];
  readonly ask: (options: { order: 'newest'; limit: number; cursor?: string }) => Promise<Answer | Problem>;
  readonly itemsOf: (answer: Answer) => readonly Item[];
  readonly row: (item: Item) => ComponentChildren;
  readonly nothing: string;
}): JSX.Element {
  const { head, ask, itemsOf, row, nothing } = props;
  const items = useSignal<readonly Item[]>([]);
  const last = useSignal<Answer | Problem | undefined>(undefined);
  const more = async (cursor?: string): Promise<void> => {
    const answer = await ask({ order: 'newest', limit: perPage, ...(cursor !== undefined && { cursor }) });
    if (!(answer instanceof Problem)) items.value = [...items.value, ...itemsOf(answer)];
    last.value = answer;
  };
  useEffect(() => void more(), []);
  const { value: answer } = last;
  if (answer === undefined) return <Waiting />;
  return (
    <>
      {items.value.length === 0 ? <p>{nothing}</p> : <Rows head={head}>{items.value.map(row)}</Rows>}
      {answer instanceof Problem ? (
        <ProblemBox problem={answer} />
      ) : (
        <>
          {answer.completeFrom > 0 && (
            <p class="quiet">This node knows of it from block {grouped(answer.completeFrom)} on.</p>
          )}
          {answer.next !== null && (
            <button type="button" onClick={() => void more(answer.next ?? undefined)}>
              Older ones
            </button>
          )}
        </>
      )}
    </>
  );
}
