import { Problem } from '../../base/problem.ts';
import { type BlockHeader, type Height, toHeight } from '../../ledger/block.ts';
import { type ChainParameters, parametersAt, scheduledChange } from '../../ledger/chain-parameters.ts';
import type { State } from '../../ledger/state.ts';

/** A block and the state after it. */
interface Basis {
  readonly header: BlockHeader;
  readonly state: State;
}

/** What counts for the block on top of this one. */
export function upcomingParameters({ header, state }: Basis): ChainParameters {
  return parametersAt(state.parameters, toHeight(header.height + 1));
}

/** A protocol version that this program does not know, and the first height that it counts for. */
export interface UnknownVersion {
  readonly version: number;
  readonly height: Height;
  readonly known: number;
}

/** The unknown version by which the chain goes on after this block, or from a later height on. */
export function unknownVersionAfter({ header, state }: Basis, known: number): UnknownVersion | undefined {
  const { protocolVersion } = upcomingParameters({ header, state });
  const next = toHeight(header.height + 1);
  if (protocolVersion > known) return { version: protocolVersion, height: next, known };
  const scheduled = scheduledChange(state.parameters, 'protocol-version');
  if (scheduled === undefined || scheduled.change.version <= known) return undefined;
  return { version: scheduled.change.version, height: scheduled.height, known };
}

/** What an operator is told of it, as long as the node goes on, and when it does not. */
export function unknownVersionProblem({ version, height, known }: UnknownVersion): Problem {
  return new Problem(
    'chain/unknown-version',
    `from height ${height} on this chain goes by protocol version ${version}, and this program knows up to ${known}`,
    {
      remedy: `Install a program that knows protocol version ${version}, and start it with the same data directory: it goes on where this one stops. That can be done before height ${height} comes.`,
      details: { version, height, known },
    },
  );
}
