import type { Act } from './act.ts';
import { type PlayHost, replay } from './host.ts';
import type { Setting } from './setting.ts';
import type { RunView } from './view.ts';

/** What the page asks of the worker; each is answered with what is to be seen then, in order. */
export type Ask =
  /** Begins a run, and plays to an event, or to a moment, at once. */
  | { readonly kind: 'open'; readonly setting: Setting; readonly event?: number; readonly until?: number }
  | { readonly kind: 'play'; readonly until: number }
  | { readonly kind: 'step' }
  | { readonly kind: 'act'; readonly act: Act };

export type Answer =
  | {
      readonly view: RunView;
      /** With all edits so far. */
      readonly setting: Setting;
    }
  /** The run cannot go on: a fault of this program. */
  | { readonly failed: string };

interface Scope {
  addEventListener(kind: 'message', listener: (event: { readonly data: Ask }) => void): void;
  postMessage(answer: Answer): void;
}

// The simulator runs beside the page, so that a slow machine shows less often and never stands still.
const scope = globalThis as unknown as Scope;
let host: PlayHost | undefined;
let last: Promise<void> = Promise.resolve();

async function answer(ask: Ask): Promise<Answer> {
  if (ask.kind === 'open') {
    host = await replay(ask.setting, ask.event ?? 0);
    if (ask.until !== undefined) await host.playTo(ask.until);
  }
  if (host === undefined) return { failed: 'no run was opened' };
  if (ask.kind === 'play') await host.playTo(ask.until);
  else if (ask.kind === 'step') await host.playToEvent(host.events + 1);
  else if (ask.kind === 'act') host.act(ask.act);
  return { view: host.look(), setting: { ...host.setting, edits: host.edits } };
}

scope.addEventListener('message', ({ data }) => {
  // One request after the other, because a run can do only one at a time.
  last = last.then(async () => {
    const answered = await answer(data).catch((error: unknown) => ({ failed: String(error) }));
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
    scope.postMessage(answered);
  });
});
