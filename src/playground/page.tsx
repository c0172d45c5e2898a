import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { harmless } from '../base/harmless.ts';
import { Problem } from '../base/problem.ts';
import { engineNames } from '../ledger/engine-names.ts';
import { Lessons } from './lessons.tsx';
import { open } from './open.ts';
import { Player } from './player.ts';
import { NodeTable } from './node-table.tsx';
import { kindClasses, Ring } from './ring.tsx';
import { fewestNodes, firstSetting, mostNodes, type Setting, settingFromQuery } from './setting.ts';

/** The simulator, to be played with; nothing of it touches the node's own chain. */
export function PlaygroundPage({ about }: { about: string }): JSX.Element {
  const player = useMemo(() => new Player(), []);
  useEffect(() => () => player.close(), [player]);
  const wrong = useSignal<Problem | undefined>(undefined);
  useEffect(() => {
    const setting = settingFromQuery(about);
    wrong.value = setting instanceof Problem ? setting : undefined;
    player.open(setting instanceof Problem ? firstSetting : setting);
    player.isPlaying.value = true;
  }, [about]);
  const { value: view } = player.view;
  return (
    <>
      <h1 tabIndex={-1}>Playground</h1>
      <p>
        The engines, the driver and the simulator that the tests use, in your browser. A run is a function of
        its setting: what you do is part of it.
      </p>
      {wrong.value !== undefined && (
        <div class="problem" role="alert">
          <p>{harmless(wrong.value.message)}</p>
        </div>
      )}
      <SettingForm player={player} />
      <Controls player={player} />
      {view?.breach != null && (
        <div class="problem" role="alert">
          <p>
            <strong>A promise is broken ({view.breach.guarantee}).</strong>
          </p>
          <p>{harmless(view.breach.message)}</p>
        </div>
      )}
      <div class="play">
        {view !== undefined && (
          <Ring nodes={view.nodes} flights={player.flights.value} cuts={player.cuts} now={player.now.value} />
        )}
        <NodeTable player={player} />
      </div>
      <Legend />
      <Log player={player} />
      <Lessons open={(setting) => open(setting)} />
    </>
  );
}

function SettingForm({ player }: { player: Player }): JSX.Element {
  const { value: setting } = player.setting;
  const change = (changes: Partial<Setting>): void => open({ ...setting, edits: [], ...changes });
  return (
    <form class="row" onSubmit={(event) => event.preventDefault()}>
      <label>
        Engine{' '}
        <select
          value={setting.engine}
          onChange={({ currentTarget }) => change({ engine: currentTarget.value as Setting['engine'] })}
        >
          {engineNames.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Seed{' '}
        <input
          type="number"
          min={0}
          value={setting.seed}
          onChange={({ currentTarget }) =>
            change({ seed: Math.max(0, Math.floor(Number(currentTarget.value))) })
          }
        />
      </label>
      <label>
        Happens{' '}
        <select
          value={setting.plan}
          onChange={({ currentTarget }) => change({ plan: currentTarget.value as Setting['plan'] })}
        >
          <option value="calm">what I do</option>
          <option value="drawn">what the seed draws</option>
        </select>
      </label>
      {setting.plan === 'calm' && (
        <label>
          Nodes{' '}
          <select
            value={setting.nodes.length}
            onChange={({ currentTarget }) => {
              const count = Number(currentTarget.value);
              change({ nodes: Array.from({ length: count }, (_, index) => setting.nodes[index] ?? null) });
            }}
          >
            {Array.from({ length: mostNodes - fewestNodes + 1 }, (_, index) => fewestNodes + index).map(
              (count) => (
                <option key={count}>{count}</option>
              ),
            )}
          </select>
        </label>
      )}
    </form>
  );
}

const speeds = [0.05, 0.1, 0.25, 0.5, 1, 4] as const;

function Controls({ player }: { player: Player }): JSX.Element {
  const { value: view } = player.view;
  const { value: isPlaying } = player.isPlaying;
  return (
    <div
      class="row"
      role="group"
      aria-label="Time"
      aria-busy={isPlaying || player.asked.value === 0 ? undefined : 'true'}
    >
      <button type="button" class="main" onClick={() => (player.isPlaying.value = !isPlaying)}>
        {isPlaying ? 'Pause' : 'Play'}
      </button>
      <button type="button" onClick={() => player.step()}>
        One event
      </button>
      <button type="button" onClick={() => player.back()}>
        One back
      </button>
      <button type="button" onClick={() => player.open({ ...player.setting.value, edits: [] })}>
        Begin anew
      </button>
      <label>
        Speed{' '}
        <select
          value={player.speed.value}
          onChange={({ currentTarget }) => (player.speed.value = Number(currentTarget.value))}
        >
          {speeds.map((speed) => (
            <option key={speed} value={speed}>
              {speed} ×
            </option>
          ))}
        </select>
      </label>
      <button type="button" onClick={() => open(player.setting.value)}>
        Put it all into the address
      </button>
      {view !== undefined && (
        <span class="number">
          {(player.now.value / 1_000).toFixed(2)} s, {view.events} events, trace{' '}
          <span class="mono">{view.trace}</span>
          {view.isOver ? ', over' : ''}
        </span>
      )}
    </div>
  );
}

function Legend(): JSX.Element {
  const kinds = Map.groupBy(Object.entries(kindClasses), ([, shown]) => shown);
  return (
    <ul class="legend" aria-label="Colours of messages">
      {[...kinds].map(([shown, names]) => (
        <li key={shown}>
          <svg viewBox="0 0 12 12" aria-hidden="true">
            <circle class={`message ${shown}`} cx="6" cy="6" r="5" />
          </svg>
          {names.map(([kind]) => kind).join(', ')}
        </li>
      ))}
    </ul>
  );
}

function Log({ player }: { player: Player }): JSX.Element {
  const shown = useSignal<readonly string[]>([]);
  useSignalEffect(() => {
    shown.value = player.lines.value.slice(-14).toReversed();
  });
  return (
    <>
      <h2>What happened, the newest first</h2>
      <ol class="log mono">
        {shown.value.map((line, index) => (
          <li key={`${index}${line}`}>{harmless(line.replace(/^(\d+) /, '$1 ms, '))}</li>
        ))}
      </ol>
    </>
  );
}
