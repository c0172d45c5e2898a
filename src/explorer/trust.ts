import { signal } from '@preact/signals';
import { Problem } from '../base/problem.ts';
import { type Genesis, parseGenesis } from '../ledger/genesis.ts';
import { node } from './node.ts';

/**
 * What everything that is shown as final is checked against. A genesis file that came from the node itself
 * proves that the node agrees with itself; one that was pinned proves that it is on the chain that is meant.
 */
export interface Trust {
  readonly genesis: Genesis;
  readonly text: string;
  readonly from: 'node' | 'pinned';
}

/** Undefined until it is known; a problem when there is no genesis file that can be read. */
export const trust = signal<Trust | Problem | undefined>(undefined);

const storageKey = 'quorate-genesis';
let loading: Promise<void> | undefined;

export function loadTrust(): Promise<void> {
  loading = load();
  return loading;
}

/** The genesis file to check against, once it is known; undefined when there is none. */
export async function genesisWhenKnown(): Promise<Genesis | undefined> {
  await loading;
  return trustedGenesis();
}

async function load(): Promise<void> {
  const pinned = localStorage.getItem(storageKey);
  if (pinned !== null) {
    const genesis = parseGenesis(pinned);
    if (!(genesis instanceof Problem)) {
      trust.value = { genesis, text: pinned, from: 'pinned' };
      return;
    }
    localStorage.removeItem(storageKey);
  }
  const answer = await node.genesis();
  if (answer instanceof Problem) {
    trust.value = answer;
    return;
  }
  const genesis = parseGenesis(answer.genesis);
  trust.value = genesis instanceof Problem ? genesis : { genesis, text: answer.genesis, from: 'node' };
}

/** Checks against this file from now on, also after the page is loaded again. */
export function pinGenesis(text: string): Problem | undefined {
  const genesis = parseGenesis(text);
  if (genesis instanceof Problem) return genesis;
  localStorage.setItem(storageKey, text);
  trust.value = { genesis, text, from: 'pinned' };
  return undefined;
}

export async function forgetGenesis(): Promise<void> {
  localStorage.removeItem(storageKey);
  await loadTrust();
}

/** The genesis file to check against, when there is one. */
export function trustedGenesis(): Genesis | undefined {
  const { value } = trust;
  return value === undefined || value instanceof Problem ? undefined : value.genesis;
}
