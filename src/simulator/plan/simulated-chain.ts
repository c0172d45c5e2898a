import { defined } from '../../base/invariant.ts';
import { unwrap } from '../../base/problem.ts';
import { createGenesis, type Genesis } from '../../ledger/genesis.ts';
import type { SignatureScheme, SimulatedKey } from '../world/fast-signatures.ts';
import type { Plan } from './plan.ts';
import { epochMs } from '../world/virtual-clock.ts';

/** The chain of a run, and the keys of everybody on it. */
export interface SimulatedChain {
  readonly genesis: Genesis;
  /** One for each node; twins have the same one. */
  readonly nodeKeys: readonly SimulatedKey[];
  readonly senderKeys: readonly SimulatedKey[];
}

export const senderBalance = 1_000_000_000n;

export function simulatedChain(plan: Plan, scheme: SignatureScheme): SimulatedChain {
  const validatorKeys = Array.from({ length: plan.validators }, (_, index) =>
    scheme.key(`validator ${index}`),
  );
  const nodeKeys = plan.nodes.map(
    ({ validator }, index) =>
      (validator === null ? undefined : validatorKeys[validator]) ?? scheme.key(`observer ${index}`),
  );
  const senderKeys = Array.from({ length: plan.load.senders }, (_, index) => scheme.key(`sender ${index}`));
  const first = defined(senderKeys[0], 'a sender');
  const consensus =
    'electionTimeoutMs' in plan.consensus
      ? ({
          engine: 'raft',
          ...plan.consensus,
          checkSignatures: plan.seed % 2 === 0 ? 'entry' : 'all',
        } as const)
      : ({ engine: 'pbft', ...plan.consensus } as const);
  const genesis = unwrap(
    createGenesis({
      name: `simulation-${plan.seed}`,
      development: true,
      timestamp: epochMs - 60_000,
      consensus,
      validators: validatorKeys.map(({ publicKey }, index) => ({ name: `validator-${index}`, publicKey })),
      accounts: senderKeys.map(({ publicKey }) => ({ publicKey, balance: senderBalance })),
      namespaces: [{ name: 'park', owner: first.publicKey, mode: 'open', writers: [] }],
    }),
  );
  return { genesis, nodeKeys, senderKeys };
}
