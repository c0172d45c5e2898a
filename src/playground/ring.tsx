import type { JSX } from 'preact';
import type { Carried, NodeView } from './host.ts';

/** A message on the picture: where it is follows from the time. */
export interface Flight extends Carried {
  /** When it arrives; null for one that is lost. */
  readonly arrives: number | null;
}

const size = 400;
const radius = 150;
const nodeRadius = 26;
/** How far a lost message gets. */
const lostAt = 0.45;

/** Kinds that have a colour of their own; all others share one. The legend names them. */
export const kindClasses: Readonly<Record<string, string>> = {
  'pre-prepare': 'propose',
  append: 'propose',
  prepare: 'prepare',
  accepted: 'prepare',
  commit: 'commit',
  heartbeat: 'commit',
  suspect: 'change',
  'view-change': 'change',
  'new-view': 'change',
  'vote-request': 'change',
  vote: 'change',
  transactions: 'load',
};

interface Point {
  readonly x: number;
  readonly y: number;
}

function placeOf(node: number, count: number): Point {
  const angle = (2 * Math.PI * node) / count - Math.PI / 2;
  return { x: size / 2 + radius * Math.cos(angle), y: size / 2 + radius * Math.sin(angle) };
}

/** Nodes on a ring, their links, and what flies. For eyes: the tables beside it say the same in words. */
export function Ring(props: {
  readonly nodes: readonly NodeView[];
  readonly flights: readonly Flight[];
  readonly cuts: ReadonlySet<string>;
  readonly now: number;
}): JSX.Element {
  const { nodes, flights, cuts, now } = props;
  const at = (node: number): Point => placeOf(node, nodes.length);
  const links = nodes.flatMap((_, a) => nodes.flatMap((__, b) => (a < b ? [[a, b] as const] : [])));
  return (
    <svg class="ring" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={describe(nodes)}>
      {links.map(([a, b]) => {
        const [from, to] = [at(a), at(b)];
        return (
          <line
            key={`${a}-${b}`}
            class={cuts.has(linkName(a, b)) ? 'link cut' : 'link'}
            x1={from.x}
            y1={from.y}
            x2={to.x}
            y2={to.y}
          />
        );
      })}
      {flights.map((flight, index) => {
        const { x, y } = whereIs(flight, now, at);
        return (
          <circle
            key={`${flight.at}-${flight.from}-${flight.to}-${flight.kind}-${index}`}
            class={`message ${kindClasses[flight.kind] ?? 'other'}${flight.arrives === null ? ' lost' : ''}`}
            cx={x}
            cy={y}
            r={5}
          />
        );
      })}
      {nodes.map(({ state, liar, height }, index) => {
        const { x, y } = at(index);
        return (
          <g key={index} class={`node ${state}${liar === null ? '' : ' liar'}`}>
            <circle cx={x} cy={y} r={nodeRadius} />
            <text x={x} y={y - 2}>
              {index}
            </text>
            <text class="height" x={x} y={y + 14}>
              {state === 'down' ? 'down' : height}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

export function linkName(a: number, b: number): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`;
}

function whereIs({ from, to, at, arrives }: Flight, now: number, place: (node: number) => Point): Point {
  const [start, end] = [place(from), place(to)];
  const share = arrives === null ? lostAt : Math.min(1, (now - at) / Math.max(1, arrives - at));
  return { x: start.x + (end.x - start.x) * share, y: start.y + (end.y - start.y) * share };
}

function describe(nodes: readonly NodeView[]): string {
  return nodes
    .map(({ state, liar, height }, index) => {
      const who = liar === null ? '' : `, a liar (${liar})`;
      return `node ${index}${who}: ${state === 'running' ? `at height ${height}` : state}`;
    })
    .join('; ');
}
