import type { JSX } from 'preact';
import { harmless } from '../base/harmless.ts';
import { type LiarName, liarNames } from '../simulator/plan/plan.ts';
import type { NodeView } from './host.ts';
import { open } from './open.ts';
import type { Player } from './player.ts';
import { linkName } from './ring.tsx';
import { canLie, type Setting } from './setting.ts';

/** Each node with what it waits for, and what can be done to it and its links. */
export function NodeTable({ player }: { player: Player }): JSX.Element {
  const { value: view } = player.view;
  if (view === undefined) return <p role="status">Starting…</p>;
  const head = ['node', 'waits for', 'do', ...(canLie(player.setting.value) ? ['lies'] : []), 'links'];
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Nodes">
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
        <tbody>
          {view.nodes.map((one, node) => (
            <NodeRow key={node} player={player} node={node} view={one} count={view.nodes.length} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NodeRow(props: {
  readonly player: Player;
  readonly node: number;
  readonly view: NodeView;
  readonly count: number;
}): JSX.Element {
  const { player, node, view, count } = props;
  const { state, why } = view;
  const { value: setting } = player.setting;
  const others = Array.from({ length: count }, (_, other) => other).filter((other) => other !== node);
  return (
    <tr>
      <th scope="row">{node}</th>
      <td class="wrap why">{state === 'running' ? harmless(why) : state}</td>
      <td>
        <button
          type="button"
          onClick={() => player.act({ kind: state === 'down' ? 'start' : 'crash', node })}
        >
          {state === 'down' ? 'Start' : 'Crash'}
        </button>{' '}
        {state !== 'down' && (
          <button
            type="button"
            onClick={() => player.act({ kind: state === 'paused' ? 'resume' : 'pause', node })}
          >
            {state === 'paused' ? 'Resume' : 'Freeze'}
          </button>
        )}{' '}
        <button type="button" title="lose the disk" onClick={() => player.act({ kind: 'wipe', node })}>
          Wipe
        </button>{' '}
        <button
          type="button"
          title="put its clock forward"
          onClick={() => player.act({ kind: 'clock', node, ms: 60_000 })}
        >
          +60 s
        </button>
      </td>
      {canLie(setting) && (
        <td>
          <Liar setting={setting} node={node} />
        </td>
      )}
      <td>
        {others.map((other) => (
          <LinkButton key={other} player={player} node={node} other={other} />
        ))}
      </td>
    </tr>
  );
}

function LinkButton(props: {
  readonly player: Player;
  readonly node: number;
  readonly other: number;
}): JSX.Element {
  const { player, node, other } = props;
  const isCut = player.cuts.has(linkName(node, other));
  return (
    <button
      type="button"
      aria-pressed={isCut}
      aria-label={`link ${node}–${other} ${isCut ? 'is cut: mend it' : 'works: cut it'}`}
      class={isCut ? 'bad' : ''}
      onClick={() => player.act({ kind: isCut ? 'mend' : 'cut', node, other })}
    >
      {other}
    </button>
  );
}

/** A liar lies from the start: the run begins anew. */
function Liar({ setting, node }: { setting: Setting; node: number }): JSX.Element {
  return (
    <select
      aria-label={`node ${node} lies`}
      value={setting.nodes[node] ?? 'honest'}
      onChange={({ currentTarget }) => {
        const { value } = currentTarget;
        const liar = value === 'honest' ? null : (value as LiarName);
        open({ ...setting, edits: [], nodes: setting.nodes.with(node, liar) });
      }}
    >
      <option>honest</option>
      {liarNames
        .filter((name) => name !== 'twin')
        .map((name) => (
          <option key={name}>{name}</option>
        ))}
    </select>
  );
}
