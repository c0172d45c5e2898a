import type { JSX } from 'preact';
import { harmless } from '../base/harmless.ts';
import type { Player } from './player.ts';
import { stateText } from './ring.tsx';
import { viewWord } from './setting.ts';

/** All nodes in words: what the ring shows to the eye. */
export function NodeTable({ player }: { player: Player }): JSX.Element {
  const { nodes } = player.view.value ?? { nodes: [] };
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="All nodes">
      <table>
        <thead>
          <tr>
            {['node', 'is', viewWord(player.setting.value), 'x', 'waits for'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {nodes.map((view, node) => (
            <tr key={node}>
              <th scope="row">
                <button
                  type="button"
                  aria-pressed={player.selected.value === node}
                  aria-label={`look into node ${node}`}
                  onClick={() => (player.selected.value = node)}
                >
                  {node}
                </button>
              </th>
              <td>{stateText(view)}</td>
              <td class="number">{view.inside?.view ?? '–'}</td>
              <td class="number">{view.inside?.x ?? '–'}</td>
              <td class="wrap why">{view.state === 'running' ? harmless(view.why) : view.state}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
