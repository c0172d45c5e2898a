import type { Engine } from '../../src/consensus/engine.ts';
import type { PbftEngine } from '../../src/consensus/pbft/engine.ts';
import type { RaftEngine } from '../../src/consensus/raft/engine.ts';
import { engineContract } from './engine.ts';

const pbftState = (engine: Engine<object>): object => (engine as unknown as PbftEngine).state;
const raftState = (engine: Engine<object>): object => (engine as unknown as RaftEngine).replica.state;

engineContract({ engine: 'pbft', seed: 18, stateOf: pbftState, notes: ['contact', 'counters', 'peers'] });
engineContract({ engine: 'raft', seed: 11, stateOf: raftState, notes: ['contact', 'counters'] });
