import assert from 'node:assert/strict';
import { test } from 'node:test';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import { genesisValidators } from '../../../src/ledger/genesis.ts';
import { assembleGround } from '../../../src/node/core/assemble-ground.ts';
import { Listeners } from '../../../src/node/core/listeners.ts';
import { protocolOf } from '../../../src/node/core/protocol.ts';
import { silentLog } from '../../../src/node/process/log.ts';
import { ChainMaker } from '../chain-maker.ts';
import { testGenesis } from '../cluster.ts';

test('the state that a node begins with is the chain’s alone: nobody keeps its old entries when blocks change them', () => {
  const genesis = testGenesis(4);
  const { start: final } = new ChainMaker(genesis);
  const { chain } = assembleGround(
    {
      genesis,
      protocol: protocolOf(genesis),
      identity: { publicKey: developmentKeyPair('validator-0').publicKey },
      log: silentLog,
    } as never,
    {
      final,
      certificate: null,
      candidates: [],
      epoch: { height: final.height, blockHash: final.hash },
      validators: genesisValidators(genesis),
    },
    { ports: { clock: {} }, listeners: new Listeners(silentLog) } as never,
  );
  assert.throws(() => [...final.state.entries()], /released/);
  assert.ok([...chain.final.state.entries()].length > 0);
});
