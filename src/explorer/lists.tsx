import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Problem } from '../base/problem.ts';
import { grouped } from '../client/plain-words.ts';
import type { ListedTransactionAnswer } from '../client/answers.ts';
import { HashLink, ProblemBox, Rows, Waiting } from './parts.tsx';
import { linkTo } from './router.ts';
import { becameText, operationText } from './text.ts';

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

/** A listed transaction: its block, itself, what stands between, what it does and what became of it. */
export function TransactionRow(props: {
  readonly listed: ListedTransactionAnswer;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { height, transaction, receipt } = props.listed;
  return (
    <tr>
      <td>
        <a href={linkTo('block', height)}>{grouped(height)}</a>
      </td>
      <td>
        <HashLink page="transaction" hash={transaction.hash} />
      </td>
      <td>{props.children}</td>
      <td class="wrap">{transaction.operations.slice(0, 3).map(operationText).join(', ')}</td>
      <td class="wrap">{becameText(receipt)}</td>
    </tr>
  );
}
