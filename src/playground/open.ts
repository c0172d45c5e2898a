import { openedFrom } from './opened.ts';
import { type Opened, queryOf, type Setting } from './setting.ts';
import type { Problem } from '../base/problem.ts';

const prefix = '#/play/';

export function addressOf(setting: Setting, more: Omit<Opened, 'setting'> = {}): string {
  return prefix + encodeURIComponent(queryOf(setting, more));
}

/** What the page's address names; the first setting, when it names none. */
export function openedHere(): Opened | Problem {
  const { hash } = location;
  try {
    return openedFrom(hash.startsWith(prefix) ? decodeURIComponent(hash.slice(prefix.length)) : '');
  } catch {
    return openedFrom('edits=not-encoded');
  }
}

/** Begins a run, by way of the address: so it can be shared, and gone back from. */
export function open(setting: Setting, lesson?: string): void {
  const address = addressOf(setting, { lesson });
  if (location.hash === address) dispatchEvent(new HashChangeEvent('hashchange'));
  else location.hash = address;
}

/** The address holds what was done: whoever opens it sees the same run. */
export function keep(setting: Setting, more: Omit<Opened, 'setting'>): void {
  if (location.hash === '' || location.hash.startsWith('#/play')) {
    history.replaceState(history.state, '', addressOf(setting, more));
  }
}
