import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { createLibp2pNetwork, type Libp2pNetworkOptions } from '../../src/network/libp2p-network.ts';
import type { Network } from '../../src/network/port.ts';
import type { NetworkTuning } from '../../src/network/tuning.ts';
import type { ContractMember, ContractWorld } from '../contracts/network.ts';
import { eventually } from '../support/eventually.ts';
import { Recorder, type Behaviour } from './recorder.ts';

/**
 * Short times for what a test waits for, so that it sees in milliseconds what takes seconds in a real network; long ones for what
 * must not happen only because the machine is busy. A test of silence says how long that is.
 */
export const testTuning: Partial<NetworkTuning> = {
  heartbeatMs: 100,
  silentHeartbeats: 1_000_000,
  handshakeMs: 60_000,
  dialMs: 60_000,
  redialBaseMs: 20,
  redialCapMs: 200,
  redialRefusedMs: 60_000,
  requestTimeoutMs: 8_000,
  stableMs: 200,
};

/** The seed of a test node: the number in every byte. */
export function nodeSeed(index: number): Uint8Array {
  return new Uint8Array(32).fill(index + 1);
}

export async function peerIdOf(index: number): Promise<string> {
  return peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', nodeSeed(index))).toString();
}

/** Networks on 127.0.0.1, stopped together. */
export class Libp2pWorld implements ContractWorld {
  readonly #networks: Network[] = [];

  /** One network on a port of its own, not started. */
  async create(options: {
    index: number;
    peers?: readonly string[];
    hello?: string;
    listen?: string;
    tuning?: Partial<NetworkTuning>;
    overrides?: Partial<Libp2pNetworkOptions>;
  }): Promise<Network> {
    const network = await createLibp2pNetwork({
      seed: nodeSeed(options.index),
      listen: [options.listen ?? '/ip4/127.0.0.1/tcp/0'],
      peers: options.peers ?? [],
      chainId: 'test',
      hello: () => new TextEncoder().encode(options.hello ?? 'hello'),
      tuning: { ...testTuning, ...options.tuning },
      ...options.overrides,
    });
    this.#networks.push(network);
    return network;
  }

  /** Each member knows the addresses of those before it: enough, because a connection serves both ways. */
  async start(options: {
    readonly count: number;
    readonly linked?: (a: number, b: number) => boolean;
    readonly hello?: (index: number) => string;
    readonly behaviour?: (index: number) => Behaviour;
  }): Promise<readonly ContractMember[]> {
    const members: ContractMember[] = [];
    for (let index = 0; index < options.count; index++) {
      const network = await this.create({
        index,
        peers: members
          .filter((_, other) => options.linked?.(other, index) !== false)
          .map((member) => addressOf(member.network)),
        hello: options.hello?.(index) ?? 'hello',
      });
      const handlers = new Recorder(options.behaviour?.(index));
      await network.start(handlers);
      members.push({ network, handlers });
    }
    return members;
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    await eventually(what, condition);
  }

  async close(): Promise<void> {
    await Promise.all(this.#networks.splice(0).map((network) => network.stop()));
  }
}

/** The first address of a network. */
export function addressOf(network: Network): string {
  const [address] = network.addresses();
  if (address === undefined) throw new Error('the network does not listen');
  return address;
}
