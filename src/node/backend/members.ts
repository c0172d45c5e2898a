import type { Backend } from '../../api/backend.ts';
import type { MemberView } from '../../api/member-views.ts';
import { Problem } from '../../base/problem.ts';
import type { EngineRequest } from '../../consensus/engine.ts';
import type { Height } from '../../ledger/block.ts';
import type { NodeBackendOptions } from './options.ts';
import type { Asking } from './asking.ts';

/** Who takes part and who leads, and how to change it. */
export class Members {
  readonly #options: Pick<NodeBackendOptions, 'driver' | 'genesis'>;
  readonly #asking: Asking;

  constructor(options: Pick<NodeBackendOptions, 'driver' | 'genesis'>, asking: Asking) {
    this.#options = options;
    this.#asking = asking;
  }

  validators() {
    const noVote = new Set(
      this.list().flatMap(({ role, index }) => (role === 'learner' || role === 'removed' ? [index] : [])),
    );
    const { heard } = this.#options.driver.engine.status();
    return this.#keyHolders()
      .filter(({ index }) => !noVote.has(index))
      .map((one) => ({ ...one, heard: heard?.[one.index] ?? null }));
  }

  strangers() {
    const { registry } = this.#options.driver;
    return [...registry.provenKeys].filter((key) => !registry.validators.includes(key));
  }

  /** Of every key that has an index, whatever it may do now. */
  #keyHolders() {
    const { driver, genesis } = this.#options;
    const { primary } = driver.engine.status();
    const names = new Map(genesis.validators.map(({ name, publicKey }) => [publicKey, name]));
    return driver.registry.validators.map((publicKey, index) => {
      const self = driver.registry.isOwn(publicKey);
      return {
        index,
        name: names.get(publicKey) ?? `member-${index}`,
        publicKey,
        primary: index === primary,
        self,
        connected: self || driver.registry.peerOf(index) !== undefined,
      };
    });
  }

  list() {
    const { driver } = this.#options;
    const members = driver.engine.status().members ?? [];
    return this.#keyHolders().map(({ primary, ...validator }) => ({
      ...validator,
      role: members[validator.index]?.role ?? ('voter' as const),
      leader: primary,
      api: driver.registry.apiOf(validator.index) ?? null,
    }));
  }

  changeMembers(...[changes, forced]: Parameters<Backend['changeMembers']>) {
    const request = { changes: changes.map(({ publicKey: key, role }) => ({ key, role })), forced };
    return this.#operate({ kind: 'members', ...request });
  }

  async transferLeader(to: Parameters<Backend['transferLeader']>[0]) {
    const { validators } = this.#options.driver.registry;
    const index = to === null ? null : validators.indexOf(to);
    if (index === -1) {
      throw new Problem('consensus/no-transferee', 'that key is of no member', {
        remedy: 'See who takes part ("quorate members list"), and name one that votes.',
      });
    }
    return this.#operate({ kind: 'transfer', to: index });
  }

  async #operate(request: EngineRequest): Promise<{ readonly height: Height }> {
    const result = await this.#asking.request(request);
    if (!(result instanceof Problem)) return result;
    const { leader } = result.details;
    if (result.code !== 'consensus/not-leader') throw result;
    const members = this.list();
    const known = typeof leader === 'number' ? members[leader] : undefined;
    throw known === undefined ? leaderUnknown(result, members) : notLeader(result, known);
  }
}

function notLeader(problem: Problem, { name, index, api }: MemberView): Problem {
  return new Problem('consensus/not-leader', `this node does not lead: ${name} (member ${index}) does`, {
    remedy:
      api === null ? `Ask the node of ${name}.` : `Ask the node of ${name}: ${api} (quorate: --follow).`,
    details: { ...problem.details, leaderApi: api },
  });
}

/** A member that was removed hears of no leader any more: those who vote do. */
function leaderUnknown(problem: Problem, members: readonly MemberView[]): Problem {
  const voters = members.filter(({ role, self }) => role === 'voter' && !self);
  const named = voters.map(({ name, api }) => (api === null ? name : `${name} (${api})`)).join(', ');
  return problem.restated(`${problem.message}, and knows of none that does`, {
    remedy: `Ask the node of a member that votes (quorate: --node URL), which names the leader: ${named}. Whose address is not known here, its operator knows.`,
    details: problem.details,
    cause: problem,
  });
}
