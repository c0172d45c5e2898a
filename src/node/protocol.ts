import type { Protocol } from '../consensus/engine.ts';
import { defaultPbftOptions } from '../consensus/pbft/options.ts';
import { pbftProtocol } from '../consensus/pbft/protocol.ts';
import { raftProtocol } from '../consensus/raft/protocol.ts';
import { hashHeader } from '../ledger/block.ts';
import { type Genesis, genesisHeader, genesisValidators } from '../ledger/genesis.ts';

/** The engine that a genesis asks for. */
export function protocolOf(genesis: Genesis): Protocol<object> {
  const { chainId, consensus } = genesis;
  const validators = genesisValidators(genesis);
  if (consensus.engine === 'raft') {
    const { engine: _, ...options } = consensus;
    return raftProtocol({ chainId, validators, options });
  }
  const { engine: _, ...options } = consensus;
  return pbftProtocol({
    chainId,
    genesisHash: hashHeader(genesisHeader(genesis)),
    validators,
    options: { ...defaultPbftOptions, ...options },
  });
}
