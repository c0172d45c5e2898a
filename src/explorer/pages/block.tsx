import type { JSX } from 'preact';
import { fromHex } from '../../base/bytes.ts';
import { Problem } from '../../base/problem.ts';
import type { BlockAnswer, CertificateAnswer, FinalityAnswer } from '../../client/answers.ts';
import { engineWords } from '../../client/engine-words.ts';
import { receiptFromJson } from '../../client/inclusion-json.ts';
import { verifyHeader } from '../../client/verify.ts';
import type { Hash } from '../../crypto/hash.ts';
import { hashHeader, type Height, toHeight } from '../../ledger/block.ts';
import type { CheckedStep } from '../../ledger/inclusion.ts';
import { merkleRoot } from '../../ledger/merkle.ts';
import { hashReceipt } from '../../ledger/receipt.ts';
import { decodeTransaction } from '../../ledger/transaction.ts';
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
import { failureText, grouped, moment, operationText } from '../text.ts';
import { checkAgainstGenesis, proofFile } from '../trust.ts';

interface Shown {
  readonly block: BlockAnswer;
  readonly finality: FinalityAnswer;
  readonly steps: readonly CheckedStep[] | Problem;
}

/** Most of a block’s transactions that are listed: a full one has 4,096. */
const listed = 200;

async function load(about: string): Promise<Shown | Problem> {
  const name = blockName(about);
  if (name instanceof Problem) return name;
  const [block, finality] = await Promise.all([node.block(name, { full: true }), node.finality(name)]);
  if (block instanceof Problem) return block;
  if (finality instanceof Problem) return finality;
  return { block, finality, steps: await check(block, finality) };
}

/** The header by its certificate, and what stands in the block by the header’s roots. */
async function check(
  block: BlockAnswer,
  finality: FinalityAnswer,
): Promise<readonly CheckedStep[] | Problem> {
  const verified = await checkAgainstGenesis((known) => verifyHeader(finality, known));
  if (verified === undefined) return notProven('there is no genesis file to check against');
  if (verified instanceof Problem) return verified;
  const { header, steps } = verified;
  if (hashHeader(header) !== block.hash) return notProven('the certificate is of another block');
  const hashes: Hash[] = [];
  for (const { bytes, hash } of block.transactions ?? []) {
    const transaction = decodeTransaction(fromHex(bytes));
    if (transaction instanceof Problem || transaction.hash !== hash) {
      return notProven('a transaction is not what it is shown as');
    }
    hashes.push(hash);
  }
  if (merkleRoot(hashes) !== header.transactionRoot)
    return notProven('other transactions stand in the block');
  const receipts: Hash[] = [];
  for (const shown of block.receipts ?? []) {
    const receipt = receiptFromJson(shown);
    if (receipt instanceof Problem) return receipt;
    receipts.push(hashReceipt(receipt));
  }
  if (merkleRoot(receipts) !== header.receiptsRoot) return notProven('other receipts stand in the block');
  return [
    { check: 'transaction', says: `its ${hashes.length} transactions are those under its root` },
    { check: 'receipt', says: `their receipts are those under its root` },
    ...steps,
  ];
}

function notProven(why: string): Problem {
  return new Problem('proof/headers', `this is not proven: ${why}`, {
    remedy: 'Believe nothing of it, and ask another node.',
    details: {},
  });
}

export function BlockPage({ about }: { about: string }): JSX.Element {
  const answer = useAnswer(() => load(about), about);
  if (answer === undefined) return <Waiting />;
  if (answer instanceof Problem) {
    return (
      <>
        <Title>Block {about}</Title>
        <ProblemBox problem={answer} />
      </>
    );
  }
  const { block, finality, steps } = answer;
  const { header, hash } = block;
  const { height } = header;
  return (
    <>
      <Title>
        Block {grouped(height)} <Tick verdict={steps instanceof Problem ? steps : 'final'} />
      </Title>
      <p>
        {height > 0 && <a href={linkTo('block', height - 1)}>← {grouped(height - 1)}</a>}{' '}
        <a href={linkTo('block', height + 1)}>{grouped(height + 1)} →</a>
      </p>
      <Facts
        rows={[
          ['hash', <span class="mono">{hash}</span>],
          [
            'parent',
            height === 0 ? 'none: this is the genesis' : <HashLink page="block" hash={header.parentHash} />,
          ],
          ['time', moment(header.timestamp)],
          ['proposed by', height === 0 ? 'nobody' : <AccountLink address={header.proposer} />],
          [`in ${engineWords[block.engine].period}`, grouped(header.view)],
          ['final by', certificateText(finality.certificate, height)],
          ['state root', <span class="mono">{header.stateRoot}</span>],
        ]}
      />
      <Steps steps={steps} proof={proofFile(finality)} name={`block-${height}`} />
      <h2>Transactions ({grouped(block.transactionHashes.length)})</h2>
      <Transactions block={block} />
    </>
  );
}

function Transactions({ block }: { block: BlockAnswer }): JSX.Element {
  const { transactions = [], receipts = [] } = block;
  return (
    <>
      <Rows head={['#', 'transaction', 'sender', 'does', 'became']}>
        {transactions.slice(0, listed).map(({ hash, sender, operations }, index) => {
          const receipt = receipts[index];
          const [first] = operations;
          const more = operations.length - 1;
          return (
            <tr key={hash}>
              <td class="number">{index + 1}</td>
              <td>
                <HashLink page="transaction" hash={hash} />
              </td>
              <td>
                <AccountLink address={sender} />
              </td>
              <td class="wrap">
                {first === undefined ? '' : operationText(first)}
                {more > 0 ? `, and ${more} more` : ''}
              </td>
              <td class="wrap">
                {receipt === undefined
                  ? ''
                  : receipt.status === 'applied'
                    ? 'applied'
                    : `failed: ${failureText(receipt)}`}
              </td>
            </tr>
          );
        })}
      </Rows>
      {transactions.length > listed && <p class="quiet">The first {listed} are listed; all were checked.</p>}
    </>
  );
}

function certificateText(certificate: CertificateAnswer, height: Height): string {
  const of =
    certificate.height === height ? 'its own certificate' : `the certificate of block ${certificate.height}`;
  return 'signatures' in certificate
    ? `${of}: ${certificate.signatures.length} signatures (validators ${certificate.signatures.map((one) => one.validator).join(', ')}), view ${certificate.view}`
    : `${of}: leader ${certificate.leader}, term ${certificate.term}`;
}

function blockName(about: string): Height | Hash | Problem {
  if (/^\d{1,15}$/.test(about)) return toHeight(Number(about));
  if (/^[0-9a-f]{64}$/.test(about)) return about as Hash;
  return new Problem('api/no-such-block', 'that names no block', {
    remedy: 'Give a height, or a hash of 64 hex digits.',
    details: {},
  });
}
