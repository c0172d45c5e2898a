import type { StateChange, StateChanges } from '../../src/ledger/state-entry.ts';

export function listed(changes: StateChanges): readonly StateChange[] {
  return Array.from({ length: changes.length }, (_, index) => changes.at(index) as StateChange);
}
