/** A curve of a chart. */
export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Axis {
  readonly label: string;
  /** Where marks are drawn, with their words. */
  readonly marks: readonly { readonly at: number; readonly text: string }[];
  readonly least: number;
  readonly most: number;
  /** Each step multiplies instead of adding. */
  readonly logarithmic?: boolean;
}

const [width, height] = [620, 300];
const frame = { left: 64, right: 16, top: 16, bottom: 44 };
const colours = ['#2563eb', '#dc2626', '#059669', '#d97706', '#7c3aed', '#0891b2', '#be185d', '#4d7c0f'];

/** A line chart as SVG: nothing outside of it is needed to show it. */
export function chart(options: {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
}): string {
  const { title, x, y, lines } = options;
  const across = (value: number): number => frame.left + share(x, value) * (width - frame.left - frame.right);
  const down = (value: number): number =>
    height - frame.bottom - share(y, value) * (height - frame.top - frame.bottom);
  const [bottom, right] = [height - frame.bottom, width - frame.right];
  const parts = [
    ...y.marks.map(
      ({ at, text }) =>
        `<line class="grid" x1="${frame.left}" x2="${right}" y1="${pixel(down(at))}" y2="${pixel(down(at))}"/>` +
        `<text class="mark" x="${frame.left - 6}" y="${pixel(down(at) + 4)}" text-anchor="end">${escapeHtml(text)}</text>`,
    ),
    ...x.marks.map(
      ({ at, text }) =>
        `<line class="grid" x1="${pixel(across(at))}" x2="${pixel(across(at))}" y1="${frame.top}" y2="${bottom}"/>` +
        `<text class="mark" x="${pixel(across(at))}" y="${bottom + 16}" text-anchor="middle">${escapeHtml(text)}</text>`,
    ),
    `<text class="axis" x="${(frame.left + right) / 2}" y="${height - 6}" text-anchor="middle">${escapeHtml(x.label)}</text>`,
    `<text class="axis" transform="translate(14 ${(frame.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(y.label)}</text>`,
    ...lines.map(({ points }, index) => {
      const path = points.map(([px, py]) => `${pixel(across(px))},${pixel(down(py))}`).join(' ');
      return `<polyline fill="none" stroke="${colourOf(index)}" stroke-width="2" points="${path}"/>`;
    }),
  ];
  const legend = lines.map(
    ({ name }, index) =>
      `<span class="key"><i style="background:${colourOf(index)}"></i>${escapeHtml(name)}</span>`,
  );
  return [
    `<figure><figcaption>${escapeHtml(title)}</figcaption>`,
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">${parts.join('')}</svg>`,
    `<div class="keys">${legend.join('')}</div></figure>`,
  ].join('');
}

/** An axis from 0 with round marks that holds all of these values. */
export function linearAxis(label: string, values: readonly number[]): Axis {
  const most = Math.max(1e-9, ...values.filter((value) => Number.isFinite(value)));
  const raw = most / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10) * power;
  const count = Math.ceil(most / step);
  const marks = Array.from({ length: count + 1 }, (_, index) => ({
    at: index * step,
    text: roundText(index * step),
  }));
  return { label, marks, least: 0, most: count * step };
}

/** An axis of powers of ten around all of these values, which are above 0. */
export function logarithmicAxis(label: string, values: readonly number[]): Axis {
  const above = values.filter((value) => value > 0 && Number.isFinite(value));
  const low = Math.floor(Math.log10(Math.min(...above, 10)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...above, 1))));
  const marks = Array.from({ length: high - low + 1 }, (_, index) => ({
    at: 10 ** (low + index),
    text: roundText(10 ** (low + index)),
  }));
  return { label, marks, least: 10 ** low, most: 10 ** high, logarithmic: true };
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function share({ least, most, logarithmic = false }: Axis, value: number): number {
  const scale = logarithmic ? Math.log10 : (one: number): number => one;
  const [low, high] = [scale(least), scale(most)];
  return Math.min(1, Math.max(0, (scale(Math.max(value, logarithmic ? least : value)) - low) / (high - low)));
}

function pixel(value: number): string {
  return value.toFixed(1);
}

function colourOf(index: number): string {
  return colours[index % colours.length] as string;
}

function roundText(value: number): string {
  return Number(value.toPrecision(6)).toLocaleString('en-US', { maximumFractionDigits: 6 });
}
