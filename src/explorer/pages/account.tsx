import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import { grouped } from '../../client/plain-words.ts';
import { nameOf } from '../names.ts';
import { node } from '../node.ts';
import { PagedList, TransactionRow } from '../lists.tsx';
import { accountShown } from '../proven-state.ts';
import { linkTo } from '../router.ts';
import { StateSteps } from '../steps.tsx';
import { AccountLink, Answered, Facts, Title, useAnswer } from '../parts.tsx';

export function AccountPage({ about }: { about: string }): JSX.Element {
  const answer = useAnswer(() => accountShown(about), about);
  const name = nameOf(about);
  return (
    <>
      <Title>Account {name === undefined ? '' : harmless(name)}</Title>
      <p class="mono wrap">{harmless(about)}</p>
      <Answered answer={answer}>
        {(found) => (
          <>
            <Facts
              rows={[
                ['balance', grouped(found.balance)],
                ['reserved for others', grouped(found.held)],
                ['transactions sent', grouped(found.nonce)],
                [
                  'signed for by',
                  found.keys === null ? (
                    'its own key'
                  ) : (
                    <>
                      {found.keys.threshold} of{' '}
                      {found.keys.keys.map((key) => (
                        <span key={key}>
                          <AccountLink address={key} />{' '}
                        </span>
                      ))}
                    </>
                  ),
                ],
              ]}
            />
            <StateSteps {...found} />
            <p class="quiet">
              Which records and namespaces it owns is kept by no index: what it wrote stands below, and the
              page <a href={linkTo('records')}>Records</a> names each one’s owner.
            </p>
            <History account={about} />
          </>
        )}
      </Answered>
    </>
  );
}

/** What it sent, and what touched it. */
function History({ account }: { account: string }): JSX.Element {
  return (
    <>
      <h2>Transactions</h2>
      <PagedList
        head={['block', 'transaction', 'role', 'does', 'became']}
        ask={(options) => node.accountTransactions(account, options)}
        itemsOf={({ transactions }) => transactions}
        row={(listed) => (
          <TransactionRow key={listed.transaction.hash} listed={listed}>
            {listed.role}
          </TransactionRow>
        )}
        nothing="None."
      />
    </>
  );
}
