import type { EngineName } from '../ledger/engine-names.ts';

/** What each engine's papers call a period with one leader, and that leader. */
export const engineWords: Readonly<Record<EngineName, { readonly period: string; readonly leader: string }>> =
  {
    pbft: { period: 'view', leader: 'primary' },
    raft: { period: 'term', leader: 'leader' },
  };
