import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PbftMessage, ViewChange } from '../../../src/consensus/pbft/message.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { Committee } from './harness.ts';

const liar = 0;
const honest = [1, 2, 3];
const isVote = (kind: string): boolean => kind === 'prepare' || kind === 'commit';

/**
 * A committee in which the liar alone has the prepare certificate of a block, of which it is the primary; and
 * whose block all others let go, because views failed for long: their proposals arrived, and the votes for
 * them did not. Nobody gives the block any more.
 */
function withHiddenCertificate() {
  const committee = new Committee(4);
  const { engine } = committee.node(liar);
  committee.deliverable = (_, to, { kind }) =>
    to !== 3 && kind !== 'commit' && !(to !== liar && kind === 'prepare');
  committee.work();
  committee.run();
  const hidden = engine?.state.highest ?? assert.fail('it has a certificate');
  committee.node(liar).crash();
  committee.deliverable = (_, __, { kind }) => !isVote(kind);
  const isKept = (): boolean =>
    honest.some((index) => committee.node(index).engine?.state.stored.has(hidden.blockHash) === true);
  while (isKept() && committee.now < 400_000) {
    committee.work();
    committee.pass(100);
  }
  assert.equal(isKept(), false, 'they let it go');
  for (const index of honest) {
    committee.node(index).judge = (hash) =>
      hash === hidden.blockHash ? { verdict: 'unavailable', reason: 'nobody has it' } : null;
  }
  /** The liar's change to a view, with what it kept. */
  const change = (view: number): PbftMessage =>
    committee.viewChange(liar, view, {
      finalHeight: toHeight(0),
      finalCertificate: undefined,
      highest: hidden,
    });
  const view = (): number =>
    Math.max(...honest.map((index) => committee.node(index).engine?.state.view ?? 0));
  const goesOn = (): void => {
    const { nodes } = committee;
    assert.ok(
      honest.some((index) => (nodes[index]?.finalHeight() ?? 0) > 0),
      committee.node(1).engine?.why(),
    );
  };
  return { committee, change, view, goesOn };
}

describe('a certificate that a liar kept until all others let its block go', () => {
  test('does not stop the chain when the liar shows it first at every change of the view', () => {
    const { committee, change, goesOn } = withHiddenCertificate();
    const shown = new Set<number>();
    committee.deliverable = (_, __, message) => {
      if (message.kind === 'view-change' && !shown.has(message.view)) {
        shown.add(message.view);
        for (const index of honest) committee.node(index).receive(change(message.view), true);
      }
      // Until it was shown first, votes are lost; from then on nothing is.
      return shown.size > 0 || !isVote(message.kind);
    };
    while (shown.size === 0) committee.pass(100);
    committee.pass(600_000);
    goesOn();
  });

  test('does not stop the chain when a view of the liar began with it', () => {
    const { committee, change, view, goesOn } = withHiddenCertificate();
    const changes = new Map<number, ViewChange[]>();
    committee.deliverable = (_, __, message) => {
      if (message.kind === 'view-change' && message.from !== liar) {
        const all = changes.get(message.view) ?? [];
        if (!all.some(({ from }) => from === message.from)) all.push(message);
        changes.set(message.view, all);
      }
      return !isVote(message.kind);
    };
    // Until two others changed to a view of the liar's.
    const ready = (): boolean => (changes.get(view())?.length ?? 0) > 1 && view() % 4 === liar;
    while (!ready() && committee.now < 1_200_000) {
      committee.work();
      committee.pass(100);
    }
    const began = view();
    const two = (changes.get(began) ?? assert.fail('a view of the liar')).slice(0, 2);
    const viewChanges = [change(began) as ViewChange, ...two].sort((a, b) => a.from - b.from);
    const newView = committee.say({ kind: 'new-view', from: liar, view: began, viewChanges } as never);
    for (const index of honest) committee.node(index).receive(newView, true);
    committee.run();
    assert.ok(
      honest.some((index) => committee.node(index).engine?.state.newView?.view === began),
      'they entered it',
    );
    committee.deliverable = () => true;
    committee.pass(600_000);
    goesOn();
  });
});
