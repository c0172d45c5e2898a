import type { JSX } from 'preact';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { harmless } from '../../base/harmless.ts';
import { Problem } from '../../base/problem.ts';
import type {
  InclusionAnswer,
  OperationAnswer,
  ReceiptAnswer,
  TransactionStatusAnswer,
} from '../../client/answers.ts';
import { problemOf, waitingWords } from '../../client/http-client.ts';
import { verifyReceipt } from '../../client/verify.ts';
import type { Hash } from '../../crypto/hash.ts';
import { node } from '../node.ts';
import {
  AccountLink,
  Facts,
  HashLink,
  ProblemBox,
  Rows,
  Tick,
  Title,
  useAnswer,
  Waiting,
} from '../parts.tsx';
import { linkTo } from '../router.ts';
import { Steps } from '../steps.tsx';
import { bytesText, failureText, grouped, moment } from '../text.ts';
import { checkAgainstGenesis, proofFile } from '../trust.ts';

const askAgainMs = 700;

/** One transaction: while it waits it is asked for again, until it is final or can be no more. */
export function TransactionPage({ about }: { about: string }): JSX.Element {
  const answer = useSignal<TransactionStatusAnswer | Problem | undefined>(undefined);
  useEffect(() => {
    const gone = new AbortController();
    const ask = async (): Promise<void> => {
      while (!gone.signal.aborted) {
        const now = await node.transaction(about as Hash);
        if (gone.signal.aborted) return;
        answer.value = now;
        if (now instanceof Problem || now.status === 'final' || now.status === 'gone') return;
        await new Promise((resolve) => setTimeout(resolve, askAgainMs));
      }
    };
    void ask();
    return () => gone.abort();
  }, [about]);
  const { value: now } = answer;
  if (now === undefined) return <Waiting />;
  if (now instanceof Problem || now.status !== 'final') {
    return (
      <>
        <Title>Transaction</Title>
        <p class="mono">{harmless(about)}</p>
        {now instanceof Problem ? (
          <ProblemBox problem={now} />
        ) : now.status === 'gone' ? (
          <ProblemBox problem={problemOf(now.problem)} />
        ) : (
          <p role="status">
            {now.status === 'pending' ? 'It waits: ' : 'It is not at this node: '}
            {harmless(waitingWords(now))}.
          </p>
        )}
      </>
    );
  }
  return <FinalTransaction answer={now} />;
}

function FinalTransaction({
  answer,
}: {
  answer: Extract<TransactionStatusAnswer, { status: 'final' }>;
}): JSX.Element {
  const { hash: meant } = answer;
  const checked = useAnswer(async () => {
    const found = await checkAgainstGenesis((known) => verifyReceipt(answer, { ...known, hash: meant }));
    return { found };
  }, meant);
  const verified = checked instanceof Problem ? checked : checked?.found;
  const verdict = verified === undefined || verified instanceof Problem ? verified : 'final';
  const { inclusion, hash } = answer;
  const { transaction, receipt, height, header } = inclusion;
  return (
    <>
      <Title>
        Transaction <Tick verdict={verdict} />
      </Title>
      <Facts
        rows={[
          ['hash', <span class="mono">{hash}</span>],
          ['became', became(receipt)],
          ['in block', <a href={linkTo('block', height)}>{grouped(height)}</a>],
          ['at', moment(header.timestamp)],
          ['sender', <AccountLink address={transaction.sender} />],
          ['nonce', grouped(transaction.nonce)],
          ['fee', grouped(receipt.fee)],
          ['reference', transaction.reference === '' ? 'none' : bytesText(transaction.reference).text],
        ]}
      />
      {verified !== undefined && (
        <Steps
          steps={verified instanceof Problem ? verified : verified.steps}
          proof={proofFile(answer)}
          name={`transaction-${hash.slice(0, 12)}`}
        />
      )}
      <Operations inclusion={inclusion} />
      <Effects receipt={receipt} />
      <p>
        Block <HashLink page="block" hash={inclusion.blockHash} />
      </p>
    </>
  );
}

function became(receipt: ReceiptAnswer): string {
  return receipt.status === 'applied' ? 'applied' : `failed: ${failureText(receipt)}`;
}

function Operations({ inclusion }: { inclusion: InclusionAnswer }): JSX.Element {
  const { conditions, operations } = inclusion.transaction;
  return (
    <>
      {conditions.length > 0 && (
        <>
          <h2>Under these conditions</h2>
          <ul>
            {conditions.map((condition, index) => (
              <li key={index} class="mono wrap">
                {harmless(JSON.stringify(condition))}
              </li>
            ))}
          </ul>
        </>
      )}
      <h2>What it does</h2>
      <Rows head={['#', 'operation', 'what']}>
        {operations.map((operation, index) => (
          <tr key={index}>
            <td class="number">{index + 1}</td>
            <td>{operation.type}</td>
            <td class="wrap">
              <What operation={operation} />
            </td>
          </tr>
        ))}
      </Rows>
    </>
  );
}

/** Keys and accounts are links; all else is shown as the API says it. */
function What({ operation }: { operation: OperationAnswer }): JSX.Element {
  const rest = Object.fromEntries(
    Object.entries(operation).filter(
      ([name]) => !['type', 'key', 'to', 'value', 'amount', 'memo'].includes(name),
    ),
  );
  const value = 'value' in operation ? bytesText(operation.value) : undefined;
  return (
    <>
      {'key' in operation && <a href={linkTo('record', operation.key)}>{harmless(operation.key)}</a>}
      {value !== undefined && (
        <>
          {' = '}
          <span class={value.kind === 'text' ? '' : 'mono'}>{value.text}</span>
        </>
      )}
      {'amount' in operation && grouped(operation.amount)}
      {'to' in operation && (
        <>
          {' to '}
          <AccountLink address={operation.to} />
        </>
      )}{' '}
      {'memo' in operation && <span class="quiet">{harmless(operation.memo)}</span>}
      {Object.keys(rest).length > 0 && <span class="mono">{harmless(JSON.stringify(rest))}</span>}
    </>
  );
}

function Effects({ receipt }: { receipt: ReceiptAnswer }): JSX.Element {
  return (
    <>
      <h2>What came of it</h2>
      <Rows head={['account', 'balance after it']}>
        {receipt.accounts.map(({ address, balance, held }) => (
          <tr key={address}>
            <td>
              <AccountLink address={address} />
            </td>
            <td class="number">
              {grouped(balance)}
              {held === '0' ? '' : `, and ${grouped(held)} reserved for others`}
            </td>
          </tr>
        ))}
      </Rows>
      {receipt.records.length > 0 && (
        <Rows head={['operation', 'made version']}>
          {receipt.records.map(({ operation, version }) => (
            <tr key={operation}>
              <td class="number">{operation + 1}</td>
              <td class="number">{version}</td>
            </tr>
          ))}
        </Rows>
      )}
    </>
  );
}
