import { type Signal, useSignal } from '@preact/signals';
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
  readonly completeFrom?: number;
}

interface Listing<Answer, Item> {
  readonly ask: (options: { order: 'newest'; limit: number; cursor?: string }) => Promise<Answer | Problem>;
  readonly itemsOf: (answer: Answer) => readonly Item[];
}

/** What was listed so far. What came stays when the page after it does not come. */
interface Listed<Item> {
  readonly items: readonly Item[];
  /** How many before them are not shown any more. */
  readonly gone: number;
  /** Where the next page begins: undefined at the beginning, null when there is none. */
  readonly next: string | null | undefined;
  readonly completeFrom: number;
  readonly problem: Problem | undefined;
}

const perPage = 25;
/** More rows than these make no list easier to read, and a page slow: then the first ones go. */
export const mostRows = 200;
const nothingYet = { items: [], gone: 0, next: undefined, completeFrom: 0, problem: undefined };

/** A list of the node's, a page at a time. */
export function PagedList<Answer extends Page, Item>(
  props: Listing<Answer, Item> & {
    readonly head: readonly string[];
    readonly row: (item: Item) => ComponentChildren;
    readonly nothing: string;
    /** What the button for the next page says. */
    readonly more?: string;
  },
): JSX.Element {
  const { head, row, nothing, more: moreWords = 'Older ones' } = props;
  const listed = useSignal<Listed<Item>>(nothingYet);
  const isAsking = useSignal(false);
  const more = (): void => void goOn(props, listed, isAsking);
  useEffect(more, []);
  const { items, gone, next, completeFrom, problem } = listed.value;
  if (next === undefined && problem === undefined) return <Waiting />;
  return (
    <>
      {gone > 0 && (
        <p class="quiet">
          The first {grouped(gone)} are not shown any more.{' '}
          <button
            type="button"
            onClick={() => {
              listed.value = nothingYet;
              more();
            }}
          >
            From the beginning
          </button>
        </p>
      )}
      {items.length > 0 ? (
        <Rows head={head}>{items.map(row)}</Rows>
      ) : (
        // A page may be empty, and go on.
        next === null && <p>{nothing}</p>
      )}
      {completeFrom > 1 && <p class="quiet">This node knows of it from block {grouped(completeFrom)} on.</p>}
      {problem !== undefined && <ProblemBox problem={problem} />}
      {next !== null && (
        <button type="button" aria-disabled={isAsking.value} onClick={more}>
          {problem === undefined ? moreWords : 'Try again'}
        </button>
      )}
    </>
  );
}

/** Asks for the next page, once at a time: a second click is no second page. */
async function goOn<Answer extends Page, Item>(
  { ask, itemsOf }: Listing<Answer, Item>,
  listed: Signal<Listed<Item>>,
  isAsking: Signal<boolean>,
): Promise<void> {
  if (isAsking.value) return;
  isAsking.value = true;
  const { value: before } = listed;
  const { next: cursor } = before;
  const answer = await ask({
    order: 'newest',
    limit: perPage,
    ...(typeof cursor === 'string' && { cursor }),
  });
  isAsking.value = false;
  if (answer instanceof Problem) {
    listed.value = { ...before, problem: answer };
    return;
  }
  const all = [...before.items, ...itemsOf(answer)];
  const items = all.slice(-mostRows);
  listed.value = {
    items,
    gone: before.gone + all.length - items.length,
    next: answer.next,
    completeFrom: answer.completeFrom ?? 0,
    problem: undefined,
  };
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
