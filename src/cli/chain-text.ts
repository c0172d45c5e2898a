import { harmless } from '../base/harmless.ts';
import type {
  ChainChangeAnswer,
  ChainParametersAnswer,
  ProposalAnswer,
  ReceiptAnswer,
} from '../client/answers.ts';
import { grouped } from '../client/plain-words.ts';
import { maxFaulty } from '../ledger/quorum.ts';
import { facts, styled, table } from './terminal.ts';

/** What a change makes of the chain. */
export function changeText(change: ChainChangeAnswer): string {
  const from =
    'height' in change && change.height !== undefined ? `, from height ${grouped(change.height)}` : '';
  switch (change.type) {
    case 'validators': {
      const n = change.validators.length;
      return `${n} validators, of which ${maxFaulty(n)} may lie: ${change.validators.map(harmless).join(', ')}`;
    }
    case 'protocol-version':
      return `protocol version ${change.version}${from}`;
    case 'fee-floor':
      return `a fee of at least ${grouped(change.feePerOperation)} for each operation${from}`;
    case 'limits': {
      const { maxTransactions, maxOperations, maxBytes } = change.limits;
      return `blocks of at most ${grouped(maxTransactions)} transactions, ${grouped(maxOperations)} operations and ${grouped(maxBytes)} bytes${from}`;
    }
    default:
      // A newer node may know more.
      return `a change of another kind (${harmless((change as { type: string }).type)})`;
  }
}

/** Whose nodes would stop before a protocol version, as far as the node that answers can tell. */
export function unreadyText(
  change: Pick<ChainChangeAnswer, 'type'> & { readonly version?: number },
  { validators }: Pick<ChainParametersAnswer, 'validators'>,
): string | undefined {
  const { version } = change;
  if (change.type !== 'protocol-version' || version === undefined) return undefined;
  const behind = validators.filter(({ protocolVersions: known }) => (known?.newest ?? 0) < version);
  if (behind.length === 0) return undefined;
  const names = behind.map(({ name, address }) => harmless(name ?? address)).join(', ');
  return `Not known to know version ${version}: ${names}. A node that does not know it stops before its height.`;
}

export function proposalText(proposal: ProposalAnswer): string {
  const { id, change, approvals, needed, status, expiryHeight, decidedAt } = proposal;
  const stand = {
    open: `${approvals.length} of ${needed} approvals, until height ${grouped(expiryHeight)}`,
    decided: styled('green', `decided at height ${grouped(decidedAt ?? 0)}`),
    expired: styled(
      'yellow',
      `expired at height ${grouped(expiryHeight)}, with ${approvals.length} of ${needed}`,
    ),
    void: styled('yellow', 'void: it was made for another set of validators'),
  }[status];
  return `${id}\n  ${changeText(change)}\n  ${stand}`;
}

/** What a receipt says of proposals. */
export function effectText({ changes }: ReceiptAnswer): readonly string[] {
  return changes.map(({ proposal, approvals, needed, effectiveFrom }) =>
    effectiveFrom === null
      ? `Proposal ${proposal} has ${approvals} of ${needed} approvals.`
      : `Proposal ${proposal} is decided, and counts from height ${grouped(effectiveFrom)} on.`,
  );
}

export function parametersText(parameters: ChainParametersAnswer): string {
  const { limits, scheduled, validators, needed } = parameters;
  const { maxTransactions, maxOperations, maxBytes } = limits;
  const rows: [string, string][] = [
    ['after block', grouped(parameters.height)],
    ['protocol version', String(parameters.protocolVersion)],
    ['fee floor', `${grouped(parameters.feePerOperation)} for each operation`],
    [
      'block',
      `at most ${grouped(maxTransactions)} transactions, ${grouped(maxOperations)} operations, ${grouped(maxBytes)} bytes`,
    ],
    ['approvals', `${needed} of ${validators.length} validators decide`],
    ...scheduled.map(({ height, change }): [string, string] => [
      `from ${grouped(height)}`,
      changeText(change),
    ]),
  ];
  const known = validators.map(({ name, address, protocolVersions }) => [
    harmless(name ?? ''),
    address,
    protocolVersions === null
      ? styled('yellow', 'not connected')
      : `${protocolVersions.oldest} to ${protocolVersions.newest}`,
  ]);
  return `${facts(rows)}\n\n${table(['validator', 'address', 'knows versions'], known)}`;
}
