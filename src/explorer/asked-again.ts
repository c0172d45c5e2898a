import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Problem } from '../base/problem.ts';
import { isRetryable } from '../client/transport.ts';

/** The last answer, and why there is none newer, if so: what is shown stays while it is asked for anew. */
interface AskedAgain<T> {
  readonly answer: T | undefined;
  readonly problem: Problem | undefined;
}

/** What is to be asked, and whether it is under way. */
interface Asking<T> {
  ask: () => Promise<T | Problem>;
  key: string;
  isUnderWay: boolean;
  isGone: boolean;
}

/** How often at most: people see no more, and the node has others to answer. */
const pauseMs = 1_000;

/**
 * Asks when the page opens, and again whenever `key` is another one, but never twice at a time: what changes
 * meanwhile is asked for afterwards, once.
 */
export function useAskedAgain<T>(ask: () => Promise<T | Problem>, key: string): AskedAgain<T> {
  const state: Signal<AskedAgain<T>> = useSignal<AskedAgain<T>>({ answer: undefined, problem: undefined });
  const { current: asking } = useRef<Asking<T>>({ ask, key, isUnderWay: false, isGone: false });
  // The question is made anew, from what is shown now.
  asking.ask = ask;
  asking.key = key;
  useEffect(() => {
    if (!asking.isUnderWay) void goOn(asking, state);
  }, [key]);
  useEffect(() => () => void (asking.isGone = true), []);
  return state.value;
}

async function goOn<T>(asking: Asking<T>, state: Signal<AskedAgain<T>>): Promise<void> {
  asking.isUnderWay = true;
  for (let asked: string | undefined; asked !== asking.key;) {
    asked = asking.key;
    const answer = await asking.ask();
    if (asking.isGone) return;
    const isProblem = answer instanceof Problem;
    state.value = isProblem
      ? { answer: state.value.answer, problem: answer }
      : { answer, problem: undefined };
    // What passes by itself is asked for until it has passed.
    if (isProblem && isRetryable(answer)) asked = undefined;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    if (asking.isGone) return;
  }
  asking.isUnderWay = false;
}
