import { Problem } from '../src/base/problem.ts';
import { HttpClient } from '../src/client/http-client.ts';

/** How many addresses are tried for a node that tells of the others. */
const triedPorts = 16;
/** A node that runs answers in this time, however busy. */
const answerMs = 5_000;

/** The nodes that were named; or those of the test network, whose number tells the first of them that runs. Throws a problem when none does. */
export async function findNodes(options: {
  readonly nodes?: readonly string[] | undefined;
  readonly basePort: number;
}): Promise<HttpClient[]> {
  if (options.nodes !== undefined) return options.nodes.map((baseUrl) => new HttpClient({ baseUrl }));
  const at = (index: number): HttpClient =>
    new HttpClient({ baseUrl: `http://127.0.0.1:${options.basePort + 2 * index}` });
  for (let index = 0; index < triedPorts; index++) {
    const listed = await at(index).validators({ deadlineMs: 0 });
    if (!(listed instanceof Problem)) return listed.validators.map((_, validator) => at(validator));
  }
  throw new Problem('api/unreachable', `no node answers at port ${options.basePort}, nor at the next ones`, {
    remedy: 'Start a test network first (npm run testnet), or name nodes with --nodes URL,URL.',
    details: { retryable: true },
  });
}

/** Those of the nodes that answer, and those that do not. Throws a problem when none does. */
export async function whoAnswers(clients: readonly HttpClient[]): Promise<{
  readonly running: readonly [HttpClient, ...HttpClient[]];
  readonly down: readonly HttpClient[];
}> {
  const answers = await Promise.all(clients.map((client) => client.status({ deadlineMs: answerMs })));
  const isDown = (index: number): boolean => answers[index] instanceof Problem;
  const [first, ...others] = clients.filter((_, index) => !isDown(index));
  if (first === undefined) {
    throw new Problem('api/unreachable', 'none of the nodes answers', {
      remedy: 'Check that they run, and that these are the addresses of their APIs.',
      details: { retryable: true, nodes: clients.map(({ baseUrl }) => baseUrl).join() },
    });
  }
  return { running: [first, ...others], down: clients.filter((_, index) => isDown(index)) };
}
