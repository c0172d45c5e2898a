import { unwrap } from '../../base/problem.ts';
import { parseAddress } from '../../crypto/address.ts';
import { memberJson, originOf } from '../present.ts';
import { changedSchema, memberChangesSchema, membersSchema, transferSchema } from '../schemas.ts';
import { type Api, problemAnswer, type RouteContext } from './route-context.ts';

/** Who takes part and who leads; to change it is for operators (see `operator-guard.ts`). */
export function memberRoutes(api: Api, context: RouteContext): void {
  listMembers(api, context);
  changeMembers(api, context);
  transferLeader(api, context);
}

function listMembers(api: Api, { backend }: RouteContext): void {
  api.get(
    '/v1/members',
    {
      schema: {
        operationId: 'listMembers',
        summary: 'Who takes part, who only follows, and who did once',
        tags: ['members'],
        response: { 200: membersSchema, ...problemAnswer },
      },
    },
    async (_request, reply) =>
      reply.send({ ...originOf(backend.identity), members: backend.members().map(memberJson) }),
  );
}

function changeMembers(api: Api, { backend, admitOperator }: RouteContext): void {
  api.post(
    '/v1/members',
    {
      onRequest: async (request) => admitOperator(request),
      schema: {
        operationId: 'changeMembers',
        summary: 'Change who takes part (operators; the leader only)',
        description:
          'One change at a time. Add a member as a learner, make it a voter when it caught up, remove one; or, to replace one, ' +
          'name a learner as voter and another as removed in one request. A node that does not lead answers with the problem ' +
          'consensus/not-leader, whose details name the leader, and its API (leaderApi) if it told the others. Answers when ' +
          'the change is in force. A change after which too few voters would answer is refused, unless force is true.',
        tags: ['members'],
        body: memberChangesSchema,
        response: { 200: changedSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const changes = request.body.changes.map(({ member, role }) => ({
        publicKey: unwrap(parseAddress(member)),
        role,
      }));
      const { height } = await backend.changeMembers(changes, request.body.force);
      return reply.send({ ...originOf(backend.identity), height });
    },
  );
}

function transferLeader(api: Api, { backend, admitOperator }: RouteContext): void {
  api.post(
    '/v1/leader',
    {
      onRequest: async (request) => admitOperator(request),
      schema: {
        operationId: 'transferLeader',
        summary: 'Hand the lead over (operators; the leader only)',
        tags: ['members'],
        body: transferSchema,
        response: { 200: changedSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { to } = request.body;
      const { height } = await backend.transferLeader(to === null ? null : unwrap(parseAddress(to)));
      return reply.send({ ...originOf(backend.identity), height });
    },
  );
}
