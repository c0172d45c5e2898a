import { type AddressInfo, createServer, type Server } from 'node:net';
import { Problem } from '../../base/problem.ts';
import { isBarredPort } from '../../client/node-address.ts';

export interface NodePorts {
  readonly api: number;
  readonly peers: number;
}

const host = '127.0.0.1';

/**
 * Where ports are looked for that a node shall listen on later: below those that systems hand out by
 * themselves (from 32768 on Linux, from 49152 as RFC 6335 section 6 has it), so that no connection and no
 * server of another program gets one meanwhile.
 */
const places = { from: 10_240, to: 32_768, each: 16 } as const;
const slots = (places.to - places.from) / places.each;

/** Each process begins elsewhere, and goes on from there: two that choose at once choose different ones. */
let lastChosen = places.from + (process.pid % slots) * places.each - 1;

/**
 * Two ports for each node: base, base + 1 for the first node, and so on. With base 0 any free ones. Every
 * port was free a moment ago, or the problem names the one that is taken.
 */
export async function choosePorts(base: number, nodes: number): Promise<NodePorts[]> {
  const servers: Server[] = [];
  const choose = async (port: number): Promise<number> => {
    const server = base === 0 ? await listenAnywhere() : await listen(port);
    servers.push(server);
    return (server.address() as AddressInfo).port;
  };
  try {
    const found: NodePorts[] = [];
    for (let index = 0; index < nodes; index++) {
      if (base > 0 && isBarredPort(base + 2 * index)) throw barred(base + 2 * index);
      const api = await choose(base + 2 * index);
      found.push({ api, peers: await choose(base + 2 * index + 1) });
    }
    return found;
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

/** On the next port that is free. */
async function listenAnywhere(): Promise<Server> {
  for (let tried = 1; ; tried++) {
    lastChosen = lastChosen + 1 < places.to ? lastChosen + 1 : places.from;
    try {
      return await listen(lastChosen);
    } catch (problem) {
      if (tried === places.to - places.from) throw problem;
    }
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(portProblem(port, error)));
    server.listen({ port, host, exclusive: true }, resolve);
  });
  return server;
}

function barred(port: number): Problem {
  return new Problem('cli/port', `no browser and no fetch connects to port ${port}, whoever listens there`, {
    remedy: 'Choose other ports with --base-port P.',
    details: { port, flag: '--base-port' },
  });
}

function portProblem(port: number, error: NodeJS.ErrnoException): Problem {
  const inUse = error.code === 'EADDRINUSE';
  return new Problem(
    inUse ? 'cli/port-in-use' : 'cli/port',
    inUse ? `port ${port} is in use` : `port ${port} cannot be used: ${error.message}`,
    {
      remedy:
        'Stop the program that uses it (another test network?), or choose other ports with --base-port P.',
      details: { port, flag: '--base-port' },
      cause: error,
    },
  );
}
