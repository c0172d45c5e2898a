import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { addressOf, keep } from './open.ts';
import type { Player } from './player.ts';

const speeds = [0.02, 0.05, 0.1, 0.25, 0.5, 1, 4] as const;

/** Time: to stop it, to go on by one event, to go back, and to give somebody else the same moment. */
export function TimeControls({
  player,
  lesson,
}: {
  player: Player;
  lesson: string | undefined;
}): JSX.Element {
  const { value: isPlaying } = player.isPlaying;
  return (
    <>
      <div class="row" role="group" aria-label="Time" aria-busy={isWaiting(player) ? 'true' : undefined}>
        <button type="button" class="main" onClick={() => (player.isPlaying.value = !isPlaying)}>
          {isPlaying ? 'Pause' : 'Play'}
        </button>
        <button type="button" onClick={() => player.step()}>
          One event
        </button>
        <button type="button" onClick={() => player.back()}>
          One back
        </button>
        <button
          type="button"
          onClick={() => player.open({ setting: { ...player.setting.value, edits: [] } })}
        >
          Begin anew
        </button>
        <Speed player={player} />
        <CopyAddress player={player} lesson={lesson} />
      </div>
      <Moment player={player} />
    </>
  );
}

/** While time runs, something is asked for all the time. */
function isWaiting({ isPlaying, asked }: Player): boolean {
  return !isPlaying.value && asked.value > 0;
}

function CopyAddress({ player, lesson }: { player: Player; lesson: string | undefined }): JSX.Element {
  const said = useSignal('');
  const copy = async (): Promise<void> => {
    const more = { event: player.view.value?.events, lesson };
    const address = new URL(addressOf(player.setting.value, more), location.href).href;
    try {
      await navigator.clipboard.writeText(address);
      said.value = 'copied';
    } catch {
      // No clipboard here, or it is not allowed: then it stands where it can be copied from.
      keep(player.setting.value, more);
      said.value = 'it is in the address bar';
    }
  };
  return (
    <span>
      <button type="button" onClick={() => void copy()}>
        Copy the address of this moment
      </button>{' '}
      <span role="status" class="quiet">
        {said.value}
      </span>
    </span>
  );
}

function Speed({ player }: { player: Player }): JSX.Element {
  return (
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
  );
}

/** Where the run is; who drags it sees the same run at another moment. */
function Moment({ player }: { player: Player }): JSX.Element {
  const { value: view } = player.view;
  return (
    <>
      <label class="moment">
        Moment{' '}
        <input
          type="range"
          min={0}
          max={Math.max(1, player.furthest.value)}
          value={player.now.value}
          aria-valuetext={`${(player.now.value / 1_000).toFixed(2)} s`}
          onChange={({ currentTarget }) => player.goTo(Math.round(Number(currentTarget.value)))}
        />
      </label>
      {view !== undefined && (
        <p class="number">
          {isWaiting(player) ? 'Working… ' : ''}
          {(player.now.value / 1_000).toFixed(2)} s, {view.events} events, trace{' '}
          <span class="mono">{view.trace}</span>
          {view.isOver ? ', over' : ''}
          {view.breach === null && '; all promises held after each event'}
        </p>
      )}
    </>
  );
}
