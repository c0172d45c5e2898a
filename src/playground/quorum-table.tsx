import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { judgeQuorums, type QuorumSum } from './lessons/quorum-sum.ts';

const fields: readonly (readonly [keyof QuorumSum, string])[] = [
  ['n', 'N, copies'],
  ['w', 'W, a write reaches'],
  ['r', 'R, a read asks'],
  ['f', 'f, fail or lie'],
];
const mostCopies = 99;

/** R + W > N, to be tried with any numbers. */
export function QuorumTable(): JSX.Element {
  const sum = useSignal<QuorumSum>({ n: 5, w: 3, r: 3, f: 1 });
  const set = (name: keyof QuorumSum, value: number): void => {
    if (!Number.isInteger(value) || value < 0 || value > mostCopies) return;
    const next = { ...sum.value, [name]: value };
    const within = (one: number): number => Math.max(1, Math.min(one, next.n));
    const n = Math.max(1, next.n);
    sum.value = { n, w: within(next.w), r: within(next.r), f: Math.min(next.f, n) };
  };
  return (
    <>
      <div class="row" role="group" aria-label="Quorums, reckoned">
        {fields.map(([name, label]) => (
          <label key={name}>
            {label}{' '}
            <input
              type="number"
              min={name === 'f' ? 0 : 1}
              max={mostCopies}
              value={sum.value[name]}
              onInput={({ currentTarget }) => set(name, Number(currentTarget.value))}
            />
          </label>
        ))}
      </div>
      <ul aria-live="polite">
        {judgeQuorums(sum.value).map(({ holds, text }) => (
          <li key={text} class={holds ? 'good' : 'bad'}>
            {holds ? 'Yes' : 'No'}: {text}
          </li>
        ))}
      </ul>
    </>
  );
}
