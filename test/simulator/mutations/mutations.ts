/**
 * Rules of `src/consensus/README.md`, each broken in one place. `find.ts` beside this file patches a copy of the source with one of them
 * and counts the seeds until a run fails. A pattern that is not found any more fails the test beside this file: then the
 * mutation has to follow the code.
 */
export interface Mutation {
  readonly name: string;
  /** The rule that no longer holds. */
  readonly rule: string;
  readonly patches: readonly Patch[];
  /** Within so many seeds it must be found. */
  readonly within: number;
  /** Random runs do not meet what it takes (or not in many thousands): this directed test fails instead. */
  readonly directed?: { readonly file: string; readonly test: string };
}

interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const viewChange = 'src/consensus/pbft/view-change.ts';
const voting = 'src/consensus/pbft/voting.ts';
const tally = 'src/consensus/pbft/tally.ts';
const validating = 'src/consensus/pbft/validating.ts';
const accepting = 'src/consensus/pbft/accepting.ts';
const invariants = 'src/consensus/pbft/invariants.ts';

export const mutations: readonly Mutation[] = [
  {
    name: 'ignore-certificate',
    rule: 'a new view starts from the highest certificate',
    patches: [
      {
        file: viewChange,
        find: 'tip: highest !== null && highest.height > base.height ? highest : null',
        replace: 'tip: highest === null ? highest : null',
      },
    ],
    within: 1_000,
  },
  {
    name: 'choose-lowest',
    rule: 'of several certificates the highest counts',
    patches: [
      {
        file: viewChange,
        find: 'highest = highestOf(highest, highestOf(reported, finalCertificate));',
        replace: `const best = highestOf(reported, finalCertificate);
    if (best !== null && best.height > finalHeight && (highest === null || highestOf(best, highest) !== best)) highest = best;`,
      },
    ],
    within: 1_000,
  },
  {
    name: 'skip-persist',
    rule: 'what a message depends on is on disk before it leaves',
    patches: [
      {
        file: 'src/node/effects/persisting.ts',
        find: 'this.#options.store.persist({ records, blocks, forget }, (problem) => {',
        replace: `this.#options.store.persist({ records, blocks, forget }, () => {});
    ((then: (problem: Problem | undefined) => void) => then(undefined))((problem) => {`,
      },
    ],
    within: 1_000,
  },
  {
    name: 'repeated-view-change',
    rule: 'a new view needs view changes of distinct validators',
    patches: [
      {
        file: 'src/consensus/pbft/claims.ts',
        find: 'if (viewChange.from <= previous)',
        replace: 'if (viewChange.from < previous)',
      },
    ],
    within: 5_000,
  },
  {
    name: 'quorum-of-2f',
    rule: 'a quorum is floor((n + f) / 2) + 1',
    patches: [
      {
        file: 'src/ledger/quorum.ts',
        find: 'Math.floor((n + maxFaulty(n)) / 2) + 1',
        replace: 'Math.max(1, Math.floor((n + maxFaulty(n)) / 2))',
      },
    ],
    within: 1_000,
  },
  {
    name: 'one-domain-for-votes',
    rule: 'a prepare is signed over other bytes than a commit',
    patches: [
      {
        file: 'src/ledger/certificate.ts',
        find: 'domainPrefix(`quorate/v1/pbft/${phase}`)',
        replace:
          "domainPrefix(phase === 'pre-prepare' ? 'quorate/v1/pbft/pre-prepare' : 'quorate/v1/pbft/prepare')",
      },
    ],
    within: 1_000,
  },
  {
    name: 'any-parent',
    rule: 'a proposal extends the block accepted below it',
    patches: [
      {
        file: accepting,
        find: 'if (message.proposal.header.parentHash === parent.blockHash && !parent.isLast) {',
        replace: 'if (!parent.isLast) {',
      },
    ],
    within: 1_000,
    directed: {
      file: 'test/consensus/pbft/normal-case.test.ts',
      test: 'a proposal that does not extend its parent is refused',
    },
  },
  {
    name: 'no-window',
    rule: 'at most W heights are in flight',
    patches: [
      {
        file: 'src/consensus/shared/pacing.ts',
        find: 'return toHeight(final + window);',
        replace: 'return toHeight(final + 1_000_000);',
      },
    ],
    within: 1_000,
  },
  {
    name: 'count-twice',
    rule: 'a validator has one vote',
    patches: [
      {
        file: tally,
        find: 'if (voters === undefined) byBlock.set(vote.blockHash, [from]);',
        replace: 'if (voters === undefined) byBlock.set(vote.blockHash, [from, from]);',
      },
      { file: tally, find: 'if (votes.size < quorum) return null;', replace: '' },
    ],
    within: 1_000,
  },
  {
    name: 'view-goes-back',
    rule: 'a view that was left is never entered again',
    patches: [
      {
        file: viewChange,
        find: 'if (newView.view < state.view) return;',
        replace: '',
      },
      {
        file: viewChange,
        find: 'if (newView.view > state.view) moveTo(replica, newView.view);',
        replace: 'if (newView.view !== state.view) moveTo(replica, newView.view);',
      },
      {
        file: 'src/consensus/pbft/admission.ts',
        find: 'if (message.view < state.view) return false;\n      if (message.view === state.view && state.phase',
        replace: 'if (message.view === state.view && state.phase',
      },
    ],
    within: 1_000,
  },
  {
    name: 'forget-prepared',
    rule: 'the highest certificate is on disk before the Commit that depends on it leaves',
    patches: [
      {
        file: voting,
        find: 'records: [certificateRecord(state.highest ?? prepared)],',
        replace: 'records: state.highest === null ? [certificateRecord(prepared)] : [],',
      },
    ],
    within: 1_000,
  },
  {
    name: 'amnesia-counts-itself',
    rule: 'after a lost log the answers of a quorum of others are needed',
    patches: [
      {
        file: 'src/consensus/pbft/amnesia.ts',
        find: 'if (guard.proven.size < quorumOf(replica)) return;',
        replace: 'if (guard.proven.size + 1 < quorumOf(replica)) return;',
      },
    ],
    within: 1_000,
    directed: {
      file: 'test/consensus/pbft/amnesia.test.ts',
      test: 'the answers of a quorum of others are needed: it does not count itself',
    },
  },
  {
    name: 'amnesia-old-answers',
    rule: 'only answers to the question of this start count',
    patches: [
      {
        file: 'src/consensus/pbft/amnesia.ts',
        find: ' && state.guard.nonce === reply.nonce',
        replace: '',
      },
    ],
    within: 1_000,
    directed: {
      file: 'test/consensus/pbft/amnesia.test.ts',
      test: 'answers to the question of an earlier start count for nothing',
    },
  },
  {
    name: 'amnesia-answers',
    rule: 'who lost its own log answers nobody',
    patches: [
      {
        file: 'src/consensus/pbft/amnesia.ts',
        find: 'if (peer === undefined || !mayVote(replica)) return false;',
        replace: 'if (peer === undefined) return false;',
      },
    ],
    within: 1_000,
    directed: {
      file: 'test/consensus/pbft/amnesia.test.ts',
      test: 'who lost its own log answers nobody: it does not know how far it was',
    },
  },
  {
    name: 'outdated-view-change',
    rule: 'nobody enters a view with a ViewChange that is outdated beside what it knows',
    patches: [
      {
        file: 'src/consensus/pbft/freshness.ts',
        find: 'return !newView.viewChanges.some(',
        replace: 'return true || !newView.viewChanges.some(',
      },
    ],
    within: 1_000,
    directed: {
      file: 'test/consensus/pbft/amnesia.test.ts',
      test: 'a ViewChange from before the loss does not start a view that hides what was voted for after it',
    },
  },
  {
    name: 'window-after-crash',
    rule: 'after a crash the window is as open as it was',
    patches: [
      {
        file: 'src/consensus/pbft/replica.ts',
        find: 'return state.restoredUpTo > end ? state.restoredUpTo : end;',
        replace: 'return end;',
      },
    ],
    within: 300,
  },
  {
    name: 'second-new-view',
    rule: 'a replica accepts one NewView per view',
    patches: [
      {
        file: viewChange,
        find: "if (newView.view === state.view && state.phase.name === 'normal') return;",
        replace: 'if (state.newView?.signature === newView.signature) return;',
      },
      {
        file: viewChange,
        find: 'if (newView.view > state.view) moveTo(replica, newView.view);',
        replace: 'moveTo(replica, newView.view);',
      },
      {
        file: 'src/consensus/pbft/admission.ts',
        find: "if (message.view === state.view && state.phase.name === 'normal') return false;",
        replace: '',
      },
    ],
    within: 1_000,
  },
  {
    name: 'trust-state-root',
    rule: 'a block is valid only when executing it gives its roots',
    patches: [
      {
        file: 'src/ledger/execution.ts',
        find: 'if (header.stateRoot !== execution.state.root) {',
        replace: 'if (header.stateRoot === undefined) {',
      },
    ],
    within: 1_000,
  },
  {
    name: 're-propose-one-by-one',
    rule: 'heights below the tip of a new view are never prepared in it',
    patches: [
      {
        file: viewChange,
        find: 'if (tip.height <= final.height && recentFinal.get(tip.height) !== tip.blockHash) return;',
        replace: `if (tip.height <= final.height && recentFinal.get(tip.height) !== tip.blockHash) return;
  for (const link of chainTo(replica, tip.blockHash) ?? []) {
    if (link.height >= tip.height) continue;
    acceptSlot(replica, {
      height: link.height,
      blockHash: link.blockHash,
      parentHash: link.parentHash,
      proposal: null,
      holders: tip.signatures.map(({ validator }) => validator),
    });
  }`,
      },
      {
        file: viewChange,
        find: "import { acceptSlot } from './accepting.ts';",
        replace: "import { acceptSlot } from './accepting.ts';\nimport { chainTo } from './chain.ts';",
      },
      {
        file: invariants,
        find: 'invariant(height >= state.viewBase.height,',
        replace: 'invariant(height >= 0,',
      },
    ],
    within: 1_000,
  },
  {
    name: 'early-after-parent',
    rule: 'a block one millisecond after its parent is never too early',
    patches: [
      {
        file: 'src/node/effects/validation.ts',
        find: 'const earliest = Math.max(now + limits.maxClockAheadMs, before + 1);',
        replace: 'const earliest = now + limits.maxClockAheadMs;',
      },
    ],
    within: 1_000,
  },
  {
    name: 'same-seal',
    rule: 'a repeated message is new to gossip',
    patches: [
      {
        file: 'src/node/peers/relay.ts',
        find: 'this.#salt = (this.#salt + 1) % saltEnd;',
        replace: 'this.#salt = 0;',
      },
    ],
    within: 1_000,
  },
  {
    name: 'no-back-off',
    rule: 'every way to leave a view passes the back-off',
    patches: [
      {
        file: 'src/consensus/pbft/suspicion.ts',
        find: 'if (!isNormal(replica) || !mayLeave(replica)) return;',
        replace: 'if (!isNormal(replica)) return;\n  void mayLeave;',
      },
    ],
    within: 0,
    directed: {
      file: 'test/consensus/pbft/clocks.test.ts',
      test: 'whatever the grounds, views change no faster than the back-off once more than f primaries failed',
    },
  },
  {
    name: 'suspect-early',
    rule: 'an early block is no ground for suspicion',
    patches: [
      {
        file: validating,
        find: "    slot.validity = 'early';",
        replace: "    slot.validity = 'early';\n    raiseGrounds(replica, 'invalid-proposal', slot.height);",
      },
    ],
    within: 0,
    directed: {
      file: 'test/consensus/pbft/clocks.test.ts',
      test: 'an early block becomes valid by waiting, and is no ground for suspicion',
    },
  },
  {
    name: 'old-suspect',
    rule: 'of each validator the latest Suspect counts',
    patches: [
      {
        file: 'src/consensus/pbft/suspicion.ts',
        find: 'return a.height === b.height ? a.sequence > b.sequence : a.height > b.height;',
        replace: 'return a.view === b.view;',
      },
    ],
    within: 0,
    directed: {
      file: 'test/consensus/pbft/suspects.test.ts',
      test: 'an old Suspect that somebody replays does not take the place of a later one',
    },
  },
];

/** One place in one file. Within a few hundred seeds it must be found. */
export function one(
  name: string,
  rule: string,
  file: string,
  { find, replace }: { find: string; replace: string },
): Mutation {
  return { name, rule, patches: [{ file, find, replace }], within: 300 };
}

export function testOf(name: string): string {
  return `test/${name}.test.ts`;
}

/** A rule that needs what random runs do not do: its directed test fails instead. */
export function directed(name: string, rule: string, patch: Patch, file: string, test: string): Mutation {
  return { name, rule, patches: [patch], within: 0, directed: { file, test } };
}
