import { originOf } from '../present.ts';
import { chainParametersJson, proposalJson } from '../present-chain.ts';
import { chainParametersSchema, chainProposalsSchema } from '../schemas.ts';
import { type Api, problemAnswer, type RouteContext } from './route-context.ts';

/** By which rules the chain goes, and what its validators are about to change. */
export function chainRulesRoutes(api: Api, { backend }: RouteContext): void {
  const { identity } = backend;
  api.get(
    '/v1/chain/parameters',
    {
      schema: {
        operationId: 'getChainParameters',
        summary: 'Protocol version, fee floor, limits and validators of the next block, by the final state',
        tags: ['chain'],
        response: { 200: chainParametersSchema, ...problemAnswer },
      },
    },
    async (_request, reply) => reply.send(chainParametersJson(identity, backend.chainParameters())),
  );
  api.get(
    '/v1/chain/proposals',
    {
      schema: {
        operationId: 'listChainProposals',
        summary: 'Changes of the chain that validators proposed, and who approved them',
        tags: ['chain'],
        response: { 200: chainProposalsSchema, ...problemAnswer },
      },
    },
    async (_request, reply) => {
      const { height } = backend.chainParameters();
      const proposals = backend.chainProposals().map(proposalJson);
      return reply.send({ ...originOf(identity), height, proposals });
    },
  );
}
