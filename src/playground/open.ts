import { queryOf, type Setting } from './setting.ts';

/** Begins a run, by way of the address: so it can be shared, and gone back from. */
export function open(setting: Setting): void {
  location.hash = `#/play/${encodeURIComponent(queryOf(setting))}`;
}
