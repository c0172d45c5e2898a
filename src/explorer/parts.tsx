import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { harmless } from '../base/harmless.ts';
import { Problem } from '../base/problem.ts';
import { isRetryable } from '../client/transport.ts';
import { ProblemBox } from '../playground/problem-box.tsx';
import { nameOf } from './names.ts';
import { linkTo } from './router.ts';
import { shortHash } from './text.ts';

export { ProblemBox };

/** What this page found when it checked something itself; `failed`: it is final, and it is that it failed. */
export type CheckResult = 'final' | 'failed' | Problem | undefined;

/** A verdict as everybody sees it: a tick only for what holds. */
export function Tick({ verdict }: { verdict: CheckResult }): JSX.Element {
  if (verdict === undefined)
    return (
      <span class="tick" title="not checked yet">
        …
      </span>
    );
  if (verdict === 'final' || verdict === 'failed') {
    const [kind, what] = verdict === 'final' ? ['good', 'verified'] : ['failed', 'verified: it failed'];
    return (
      <span class={`tick ${kind}`} title="this page checked the certificate itself">
        <span aria-hidden="true">✓</span> <span class="quiet">{what}</span>
      </span>
    );
  }
  return (
    <span class="tick bad" title={harmless(verdict.message)}>
      <span aria-hidden="true">✗</span> not proven
    </span>
  );
}

/** Marks what only this node says. */
export function OneNodesWord({ height }: { height?: number }): JSX.Element {
  return (
    <p class="word">
      One node’s word{height === undefined ? '' : ` at height ${height}`}: it came without a proof.
    </p>
  );
}

export function Title({ children }: { children: ComponentChildren }): JSX.Element {
  return <h1 tabIndex={-1}>{children}</h1>;
}

export function Facts({ rows }: { rows: readonly (readonly [string, ComponentChildren])[] }): JSX.Element {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function AccountLink({ address }: { address: string }): JSX.Element {
  const name = nameOf(address);
  return (
    <a href={linkTo('account', address)} title={address}>
      {name === undefined ? shortHash(address) : harmless(name)}
    </a>
  );
}

export function HashLink({ page, hash }: { page: 'block' | 'transaction'; hash: string }): JSX.Element {
  return (
    <a class="mono" href={linkTo(page, hash)} title={hash}>
      {shortHash(hash)}
    </a>
  );
}

/** A table that scrolls by itself where the screen is narrow. */
export function Rows({
  head,
  children,
}: {
  head: readonly string[];
  children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={head.join(', ')}>
      <table>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

const askAgainMs = 2_000;

/** What a page asked for: undefined while it is under way. */
export function useAnswer<T>(ask: () => Promise<T | Problem>, key: string): T | Problem | undefined {
  const answer = useSignal<{ readonly key: string; readonly value: T | Problem } | undefined>(undefined);
  useEffect(() => {
    let isGone = false;
    const askOnce = async (): Promise<void> => {
      const value = await ask();
      if (isGone) return;
      answer.value = { key, value };
      // What passes by itself is asked for until it has passed.
      if (value instanceof Problem && isRetryable(value)) setTimeout(() => void askOnce(), askAgainMs);
    };
    void askOnce();
    return () => {
      isGone = true;
    };
  }, [key]);
  return answer.value?.key === key ? answer.value.value : undefined;
}

/** What a page shows of what it asked for; until then that it waits, or what went wrong. */
export function Answered<T extends object>(props: {
  readonly answer: T | Problem | undefined;
  readonly children: (answer: T) => ComponentChildren;
}): JSX.Element {
  const { answer, children } = props;
  if (answer === undefined) return <Waiting />;
  return answer instanceof Problem ? <ProblemBox problem={answer} /> : <>{children(answer)}</>;
}

export function Waiting(): JSX.Element {
  return <p role="status">Asking the node…</p>;
}
