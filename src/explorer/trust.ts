import { signal } from '@preact/signals';
import { Problem } from '../base/problem.ts';
import type { EpochAnswer } from '../client/answers.ts';
import type { Known } from '../client/verify.ts';
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

/** How the validators changed, as the node tells: each change is proven from the genesis file on. */
let epochs: readonly EpochAnswer[] = [];

/** A proof with all that takes to check it elsewhere. */
export function proofFile<T extends object>(proof: T): T & { readonly epochs: readonly EpochAnswer[] } {
  return { ...proof, epochs };
}

/**
 * Checks something against the genesis file and the changes of the validators that are known, and again with
 * what the node knows of those when the signers are strangers. Undefined while there is no genesis file.
 */
export async function checkAgainstGenesis<T>(
  verify: (known: Known) => T | Problem,
): Promise<T | Problem | undefined> {
  const genesis = await genesisWhenKnown();
  if (genesis === undefined) return undefined;
  const verdict = verify({ genesis, epochs });
  if (!(verdict instanceof Problem) || verdict.code !== 'proof/unknown-validators') return verdict;
  const answer = await node.allEpochs();
  if (answer instanceof Problem || answer.length === epochs.length) return verdict;
  epochs = answer;
  return verify({ genesis, epochs });
}

/** The genesis file to check against, once it is known; undefined when there is none. */
async function genesisWhenKnown(): Promise<Genesis | undefined> {
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
