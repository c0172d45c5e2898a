import { createServer, type Server } from 'node:net';
import { Problem } from '../../base/problem.ts';
import { isBarredPort } from '../../client/node-address.ts';

export interface NodePorts {
  readonly api: number;
  readonly peers: number;
}

const host = '127.0.0.1';

/**
 * Two ports for each node: base, base + 1 for the first node, and so on. With base 0 any free ones. Every
 * port was free a moment ago, or the problem names the one that is taken.
 */
export async function choosePorts(base: number, nodes: number): Promise<NodePorts[]> {
  const servers: Server[] = [];
  try {
    const found: NodePorts[] = [];
    for (let index = 0; index < nodes; index++) {
      if (isBarredPort(base + 2 * index)) throw barred(base + 2 * index);
      const api = await listen(base === 0 ? 0 : base + 2 * index, servers);
      const peers = await listen(base === 0 ? 0 : base + 2 * index + 1, servers);
      found.push({ api, peers });
    }
    return found;
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

async function listen(port: number, servers: Server[]): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(portProblem(port, error)));
    server.listen({ port, host, exclusive: true }, resolve);
  });
  servers.push(server);
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
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
