import { PlayHost, replay, type View } from './host.ts';
import type { Act, Setting } from './setting.ts';

/** What the page asks of the worker; each is answered with what is to be seen then, in order. */
export type Ask =
  | { readonly kind: 'open'; readonly setting: Setting }
  /** Opens it, and plays to an event at once. */
  | { readonly kind: 'replay'; readonly setting: Setting; readonly event: number }
  | { readonly kind: 'play'; readonly until: number }
  | { readonly kind: 'step' }
  | { readonly kind: 'act'; readonly act: Act };

export interface Answer {
  readonly view: View;
  /** With all edits so far. */
  readonly setting: Setting;
}

interface Scope {
  addEventListener(kind: 'message', listener: (event: { readonly data: Ask }) => void): void;
  postMessage(answer: Answer): void;
}

// The simulator runs beside the page, so that a slow machine shows less often and never stands still.
const scope = globalThis as unknown as Scope;
let host: PlayHost | undefined;
let last: Promise<void> = Promise.resolve();

async function answer(ask: Ask): Promise<void> {
  if (ask.kind === 'open') host = new PlayHost(ask.setting);
  else if (ask.kind === 'replay') host = await replay(ask.setting, ask.event);
  if (host === undefined) return;
  if (ask.kind === 'play') await host.playTo(ask.until);
  else if (ask.kind === 'step') await host.playToEvent(host.events + 1);
  else if (ask.kind === 'act') host.act(ask.act);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
  scope.postMessage({ view: host.look(), setting: { ...host.setting, edits: host.edits } });
}

scope.addEventListener('message', ({ data }) => {
  // One after the other: a run is no place for two at once.
  last = last.then(() => answer(data));
});
