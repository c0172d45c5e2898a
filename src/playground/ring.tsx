import type { JSX } from 'preact';
import { type Flight, linkName, type Player } from './player.ts';
import type { NodeView } from './view.ts';

const size = 400;
const radius = 150;
const nodeRadius = 26;
/** How far a lost message gets. */
const lostAt = 0.45;

/** Kinds that have a colour of their own, by engine; all others share one. The legend names them. */
export const kindClasses: Readonly<Record<'pbft' | 'raft', Readonly<Record<string, string>>>> = {
  pbft: {
    'pre-prepare': 'propose',
    prepare: 'prepare',
    commit: 'commit',
    suspect: 'change',
    'view-change': 'change',
    'new-view': 'change',
    transactions: 'load',
  },
  raft: {
    append: 'propose',
    accepted: 'prepare',
    heartbeat: 'commit',
    'vote-request': 'change',
    vote: 'change',
    transactions: 'load',
  },
};

interface Point {
  readonly x: number;
  readonly y: number;
}

function placeOf(node: number, count: number): Point {
  const angle = (2 * Math.PI * node) / count - Math.PI / 2;
  return { x: size / 2 + radius * Math.cos(angle), y: size / 2 + radius * Math.sin(angle) };
}

/**
 * Nodes on a ring, their links, and what flies. By pointer a node is looked into, and a link cut; table and
 * panel beside it have buttons for both, and say in words what this shows.
 */
export function Ring({ player, nodes }: { player: Player; nodes: readonly NodeView[] }): JSX.Element {
  const at = (node: number): Point => placeOf(node, nodes.length);
  const links = nodes.flatMap((_, a) => nodes.flatMap((__, b) => (a < b ? [[a, b] as const] : [])));
  return (
    <svg class="ring" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={describe(nodes)}>
      {links.map(([a, b]) => (
        <Link key={linkName(a, b)} player={player} ends={[a, b]} from={at(a)} to={at(b)} />
      ))}
      <Flights player={player} at={at} />
      {nodes.map((view, node) => (
        <Node key={node} player={player} node={node} view={view} at={at(node)} />
      ))}
    </svg>
  );
}

function Link(props: {
  readonly player: Player;
  readonly ends: readonly [number, number];
  readonly from: Point;
  readonly to: Point;
}): JSX.Element {
  const { player, ends, from, to } = props;
  const [node, other] = ends;
  const isCut = player.cuts.has(linkName(node, other));
  const line = { x1: from.x, y1: from.y, x2: to.x, y2: to.y };
  return (
    <g
      class="cuttable"
      data-link={linkName(node, other)}
      onClick={() => player.act({ kind: isCut ? 'mend' : 'cut', node, other })}
    >
      <title>{isCut ? `mend the link ${node}–${other}` : `cut the link ${node}–${other}`}</title>
      <line class="hit" {...line} />
      <line class={isCut ? 'link cut' : 'link'} {...line} />
    </g>
  );
}

function Flights({ player, at }: { player: Player; at: (node: number) => Point }): JSX.Element {
  const classes = kindClasses[player.setting.value.engine];
  return (
    <>
      {player.flights.value.map((flight, index) => {
        const { x, y } = whereIs(flight, player.now.value, at);
        const { from, to, kind, text } = flight;
        return (
          <circle
            key={`${flight.at}-${from}-${to}-${kind}-${index}`}
            class={`message ${classes[kind] ?? 'other'}${flight.arrives === null ? ' lost' : ''}`}
            cx={x}
            cy={y}
            r={5}
          >
            <title>{`${from} to ${to}: ${kind}, ${text}`}</title>
          </circle>
        );
      })}
    </>
  );
}

function Node(props: {
  readonly player: Player;
  readonly node: number;
  readonly view: NodeView;
  readonly at: Point;
}): JSX.Element {
  const { player, node, view, at } = props;
  const { state, liar, height, inside } = view;
  const isSelected = player.selected.value === node;
  const leads = inside?.role === 'primary' || inside?.role === 'leader';
  return (
    <g
      class={`node ${state}${liar === null ? '' : ' liar'}${isSelected ? ' selected' : ''}`}
      data-node={node}
      onClick={() => (player.selected.value = node)}
    >
      <title>{`look into node ${node}`}</title>
      <circle cx={at.x} cy={at.y} r={nodeRadius} />
      {leads && <circle class="leads" cx={at.x} cy={at.y} r={nodeRadius + 5} />}
      <text x={at.x} y={at.y - 2}>
        {node}
      </text>
      <text class="height" x={at.x} y={at.y + 14}>
        {state === 'down' ? 'down' : height}
      </text>
    </g>
  );
}

function describe(nodes: readonly NodeView[]): string {
  return nodes.map((view, node) => `node ${node}: ${stateText(view)}`).join('; ');
}

/** What a node is and does, in words. */
export function stateText({ state, liar, height, inside }: NodeView): string {
  const who = inside === null ? '' : `${inside.role}, `;
  const how = state === 'running' ? `${who}at height ${height}` : state;
  return liar === null ? how : `${how}, lies (${liar})`;
}

function whereIs({ from, to, at, arrives }: Flight, now: number, place: (node: number) => Point): Point {
  const [start, end] = [place(from), place(to)];
  const share = arrives === null ? lostAt : Math.min(1, (now - at) / Math.max(1, arrives - at));
  return { x: start.x + (end.x - start.x) * share, y: start.y + (end.y - start.y) * share };
}
