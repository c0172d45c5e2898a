import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { parseGenesis } from '../ledger/genesis.ts';
import { maxFaulty } from '../ledger/quorum.ts';
import type { Origin } from './answers.ts';
import type { Nodes } from './nodes.ts';

/**
 * Which chain the nodes are on, and by which engine it goes: what an application believes of all later
 * answers depends on that, so no node is believed alone. Where the chain was named, its id is the hash of the
 * genesis file, which holds the engine. Otherwise it is what most of all but f of the nodes say.
 */
export async function whichChain(nodes: Nodes, wanted: Hash | undefined): Promise<Origin | Problem> {
  return wanted === undefined ? saidByMost(nodes) : named(nodes, wanted);
}

async function named(nodes: Nodes, wanted: Hash): Promise<Origin | Problem> {
  const answer = await nodes.ask(
    async (client) => {
      const told = await client.genesis();
      if (told instanceof Problem) return told;
      if (told.chainId !== wanted) return otherChain(told.chainId, wanted);
      const genesis = parseGenesis(told.genesis);
      if (!(genesis instanceof Problem) && genesis.chainId === wanted) return genesis;
      const found = genesis instanceof Problem ? 'a file that is none' : genesis.chainId;
      return otherChain(found, wanted);
    },
    // Another one may be right.
    { verdict: () => 'never' },
  );
  if (answer instanceof Problem) return answer;
  return { chainId: wanted, engine: answer.consensus.engine };
}

async function saidByMost(nodes: Nodes): Promise<Origin | Problem> {
  const all = nodes.endpoints.length;
  const needed = Math.floor((all - maxFaulty(all)) / 2) + 1;
  const words = await nodes.some(
    (client, signal) => client.status({ signal }),
    (answers) => mostOf(answers).count >= needed,
  );
  if (words.length === 0) return nodes.ask((client) => client.status());
  const { origin, count } = mostOf(words);
  if (count * 2 > words.length) return origin;
  const found = [...new Set(words.map(({ chainId, engine }) => `${chainId} (${engine})`))].join(', ');
  return new Problem('api/other-chain', `the nodes do not agree which chain they are on: ${found}`, {
    remedy: 'Name the chain that is meant (`chainId`), or nodes of it alone.',
    details: { found },
  });
}

/** What most of them say, and how many do. */
function mostOf(words: readonly Origin[]): { readonly origin: Origin; readonly count: number } {
  const same = (one: Origin) => words.filter((other) => isSame(one, other)).length;
  const [first] = words.toSorted((a, b) => same(b) - same(a));
  return { origin: first as Origin, count: first === undefined ? 0 : same(first) };
}

function isSame(one: Origin, other: Origin): boolean {
  return one.chainId === other.chainId && one.engine === other.engine;
}

function otherChain(found: string, wanted: Hash): Problem {
  return new Problem('api/other-chain', `the nodes are on chain ${found}, and not on ${wanted}`, {
    remedy: 'Name nodes of the chain that is meant.',
    details: { wanted, found },
  });
}
