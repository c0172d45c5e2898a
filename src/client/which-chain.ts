import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { type Genesis, parseGenesis } from '../ledger/genesis.ts';
import { maxFaulty } from '../ledger/quorum.ts';
import type { Origin } from './answers.ts';
import type { Nodes } from './nodes.ts';

/**
 * The genesis file of the chain that the nodes are on: who may sign what an application believes later,
 * and by which engine, stands there, so no node is believed alone. The chain's id is the hash of the file,
 * whoever serves it. Where the chain was not named, it is the one that most of all but f of the nodes name.
 */
export async function whichChain(nodes: Nodes, wanted: Hash | undefined): Promise<Genesis | Problem> {
  const chainId = wanted ?? (await saidByMost(nodes));
  if (chainId instanceof Problem) return chainId;
  return nodes.ask(
    async (client) => {
      const told = await client.genesis();
      if (told instanceof Problem) return told;
      if (told.chainId !== chainId) return otherChain(told.chainId, chainId);
      const genesis = parseGenesis(told.genesis);
      if (!(genesis instanceof Problem) && genesis.chainId === chainId) return genesis;
      const found = genesis instanceof Problem ? 'a file that is none' : genesis.chainId;
      return otherChain(found, chainId);
    },
    // Another one may be right.
    { verdict: () => 'never' },
  );
}

async function saidByMost(nodes: Nodes): Promise<Hash | Problem> {
  const all = nodes.endpoints.length;
  const needed = Math.floor((all - maxFaulty(all)) / 2) + 1;
  const words = await nodes.some(
    (client, signal) => client.status({ signal }),
    (answers) => mostOf(answers).count >= needed,
  );
  if (words.length === 0) {
    const one = await nodes.ask((client) => client.status());
    return one instanceof Problem ? one : one.chainId;
  }
  const { chainId, count } = mostOf(words);
  if (count * 2 > words.length) return chainId;
  const found = [...new Set(words.map((one) => one.chainId))].join(', ');
  return new Problem('api/other-chain', `the nodes do not agree which chain they are on: ${found}`, {
    remedy: 'Name the chain that is meant (`chainId`), or nodes of it alone.',
    details: { found },
  });
}

/** What most of them say, and how many do. */
function mostOf(words: readonly Origin[]): { readonly chainId: Hash; readonly count: number } {
  const same = ({ chainId }: Origin) => words.filter((other) => other.chainId === chainId).length;
  const [first] = words.toSorted((a, b) => same(b) - same(a));
  return { chainId: first?.chainId as Hash, count: first === undefined ? 0 : same(first) };
}

function otherChain(found: string, wanted: Hash): Problem {
  return new Problem('api/other-chain', `the nodes are on chain ${found}, and not on ${wanted}`, {
    remedy: 'Name nodes of the chain that is meant.',
    details: { wanted, found },
  });
}
