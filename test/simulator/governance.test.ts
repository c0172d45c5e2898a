import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { maxFaulty } from '../../src/ledger/quorum.ts';
import { type ValidatorSet, validatorSet } from '../../src/ledger/validators.ts';
import { drawPlan } from '../../src/simulator/plan/draw-plan.ts';
import type { ClockPlan, Fault, NodePlan, Plan } from '../../src/simulator/plan/plan.ts';
import { simulatedChain } from '../../src/simulator/plan/simulated-chain.ts';
import { Governance } from '../../src/simulator/run/governance.ts';
import { FastSignatures } from '../../src/simulator/world/fast-signatures.ts';

const honest = (validator: number | null): NodePlan => ({ validator, liar: null });
const four = [0, 1, 2, 3].map(honest);
const noted: NodePlan = { validator: null, liar: null, noted: true };

/** All sets that are proposed in a few hundred changes, each of which is taken; by index of node. */
function sets(nodes: readonly NodePlan[], rest: Partial<Plan> = {}): readonly (readonly number[])[] {
  const plan: Plan = { ...drawPlan(1), validators: 4, nodes, faults: [], broken: [], ...rest };
  const chain = simulatedChain(plan, new FastSignatures());
  const keys = chain.nodeKeys.map(({ publicKey }) => publicKey);
  let now: ValidatorSet = validatorSet(keys.slice(0, 4));
  const proposed: (readonly PublicKey[])[] = [];
  const governance = new Governance({
    plan,
    chain,
    scheme: new FastSignatures(),
    validators: () => now,
    submit: ({ operations }) => {
      for (const operation of operations) {
        if (operation.type !== 'propose-change' || operation.change.type !== 'validators') continue;
        proposed.push(operation.change.validators);
        now = validatorSet(operation.change.validators);
      }
    },
    isFinal: () => true,
  });
  for (let change = 0; change < 300; change++) governance.change();
  assert.ok(proposed.length > 200);
  return proposed.map((set) => set.map((key) => keys.indexOf(key)));
}

function never(mayFail: readonly number[], all: readonly (readonly number[])[]): void {
  for (const set of all) {
    const count = set.filter((node) => mayFail.includes(node)).length;
    assert.ok(count <= maxFaulty(set.length), `[${set.join()}], and of these may fail: ${mayFail.join()}`);
  }
  for (const node of mayFail)
    assert.ok(
      all.some((set) => set.includes(node)),
      `node ${node} comes, too`,
    );
}

test('no set has more liars, lost disks and wrong clocks than it tolerates', () => {
  never([1], sets([honest(0), { validator: 1, liar: 'silent' }, honest(2), honest(3)]));
  const loss: Fault = { kind: 'disk-loss', node: 2, at: 100, forMs: 100 };
  never([2], sets(four, { faults: [loss] }));
  const clock = (offsetMs: number): ClockPlan => ({ node: 3, offsetMs, rate: 1 });
  for (const wrong of [-3_600_000, 3_600_000]) never([3], sets(four, { clocks: [clock(wrong)] }));
  const little = sets(four, { clocks: [clock(3_000)] });
  assert.ok(
    little.some((set) => set.length === 1 && set.includes(3)),
    'a clock that is a little off fails nobody',
  );
});

test('a key that has to ask before it votes may fail; one whose machine noted its use for long is as any other', () => {
  never([4], sets([...four, honest(null)]));
  never(
    [1, 4],
    sets([{ ...honest(0) }, { validator: 1, liar: 'silent' }, honest(2), honest(3), honest(null), noted]),
  );
  const small = sets([...four, noted]).filter((set) => set.length < 4);
  assert.ok(
    small.some((set) => set.includes(4)),
    'also where nobody may fail',
  );
});

test('no clock that jumps is believed, nor any where all jump: then a noted key may have to ask, too', () => {
  const set = [{ ...honest(0) }, { ...honest(1), liar: 'silent' } as const, honest(2), honest(3), noted];
  const episode = { at: 100, forMs: 100 };
  for (const byMs of [20_000, -3_600_000])
    never([1, 4], sets(set, { faults: [{ kind: 'clocks-jump', byMs, ...episode }] }));
  never([1, 4], sets(set, { faults: [{ kind: 'clock-jump', node: 4, byMs: 60_000, ...episode }] }));
  // Whose key is there from the beginning has nothing to ask.
  const jump: Fault = { kind: 'clocks-jump', byMs: 20_000, ...episode };
  assert.ok(sets(four, { faults: [jump] }).some((all) => all.length < 4));
  for (const fault of [
    { kind: 'crash', node: 4, ...episode },
    { kind: 'crash-all', ...episode },
  ] as const) {
    const small = sets([...four, noted], { faults: [fault] }).filter((all) => all.length < 4);
    assert.ok(
      small.some((all) => all.includes(4)),
      `not for a ${fault.kind}`,
    );
  }
});
