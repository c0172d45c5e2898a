import type { ComponentChildren, JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import type { ChainChangeAnswer, ChainParametersAnswer, ProposalAnswer } from '../../client/answers.ts';
import { useAskedAgain } from '../asked-again.ts';
import { blocks } from '../feed.ts';
import { node } from '../node.ts';
import { AccountLink, Facts, OneNodesWord, ProblemBox, Rows, Title, Waiting } from '../parts.tsx';
import { linkTo } from '../router.ts';
import { grouped } from '../../client/plain-words.ts';
import { shortHash } from '../text.ts';

/** By which rules the chain goes, and what its validators are about to change. */
export function ChangesPage(): JSX.Element {
  const key = `${blocks.value[0]?.header.height}`;
  const rules = useAskedAgain(() => node.chainParameters(), key);
  const proposed = useAskedAgain(() => node.chainProposals(), key);
  const problem = rules.problem ?? proposed.problem;
  return (
    <>
      <Title>Changes of the chain</Title>
      {problem !== undefined && <ProblemBox problem={problem} />}
      {proposed.answer === undefined ? (
        <Waiting />
      ) : (
        <>
          <h2>Proposals</h2>
          {proposed.answer.proposals.length === 0 ? (
            <p>Nobody proposed a change that is still remembered.</p>
          ) : (
            <Rows head={['proposal', 'change', 'by', 'approved by', 'stand']}>
              {proposed.answer.proposals.map((one) => (
                <Proposal key={one.id} proposal={one} />
              ))}
            </Rows>
          )}
        </>
      )}
      {rules.answer !== undefined && <RulesNow rules={rules.answer} />}
      {rules.answer !== undefined && <OneNodesWord height={rules.answer.height} />}
    </>
  );
}

function Proposal({ proposal }: { proposal: ProposalAnswer }): JSX.Element {
  const { id, change, proposer, approvals, needed } = proposal;
  return (
    <tr>
      <td class="mono" title={id}>
        {shortHash(id)}
      </td>
      <td class="wrap">
        <Change change={change} />
      </td>
      <td>
        <AccountLink address={proposer} />
      </td>
      <td class="wrap">
        {approvals.length} of {needed}
        {approvals.map((address) => (
          <span key={address}>
            {' '}
            <AccountLink address={address} />
          </span>
        ))}
      </td>
      <td class="wrap">
        <Stand proposal={proposal} />
      </td>
    </tr>
  );
}

function Stand({ proposal }: { proposal: ProposalAnswer }): JSX.Element {
  const { status, expiryHeight, decidedAt } = proposal;
  switch (status) {
    case 'decided':
      return (
        <span class="good">
          decided at <BlockLink height={decidedAt ?? 0} />
        </span>
      );
    case 'expired':
      return <>expired at height {grouped(expiryHeight)}</>;
    case 'void':
      return <>void: it was made for another set of validators</>;
    case 'open':
      return <>open until height {grouped(expiryHeight)}</>;
  }
}

/** What it makes of the chain. */
function Change({ change }: { change: ChainChangeAnswer }): JSX.Element {
  const from =
    'height' in change && change.height !== undefined ? `, from height ${grouped(change.height)}` : '';
  switch (change.type) {
    case 'validators':
      return (
        <>
          {change.validators.length} validators:
          {change.validators.map((address) => (
            <span key={address}>
              {' '}
              <AccountLink address={address} />
            </span>
          ))}
        </>
      );
    case 'protocol-version':
      return (
        <>
          protocol version {change.version}
          {from}
        </>
      );
    case 'fee-floor':
      return (
        <>
          a fee of at least {grouped(change.feePerOperation)} for each operation{from}
        </>
      );
    case 'limits':
      return (
        <>
          {limitsText(change.limits)}
          {from}
        </>
      );
    default:
      // A newer node may know more.
      return <>a change of another kind ({harmless((change as { type: string }).type)})</>;
  }
}

function RulesNow({ rules }: { rules: ChainParametersAnswer }): JSX.Element {
  const { limits, scheduled, validators, needed } = rules;
  const rows: [string, ComponentChildren][] = [
    ['protocol version', grouped(rules.protocolVersion)],
    ['fee floor', `${grouped(rules.feePerOperation)} for each operation`],
    ['a block', limitsText(limits)],
    ['to decide', `${needed} of ${validators.length} validators`],
  ];
  return (
    <>
      <h2>Rules of the next block</h2>
      <Facts rows={rows} />
      {scheduled.length > 0 && (
        <>
          <h2>Decided, to count later</h2>
          <Rows head={['from height', 'change']}>
            {scheduled.map(({ height, change }, index) => (
              <tr key={index}>
                <td class="number">{grouped(height)}</td>
                <td class="wrap">
                  <Change change={change} />
                </td>
              </tr>
            ))}
          </Rows>
        </>
      )}
      <h2>Who decides</h2>
      <Rows head={['validator', 'knows protocol versions']}>
        {validators.map(({ address, protocolVersions }) => (
          <tr key={address}>
            <td>
              <AccountLink address={address} />
            </td>
            <td>
              {protocolVersions === null
                ? 'not connected'
                : `${protocolVersions.oldest} to ${protocolVersions.newest}`}
            </td>
          </tr>
        ))}
      </Rows>
    </>
  );
}

function limitsText({ maxTransactions, maxOperations, maxBytes }: ChainParametersAnswer['limits']): string {
  return `at most ${grouped(maxTransactions)} transactions, ${grouped(maxOperations)} operations and ${grouped(maxBytes)} bytes`;
}

function BlockLink({ height }: { height: number }): JSX.Element {
  return <a href={linkTo('block', height)}>block {grouped(height)}</a>;
}
