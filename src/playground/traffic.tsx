import type { JSX } from 'preact';
import { harmless } from '../base/harmless.ts';
import type { Player } from './player.ts';
import { kindClasses } from './ring.tsx';

const shownFlights = 10;
const shownLines = 14;

/** The colours of messages, and an adversary who holds a kind of them back. */
export function Kinds({ player }: { player: Player }): JSX.Element {
  const held = player.view.value?.held ?? [];
  const kinds = Object.entries(kindClasses[player.setting.value.engine]);
  const names = [
    ...kinds.map(([kind]) => kind),
    ...held.filter((kind) => !kinds.some(([one]) => one === kind)),
  ];
  return (
    <div class="row" role="group" aria-label="Kinds of messages: hold one back, everywhere">
      {names.map((kind) => {
        const isHeld = held.includes(kind);
        return (
          <button
            key={kind}
            type="button"
            aria-pressed={isHeld}
            class={isHeld ? 'bad' : ''}
            title={
              isHeld
                ? 'let it arrive again'
                : 'no message of this kind arrives, anywhere, until it is released'
            }
            onClick={() => player.act({ kind: isHeld ? 'release' : 'hold', what: kind })}
          >
            <svg class="swatch" viewBox="0 0 12 12" aria-hidden="true">
              <circle
                class={`message ${kindClasses[player.setting.value.engine][kind] ?? 'other'}`}
                cx="6"
                cy="6"
                r="5"
              />
            </svg>{' '}
            {harmless(kind)}
            {isHeld ? ', held back' : ''}
          </button>
        );
      })}
    </div>
  );
}

/** What is on its way, with what it says; while time runs, only how much. */
export function OnTheWay({ player }: { player: Player }): JSX.Element {
  const { value: flights } = player.flights;
  if (player.isPlaying.value)
    return <p class="quiet">{flights.length} messages are on their way. Pause to read them.</p>;
  return (
    <ul class="log mono" aria-label="Messages on their way">
      {flights.slice(0, shownFlights).map(({ from, to, kind, text, arrives }, index) => (
        <li key={`${from}${to}${kind}${index}`}>
          {from} → {to} {kind}: {harmless(text)}
          {arrives === null ? ' (lost)' : `, there at ${arrives} ms`}
        </li>
      ))}
      {flights.length > shownFlights && <li>and {flights.length - shownFlights} more</li>}
      {flights.length === 0 && <li>nothing is on its way</li>}
    </ul>
  );
}

/** Who steps hears what each step brought; while time runs, that would be too much. */
export function Happened({ player }: { player: Player }): JSX.Element {
  const lines = player.lines.value.slice(-shownLines).toReversed();
  return (
    <ol class="log mono" aria-live={player.isPlaying.value ? 'off' : 'polite'} aria-relevant="additions">
      {lines.map((line, index) => (
        <li key={`${player.lines.value.length - index}${line}`}>
          {harmless(line.replace(/^(\d+) /, '$1 ms, '))}
        </li>
      ))}
    </ol>
  );
}
