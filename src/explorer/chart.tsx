import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { shortNumber, withUnit } from './chart-text.ts';
import type { Line } from './plot.ts';

/** Lines over time, with the same in words for who does not see them. */
export function Chart(props: {
  readonly title: string;
  readonly unit: string;
  readonly times: readonly number[];
  readonly lines: readonly Line[];
}): JSX.Element {
  const { title, unit, times, lines } = props;
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef({ times, lines });
  latest.current = { times, lines };
  const drawn = useRef<{ show(times: readonly number[], lines: readonly Line[]): void }>(null);
  const labels = lines.map(({ label }) => label);
  // What draws is loaded with the first chart, and not with every page.
  useEffect(() => {
    let remove = (): void => undefined;
    let isGone = false;
    void import('./plot.ts').then(({ plot }) => {
      const { current: into } = place;
      if (isGone || into === null) return;
      const made = plot(into, labels, unit);
      remove = () => made.remove();
      drawn.current = made;
      made.show(latest.current.times, latest.current.lines);
    });
    return () => {
      isGone = true;
      drawn.current = null;
      remove();
    };
  }, [labels.join('\n')]);
  useEffect(() => drawn.current?.show(times, lines), [times, lines]);
  const says = lines.map((line) => inWords(line, unit)).join('; ');
  return (
    <figure class="chart">
      <figcaption>
        <h2>{title}</h2>
        <p class="quiet">{says}</p>
      </figcaption>
      <div ref={place} role="img" aria-label={`${title}: ${says}`} />
    </figure>
  );
}

function inWords({ label, values }: Line, unit: string): string {
  const known = values.filter((value) => value !== null);
  const last = known.at(-1);
  if (last === undefined) return `${label}: none yet`;
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return `${label} ${withUnit(last, unit)}, from ${shortNumber(least)} to ${shortNumber(most)}`;
}
