import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { fromHex } from '../../base/bytes.ts';
import { harmless } from '../../base/harmless.ts';
import { Problem } from '../../base/problem.ts';
import type { ReceiptAnswer, TransactionAnswer, TransactionStatusAnswer } from '../../client/answers.ts';
import type { FinalTransaction as FinalAnswer } from '../../client/http-client.ts';
import { problemOf, waitingWords } from '../../client/outcomes.ts';
import { inclusionFromJson } from '../../client/inclusion-json.ts';
import { grouped, moment, valueText } from '../../client/plain-words.ts';
import type { ProofChecker } from '../../client/proof-checker.ts';
import { type Hash, isHash } from '../../crypto/hash.ts';
import type { CheckedStep, Inclusion } from '../../ledger/inclusion.ts';
import { receiptJson } from '../../ledger/receipt.ts';
import { transactionJson } from '../../ledger/transaction.ts';
import { node } from '../node.ts';
import { OperationWhat } from '../operation-what.tsx';
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
import { becameText, conditionText, remedyText } from '../text.ts';
import { knownChecker } from '../trust.ts';

const askAgainMs = 700;

/** One transaction: while it waits it is asked for again, until it is final or can be no more. */
export function TransactionPage({ about }: { about: string }): JSX.Element {
  const answer = useSignal<TransactionStatusAnswer | Problem | undefined>(undefined);
  useEffect(() => {
    const gone = new AbortController();
    const ask = async (): Promise<void> => {
      while (!gone.signal.aborted) {
        const now = isHash(about) ? await node.transaction(about) : noHash();
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
        <p class="mono wrap">{harmless(about)}</p>
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
  return <FinalTransaction answer={now} meant={about as Hash} />;
}

function noHash(): Problem {
  return new Problem('api/bad-request', 'that is no hash of a transaction', {
    remedy: 'Give the 64 hex digits that sending it showed.',
    details: {},
  });
}

/** A transaction as it is read from what its hashes cover. */
interface Shown {
  readonly inclusion: Inclusion;
  readonly steps: readonly CheckedStep[] | Problem;
  readonly proof: object;
}

async function check(answer: FinalAnswer, meant: Hash): Promise<Shown | Problem> {
  const checker = await knownChecker();
  const verified = checker instanceof Problem ? checker : await checker.receipt(answer, meant);
  if (!(verified instanceof Problem)) {
    return { ...verified, proof: { ...answer, epochs: (checker as ProofChecker).epochs } };
  }
  // What the node says, as far as it has the form of a proof.
  const inclusion = inclusionFromJson(answer);
  return inclusion instanceof Problem ? inclusion : { inclusion, steps: verified, proof: answer };
}

function FinalTransaction({ answer, meant }: { answer: FinalAnswer; meant: Hash }): JSX.Element {
  const checked = useAnswer(() => check(answer, meant), meant);
  const steps = checked instanceof Problem ? checked : checked?.steps;
  const became = checked instanceof Problem ? undefined : checked?.inclusion.receipt.status;
  const verdict =
    steps === undefined || steps instanceof Problem ? steps : became === 'failed' ? 'failed' : 'final';
  return (
    <>
      <Title>
        Transaction <Tick verdict={verdict} />
      </Title>
      {checked === undefined ? (
        <Waiting />
      ) : checked instanceof Problem ? (
        <ProblemBox problem={checked} />
      ) : (
        <Content shown={checked} />
      )}
    </>
  );
}

function Content({ shown: { inclusion, steps, proof } }: { shown: Shown }): JSX.Element {
  const { header, blockHash } = inclusion;
  const transaction = transactionJson(inclusion.transaction);
  const receipt = receiptJson(inclusion.receipt);
  const remedy = remedyText(receipt);
  return (
    <>
      <Facts
        rows={[
          ['hash', <span class="mono">{transaction.hash}</span>],
          ['became', becameText(receipt)],
          ...(remedy === undefined ? [] : [['what to do', remedy] as const]),
          ['in block', <a href={linkTo('block', header.height)}>{grouped(header.height)}</a>],
          ['at', moment(header.timestamp)],
          ['sender', <AccountLink address={transaction.sender} />],
          ['nonce', grouped(transaction.nonce)],
          ['fee', grouped(receipt.fee)],
          [
            'reference',
            transaction.reference === '' ? (
              'none'
            ) : (
              <a href={linkTo('reference', transaction.reference)}>
                {valueText(fromHex(transaction.reference)).text}
              </a>
            ),
          ],
        ]}
      />
      <Steps steps={steps} proof={proof} name={`transaction-${transaction.hash.slice(0, 12)}`} />
      <Operations transaction={transaction} />
      <Effects receipt={receipt} />
      <p>
        Block <HashLink page="block" hash={blockHash} />
      </p>
    </>
  );
}

function Operations({ transaction }: { transaction: TransactionAnswer }): JSX.Element {
  const { conditions, operations, sender, nonce } = transaction;
  return (
    <>
      {conditions.length > 0 && (
        <>
          <h2>Under these conditions</h2>
          <ol start={0}>
            {conditions.map((condition, index) => (
              <li key={index} class="wrap">
                {conditionText(condition)}
              </li>
            ))}
          </ol>
        </>
      )}
      <h2>What it does</h2>
      <Rows head={['#', 'operation', 'what']}>
        {operations.map((operation, index) => (
          <tr key={index}>
            <td class="number">{index}</td>
            <td>{operation.type}</td>
            <td class="wrap">
              <OperationWhat operation={operation} />
              {operation.type === 'reserve' && (
                <a href={linkTo('reservation', `${sender}:${nonce}:${index}`)}>what became of it</a>
              )}
            </td>
          </tr>
        ))}
      </Rows>
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
              <td class="number">{operation}</td>
              <td class="number">{version}</td>
            </tr>
          ))}
        </Rows>
      )}
    </>
  );
}
