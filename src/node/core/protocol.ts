import { limits } from '../../base/limits.ts';
import type { Protocol } from '../../consensus/protocol.ts';
import { defaultPbftOptions } from '../../consensus/pbft/options.ts';
import { pbftProtocol } from '../../consensus/pbft/protocol.ts';
import { defaultRaftOptions, type RaftOptions } from '../../consensus/raft/options.ts';
import { raftProtocol } from '../../consensus/raft/protocol.ts';
import { type Genesis, genesisValidators } from '../../ledger/genesis.ts';

/**
 * What each node decides for itself: when it makes snapshots, and how many blocks below one it keeps. Nothing
 * is deleted unless told.
 */
export type Retention = Pick<RaftOptions, 'snapshotEvery' | 'keepBlocks'>;

/** The engine that a genesis asks for. */
export function protocolOf(
  genesis: Genesis,
  own: Partial<Retention & Pick<RaftOptions, 'appendBytes'>> = {},
): Protocol<object> {
  const { chainId, consensus } = genesis;
  const validators = genesisValidators(genesis);
  if (consensus.engine === 'raft') {
    const { engine: _, ...options } = consensus;
    // A leader must not send blocks that are pruned everywhere: its followers could not get their bodies.
    const tail = Math.min(limits.raftTail, own.keepBlocks ?? limits.raftTail);
    return raftProtocol({
      chainId,
      validators,
      options: { ...defaultRaftOptions, ...options, ...own, tail },
    });
  }
  const { engine: _, ...options } = consensus;
  return pbftProtocol({
    chainId,
    validators,
    options: { ...defaultPbftOptions, ...options },
  });
}
