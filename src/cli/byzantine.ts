import { Problem } from '../base/problem.ts';
import { preimageOf } from '../consensus/pbft/signing.ts';
import { generateKeyPair } from '../crypto/keys.ts';
import { nativeSigner } from '../crypto/native.ts';
import { toHeight } from '../ledger/block.ts';
import { genesisHeader, genesisValidators } from '../ledger/genesis.ts';
import type { Network } from '../network/port.ts';
import type { WrappedParts } from '../node/node.ts';
import { Chance } from '../simulator/world/chance.ts';
import { liars } from '../simulator/liars/catalogue.ts';
import { liarNetwork } from '../simulator/liars/liar-network.ts';
import { liarTools } from '../simulator/liars/liar-tools.ts';
import type { Strategy } from './byzantine-strategies.ts';

/**
 * A liar's draws repeat as far as the timing of real processes lets them. With this seed its
 * first halves are not all one.
 */
const seed = 3;

/**
 * What makes a real node lie: the strategy that the simulator plays, between the node and its libp2p network.
 * `lied` is called at each lie. For `startNode`, which refuses it where real coins could be.
 */
export function liarWrap(strategy: Strategy, lied: () => void): (parts: WrappedParts) => Network {
  return ({ network, genesis, keyPair }) => {
    const { consensus, chainId } = genesis;
    const validators = genesisValidators(genesis);
    const self = validators.keys.indexOf(keyPair.publicKey);
    if (consensus.engine !== 'pbft' || self < 0) {
      throw new Problem('cli/byzantine', 'only a validator of a PBFT chain can be made to lie', {
        remedy: 'Use --engine pbft: Raft does not claim to withstand liars.',
        details: { engine: consensus.engine },
      });
    }
    const sign = nativeSigner(keyPair.secretKey);
    // Networks that lie are made for a trial: their validators do not change.
    const epoch = { chainId, epoch: toHeight(0), validatorsHash: validators.hash };
    const tools = liarTools({
      place: () => ({ epoch: epoch.epoch, self, validators: validators.keys.length }),
      publicKey: keyPair.publicKey,
      chainId,
      genesis: genesisHeader(genesis),
      viewTimeoutMs: consensus.viewTimeoutMs,
      chance: new Chance(seed, `liar ${strategy}`),
      network,
      signMessage: (message) => sign(preimageOf(message, epoch)),
      newKey: () => {
        const fresh = generateKeyPair();
        return { publicKey: fresh.publicKey, sign: nativeSigner(fresh.secretKey) };
      },
      after: (delayMs, call) => void setTimeout(call, delayMs).unref(),
      lied,
    });
    return liarNetwork(network, liars[strategy](tools));
  };
}
