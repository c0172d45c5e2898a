import type { JSX } from 'preact';
import { fromHex } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import { valueText } from '../../client/plain-words.ts';
import { PagedList, TransactionRow } from '../lists.tsx';
import { node } from '../node.ts';
import { AccountLink, OneNodesWord, ProblemBox, Title } from '../parts.tsx';

/** The transactions that somebody sent with a reference, which stands in the address in hex. */
export function ReferencePage({ about }: { about: string }): JSX.Element {
  const isHex = /^(?:[0-9a-f]{2})+$/.test(about) && about.length <= 2 * limits.maxReferenceBytes;
  if (!isHex) {
    const wrong = new Problem('api/bad-request', 'the address of this page names no reference', {
      remedy: 'Type the reference into the search field.',
      details: {},
    });
    return (
      <>
        <Title>Reference</Title>
        <ProblemBox problem={wrong} />
      </>
    );
  }
  const reference = fromHex(about);
  return (
    <>
      <Title>Reference</Title>
      <p class="mono wrap">{valueText(reference).text}</p>
      <p class="quiet">A reference is not unique: anybody can use any.</p>
      <OneNodesWord />
      <PagedList
        head={['block', 'transaction', 'sender', 'does', 'became']}
        ask={(options) => node.transactionsByReference(reference, options)}
        itemsOf={({ transactions }) => transactions}
        row={(listed) => (
          <TransactionRow key={listed.transaction.hash} listed={listed}>
            <AccountLink address={listed.transaction.sender} />
          </TransactionRow>
        )}
        nothing="None that this node knows of."
      />
    </>
  );
}
