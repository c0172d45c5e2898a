import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import { encodeAddress } from '../../crypto/address.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { type BlockHeader, changesValidators } from '../../ledger/block.ts';
import {
  type Configuration,
  configurationHash,
  isJoint,
  type Member,
  votesInNew,
} from '../../ledger/members.ts';
import { majority } from '../../ledger/quorum.ts';
import type { ValidatorSet } from '../../ledger/validators.ts';
import type { MemberChange, ValidatorIndex } from '../engine.ts';

const votesInOld = ({ role }: Member): boolean =>
  role === 'voter' || role === 'leaving' || role === 'demoted';

export function genesisConfiguration(validators: ValidatorSet): Configuration {
  return validators.keys.map((key) => ({ key, role: 'voter' }));
}

/** Has a vote in the configuration, or in either one of a joint phase. */
export function isVoter(configuration: Configuration, index: ValidatorIndex | null): boolean {
  const member = index === null ? undefined : configuration[index];
  return member !== undefined && (votesInNew(member) || votesInOld(member));
}

/** Votes now and will go on voting after the joint phase: whom a leader may hand over to. */
export function staysVoter(configuration: Configuration, index: ValidatorIndex): boolean {
  const member = configuration[index];
  return member !== undefined && votesInNew(member);
}

/** Takes part at all: gets entries and heartbeats. */
export function takesPart(configuration: Configuration, index: ValidatorIndex | null): boolean {
  const member = index === null ? undefined : configuration[index];
  return member !== undefined && member.role !== 'removed';
}

/** Who loses its vote from one configuration to the next. */
export function leaversOf(before: Configuration, next: Configuration): ReadonlySet<ValidatorIndex> {
  return new Set([...before.keys()].filter((index) => isVoter(before, index) && !isVoter(next, index)));
}

/**
 * Who lost its vote with this block, after which these are the members. Its header names the members before
 * it by hash: null when none of those that are known fits.
 */
export function leaversAt(
  header: BlockHeader,
  next: Configuration,
  known: readonly Configuration[],
): ReadonlySet<ValidatorIndex> | null {
  if (!changesValidators(header)) return new Set();
  const before = known.find((configuration) => configurationHash(configuration) === header.validatorsHash);
  return before === undefined ? null : leaversOf(before, next);
}

export function indexOf(configuration: Configuration, key: PublicKey): ValidatorIndex | null {
  const index = configuration.findIndex((member) => member.key === key);
  return index < 0 ? null : index;
}

/** The voters of each configuration that must agree: one list, or two in the joint phase. */
function electorates(configuration: Configuration): ValidatorIndex[][] {
  const indexes = (votes: (member: Member) => boolean): ValidatorIndex[] =>
    configuration.flatMap((member, index) => (votes(member) ? [index] : []));
  return isJoint(configuration) ? [indexes(votesInOld), indexes(votesInNew)] : [indexes(votesInNew)];
}

/** A majority of each electorate says yes. */
export function quorumOf(configuration: Configuration, yes: (index: ValidatorIndex) => boolean): boolean {
  return electorates(configuration).every((voters) => voters.filter(yes).length >= majority(voters.length));
}

/**
 * The greatest value that a majority of each electorate reached (section 5.3: what is stored on a majority).
 */
export function quorumValue(
  configuration: Configuration,
  valueOf: (index: ValidatorIndex) => number,
): number {
  return Math.min(
    ...electorates(configuration).map((voters) => {
      const descending = voters.map(valueOf).sort((a, b) => b - a);
      return descending[majority(voters.length) - 1] ?? 0;
    }),
  );
}

/** The configuration that ends a joint phase. */
export function afterJoint(configuration: Configuration): Configuration {
  return configuration.map(({ key, role }) => {
    switch (role) {
      case 'joining':
        return { key, role: 'voter' };
      case 'leaving':
        return { key, role: 'removed' };
      case 'demoted':
        return { key, role: 'learner' };
      case 'voter':
      case 'learner':
      case 'removed':
        return { key, role };
    }
  });
}

function wrong(why: string, remedy: string): Problem {
  return new Problem('consensus/members', why, { remedy });
}

/**
 * The first configuration on the way to these changes: the joint one when votes change, or the
 * final one when they do not. Returns a problem for changes that make no sense; whether they are
 * wise is judged by the leader.
 */
export function withChanges(
  configuration: Configuration,
  changes: readonly MemberChange[],
): Configuration | Problem {
  const members: Member[] = [...configuration];
  for (const [position, { key, role }] of changes.entries()) {
    if (changes.findIndex((change) => change.key === key) !== position) {
      return wrong(`${encodeAddress(key)} is named twice`, 'Name each key once.');
    }
    const index = members.findIndex((member) => member.key === key);
    if (index < 0) {
      if (role === 'removed')
        return wrong(`${encodeAddress(key)} never took part`, 'Name one that "quorate members list" shows.');
      if (members.length >= limits.raftMembers) {
        return wrong(
          `there were ${limits.raftMembers} members already`,
          'Add one back that was removed ("quorate members list" shows them): each key that ever took part keeps its place. Others can join a new chain only.',
        );
      }
      members.push({ key, role: role === 'voter' ? 'joining' : 'learner' });
      continue;
    }
    const old = members[index]?.role;
    if (old === role)
      return wrong(
        `${encodeAddress(key)} is ${role} already`,
        'Leave it out of the change: it is so already.',
      );
    if (role === 'voter') members[index] = { key, role: 'joining' };
    else if (old === 'voter') members[index] = { key, role: role === 'removed' ? 'leaving' : 'demoted' };
    else members[index] = { key, role };
  }
  if (changes.length === 0) return wrong('nothing is to change', 'Name at least one member.');
  if (!members.some(votesInNew)) return wrong('nobody would be left to vote', 'Keep at least one voter.');
  return members;
}
