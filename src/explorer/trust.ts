import { signal } from '@preact/signals';
import { Problem } from '../base/problem.ts';
import { ProofChecker } from '../client/proof-checker.ts';
import { isRetryable } from '../client/transport.ts';
import { type Genesis, parseGenesis } from '../ledger/genesis.ts';
import { keeping } from './browser-storage.ts';
import { node } from './node.ts';

/**
 * What everything that is shown as final is checked against. A genesis file that came from the node itself
 * proves that the node agrees with itself; one that was pinned proves that it is on the chain that is meant.
 */
export interface Trust {
  readonly genesis: Genesis;
  readonly text: string;
  readonly from: 'node' | 'pinned';
  /** What it found proven goes with the file: nothing of it counts for another one. */
  readonly checker: ProofChecker;
}

/** Undefined until it is known; a problem when there is no genesis file that can be read. */
export const trust = signal<Trust | Problem | undefined>(undefined);

const storageKey = 'quorate-genesis';
const lost = 'what is pinned is forgotten when it is closed or loaded again';
let loading: Promise<void> | undefined;

export function loadTrust(): Promise<void> {
  loading ??= load().finally(() => (loading = undefined));
  return loading;
}

/** What checks against the genesis file; a problem when there is none that can be read. */
export async function knownChecker(): Promise<ProofChecker | Problem> {
  const { value } = trust;
  if (value === undefined || (value instanceof Problem && isRetryable(value))) await loadTrust();
  return trusted()?.checker ?? (trust.value as Problem);
}

/** The genesis file to check against, when there is one. */
export function trusted(): Trust | undefined {
  const { value } = trust;
  return value instanceof Problem ? undefined : value;
}

async function load(): Promise<void> {
  const kept = pinned();
  if (kept !== undefined) {
    trust.value = kept;
    return;
  }
  const answer = await node.genesis();
  // Somebody may have pinned one meanwhile.
  if (trusted()?.from === 'pinned') return;
  const genesis = answer instanceof Problem ? answer : parseGenesis(answer.genesis);
  trust.value =
    answer instanceof Problem || genesis instanceof Problem
      ? (genesis as Problem)
      : trustIn(genesis, answer.genesis, 'node');
}

function trustIn(genesis: Genesis, text: string, from: Trust['from']): Trust {
  return { genesis, text, from, checker: new ProofChecker(genesis, node) };
}

/** Nothing that was found counts any more: the chain may be another one with the same genesis file. */
export function renewChecker(): void {
  const known = trusted();
  if (known !== undefined) trust.value = trustIn(known.genesis, known.text, known.from);
}

/** The file that this browser keeps. */
function pinned(): Trust | undefined {
  const text = keeping(lost, () => localStorage.getItem(storageKey));
  if (text === null || text instanceof Problem) return undefined;
  const genesis = parseGenesis(text);
  return genesis instanceof Problem ? undefined : trustIn(genesis, text, 'pinned');
}

/** Checks against this file from now on, also after the page is loaded again. */
export function pinGenesis(text: string): Problem | undefined {
  const genesis = parseGenesis(text);
  if (genesis instanceof Problem) return genesis;
  trust.value = trustIn(genesis, text, 'pinned');
  return keeping(lost, () => localStorage.setItem(storageKey, text)) ?? undefined;
}

export async function forgetGenesis(): Promise<void> {
  trust.value = undefined;
  // Storage that is refused holds nothing to delete.
  keeping(lost, () => localStorage.removeItem(storageKey));
  await loadTrust();
}
