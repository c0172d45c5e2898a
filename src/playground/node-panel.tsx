import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { harmless } from '../base/harmless.ts';
import type { LiarName } from '../simulator/plan/plan.ts';
import { playedLiars } from './act.ts';
import { linkName, type Player } from './player.ts';
import { stateText } from './ring.tsx';
import { canLie } from './setting.ts';
import type { NodeView } from './view.ts';

interface Props {
  readonly player: Player;
  readonly node: number;
  readonly view: NodeView;
}

/** What is in one node, and what can be done to it. */
export function NodePanel(props: Props): JSX.Element {
  const { node, view } = props;
  const { why, inside, disk } = view;
  return (
    <section class="panel" aria-label={`Node ${node}`}>
      <h2>
        Node {node} <span class="quiet">{stateText(view)}</span>
      </h2>
      <Machine {...props} />
      <Client {...props} />
      <Links {...props} />
      <p class="wrap">
        <span class="quiet">Waits for</span> {harmless(why)}
      </p>
      {inside !== null && <Log inside={inside} />}
      <dl class="facts">
        <div>
          <dt>x in its state</dt>
          <dd>{inside?.x ?? 'nothing'}</dd>
        </div>
        <div>
          <dt>transactions that wait</dt>
          <dd>{inside?.pool ?? 0}</dd>
        </div>
        <div>
          <dt>disk</dt>
          <dd>
            {disk.bytes} bytes in {disk.written} writes, {disk.unsynced} not synced
          </dd>
        </div>
      </dl>
    </section>
  );
}

function Machine({ player, node, view }: Props): JSX.Element {
  const { state } = view;
  const button = (
    label: string,
    title: string,
    kind: 'crash' | 'lose' | 'start' | 'pause' | 'resume' | 'wipe',
  ) => (
    <button type="button" title={title} onClick={() => player.act({ kind, node })}>
      {label}
    </button>
  );
  return (
    <div class="row" role="group" aria-label="Its machine">
      {state === 'down'
        ? button('Start', 'its process starts from its disk', 'start')
        : button('Kill', 'kill -9: a part of what was not synced is lost', 'crash')}
      {state !== 'down' && button('Lose power', 'all that was not synced is lost', 'lose')}
      {state === 'running' && button('Freeze', 'its process stands still, and knows nothing of it', 'pause')}
      {state === 'paused' && button('Go on', 'it wakes up with its old beliefs', 'resume')}
      {button('Empty disk', 'its disk is replaced by an empty one', 'wipe')}
      <Clock player={player} node={node} clockMs={view.clockMs} />
      {canLie(player.setting.value) && <Liar player={player} node={node} view={view} />}
    </div>
  );
}

/** Where the clock can be dragged to. */
const clockSeconds = 60;

function Clock(props: {
  readonly player: Player;
  readonly node: number;
  readonly clockMs: number;
}): JSX.Element {
  const { player, node, clockMs } = props;
  return (
    <label>
      Clock {clockMs > 0 && '+'}
      {clockMs / 1_000} s{' '}
      <input
        type="range"
        min={-clockSeconds}
        max={clockSeconds}
        step={5}
        value={clockMs / 1_000}
        onChange={({ currentTarget }) =>
          player.act({ kind: 'clock', node, ms: Number(currentTarget.value) * 1_000 - clockMs })
        }
      />
    </label>
  );
}

/** A node that lied can only become another liar, because its key was in the wrong hands. */
function Liar({ player, node, view }: Props): JSX.Element {
  return (
    <label>
      Follows{' '}
      <select
        value={view.liar ?? ''}
        onChange={({ currentTarget }) => {
          const { value } = currentTarget;
          if (value !== '') player.act({ kind: 'lie', node, liar: value as LiarName });
        }}
      >
        <option value="" disabled={view.liar !== null}>
          the protocol
        </option>
        {playedLiars.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}

function Client({ player, node }: Props): JSX.Element | null {
  const value = useSignal(5);
  if (player.setting.value.plan !== 'calm') return null;
  return (
    <form
      class="row"
      aria-label="A client of it"
      onSubmit={(event) => {
        event.preventDefault();
        player.act({ kind: 'write', node, value: value.value });
      }}
    >
      <label>
        x ={' '}
        <input
          type="number"
          min={0}
          max={999_999_999}
          step={1}
          required
          value={value.value}
          onInput={({ currentTarget }) => {
            if (currentTarget.validity.valid) value.value = Number(currentTarget.value);
          }}
        />
      </label>
      <button type="submit">Write</button>
      <button type="button" onClick={() => player.act({ kind: 'read', node })}>
        Read the newest
      </button>
    </form>
  );
}

function Links({ player, node }: Props): JSX.Element {
  const { nodes } = player.view.value ?? { nodes: [] };
  return (
    <div class="row" role="group" aria-label="Its links">
      <span>Links to</span>
      {[...nodes.keys()]
        .filter((other) => other !== node)
        .map((other) => {
          const isCut = player.cuts.has(linkName(node, other));
          return (
            <button
              key={other}
              type="button"
              aria-pressed={isCut}
              aria-label={`link ${node}–${other} ${isCut ? 'is cut: mend it' : 'works: cut it'}`}
              class={isCut ? 'bad' : ''}
              onClick={() => player.act({ kind: isCut ? 'mend' : 'cut', node, other })}
            >
              {other}
              {isCut ? ' ✂' : ''}
            </button>
          );
        })}
    </div>
  );
}

function Log({ inside }: { inside: NonNullable<NodeView['inside']> }): JSX.Element {
  const { entries, ballots } = inside;
  return (
    <>
      {ballots.map((ballot) => (
        <p key={ballot}>{harmless(ballot)}</p>
      ))}
      <div class="scroll" tabIndex={0} role="region" aria-label="Its log and votes">
        <table>
          <thead>
            <tr>
              <th scope="col">block</th>
              <th scope="col">hash</th>
              <th scope="col">is</th>
              <th scope="col">votes it has heard</th>
            </tr>
          </thead>
          <tbody>
            {entries.toReversed().map(({ height, hash, state, view, votes }) => (
              <tr key={`${height}${hash}`}>
                <th scope="row">{height}</th>
                <td class="mono">{hash}</td>
                <td>
                  {state}
                  {view === null ? '' : ` (${view})`}
                </td>
                <td>{votes.map(({ of, from }) => `${of} ${from.join(' ') || '–'}`).join('; ') || '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
