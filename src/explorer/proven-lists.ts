import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { grouped } from '../client/plain-words.ts';
import { provenHistory, provenRecords } from '../client/proven-lists.ts';
import { recordItemJson, recordVersionJson, versionView } from '../ledger/state-json.ts';
import { node } from './node.ts';
import type { ShownList } from './proven-state.ts';
import { knownChecker } from './trust.ts';

export type ShownVersion = ReturnType<typeof recordVersionJson>;

/** The versions of a record, as the proof of its history has them. */
export async function historyShown(key: string): Promise<ShownList<ShownVersion> | Problem> {
  const checker = await knownChecker();
  if (checker instanceof Problem) return checker;
  const proven = await provenHistory(node, checker, key, limits.httpPage);
  if (proven instanceof Problem) return proven;
  const { state, history, proof } = proven;
  const { versions, older } = history;
  return {
    items: versions.map((one) => recordVersionJson(versionView(one))),
    says:
      older === 0
        ? 'All versions that there ever were, and no others.'
        : `The newest versions, and none is missing between them. Of ${grouped(older)} before them nothing is shown.`,
    height: state.header.height,
    steps: state.steps,
    proof,
  };
}

/** The records of a namespace, as their proof has them. */
export async function recordsShown(
  namespace: string,
): Promise<ShownList<ReturnType<typeof recordItemJson>> | Problem> {
  const checker = await knownChecker();
  if (checker instanceof Problem) return checker;
  const proven = await provenRecords(node, checker, namespace);
  if (proven instanceof Problem) return proven;
  const { page, records, proof } = proven;
  return {
    items: records.map(({ key, ...record }) => recordItemJson(key, record)),
    says: 'All records of the namespace, and no others.',
    height: page.header.height,
    steps: page.steps,
    proof,
  };
}
