import UPlot from 'uplot';
import { shortNumber, withUnit } from './chart-text.ts';

/** A line of a chart. */
export interface Line {
  readonly label: string;
  /** One for each time; null where there is none. */
  readonly values: readonly (number | null)[];
}

interface Plot {
  /** Times in milliseconds since 1970, ascending. */
  show(times: readonly number[], lines: readonly Line[]): void;
  remove(): void;
}

const height = 180;
const colours = 6;

/** Draws into an element, as wide as that is, in the colours of the page. */
export function plot(into: HTMLElement, labels: readonly string[], unit: string): Plot {
  const text = `12px ${getComputedStyle(into).fontFamily}`;
  const axis = {
    stroke: () => colour('quiet'),
    grid: { stroke: () => colour('line'), width: 1 },
    ticks: { show: false },
    font: text,
  };
  const drawn = new UPlot(
    {
      width: into.clientWidth,
      height,
      series: [
        { value: (_: unknown, at: number | null) => (at === null ? '–' : timeText(at)) },
        ...labels.map((label, index) => ({
          label,
          stroke: () => colour(`series-${index % colours}`),
          dash: index < colours ? [] : [4, 3],
          width: 2,
          // A value between two spans without any is a point, and no line.
          points: { show: true, size: 4 },
          value: (_: unknown, value: number | null) => (value === null ? '–' : withUnit(value, unit)),
        })),
      ],
      axes: [
        {
          ...axis,
          size: 30,
          space: 90,
          values: (_: unknown, ticks: readonly number[]) => ticks.map(timeText),
        },
        { ...axis, size: 60, values: (_: unknown, ticks: readonly number[]) => ticks.map(shortNumber) },
      ],
      scales: { y: { range: (_: unknown, least: number, most: number) => spanOf(least, most) } },
      cursor: { drag: { x: false, y: false } },
    },
    [[], ...labels.map(() => [])],
    into,
  );
  const sizes = new ResizeObserver(() => drawn.setSize({ width: into.clientWidth, height }));
  sizes.observe(into);
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  const onScheme = (): void => drawn.redraw();
  scheme.addEventListener('change', onScheme);
  return {
    show: (times, lines) =>
      drawn.setData([times.map((at) => at / 1_000), ...lines.map(({ values }) => [...values])]),
    remove: () => {
      sizes.disconnect();
      scheme.removeEventListener('change', onScheme);
      drawn.destroy();
    },
  };
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
}

/** From 0 on, so that heights can be compared. */
function spanOf(least: number | null, most: number | null): [number, number] {
  return [Math.min(0, least ?? 0), (most ?? 0) * 1.1 || 1];
}

function timeText(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(11, 19);
}
