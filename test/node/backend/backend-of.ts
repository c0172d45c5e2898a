import { NodeBackend } from '../../../src/node/backend/backend.ts';
import type { Cluster } from '../cluster.ts';
import { telemetryOf } from '../telemetry.ts';

/** What the API of a node of the cluster asks. */
export function backendOf(
  cluster: Cluster,
  name: string,
  network: { readonly peers?: readonly string[]; readonly peersNamed?: number } = {},
): NodeBackend {
  const { driver, store, clock } = cluster.node(name);
  const others = cluster.all.filter((other) => other.name !== name).map((other) => other.name);
  return new NodeBackend({
    driver,
    store,
    clock,
    genesis: cluster.genesis,
    version: 'test',
    telemetry: telemetryOf({ driver, clock }),
    signatureCheck: 'a test',
    network: { peers: () => network.peers ?? others, stats: () => [] },
    peersNamed: network.peersNamed ?? others.length,
  });
}
