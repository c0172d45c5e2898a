import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import { Problem } from '../../base/problem.ts';
import { engineWords } from '../../client/engine-words.ts';
import { type BlockBody, bodyFromJson, headerFromJson } from '../../client/inclusion-json.ts';
import { grouped, moment } from '../../client/plain-words.ts';
import { verifyBlockBody } from '../../client/verify.ts';
import { encodeAddress } from '../../crypto/address.ts';
import type { Hash } from '../../crypto/hash.ts';
import { type BlockHeader, hashHeader, type Height, toHeight } from '../../ledger/block.ts';
import type { FinalityCertificate } from '../../ledger/certificate.ts';
import type { EngineName } from '../../ledger/engine-names.ts';
import type { CheckedStep } from '../../ledger/inclusion.ts';
import { operationJson } from '../../ledger/operation-json.ts';
import { receiptJson } from '../../ledger/receipt.ts';
import { certified } from '../certified.ts';
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
import { becameText, operationText } from '../text.ts';

/** A block as it is read from what its hashes cover. */
interface Shown extends BlockBody {
  readonly header: BlockHeader;
  readonly engine: EngineName;
  readonly steps: readonly CheckedStep[] | Problem;
  readonly finalBy: string;
  /** Undefined where there is none. */
  readonly proof: object | undefined;
}

/** Most of a block’s transactions that are listed: a full one has 4,096. */
const listed = 200;

/** The header by its certificate, and what stands in the block by the header’s roots. */
async function load(about: string): Promise<Shown | Problem> {
  const name = blockName(about);
  if (name instanceof Problem) return name;
  const [answer, found] = await Promise.all([node.block(name, { full: true }), certified(name)]);
  if (answer instanceof Problem) return answer;
  const { engine } = answer;
  const body = found instanceof Problem ? found : verifyBlockBody(answer, found.header);
  if (found instanceof Problem || body instanceof Problem) {
    // What the node says, as far as it has the form of a block.
    const header = headerFromJson(answer.header);
    const said = bodyFromJson(answer);
    if (header instanceof Problem) return header;
    if (said instanceof Problem) return said;
    return { ...said, header, engine, steps: body as Problem, finalBy: 'not proven', proof: undefined };
  }
  const { header, by } = found;
  const { transactions, receipts } = body;
  const steps = [...body.steps, ...found.steps];
  const finalBy = certificateText(by?.certificate, header.height);
  return {
    transactions,
    receipts,
    header,
    engine: by?.certificate.engine ?? engine,
    steps,
    finalBy,
    proof: by?.proof,
  };
}

export function BlockPage({ about }: { about: string }): JSX.Element {
  const answer = useAnswer(() => load(about), about);
  if (answer === undefined) return <Waiting />;
  if (answer instanceof Problem) {
    return (
      <>
        <Title>
          Block {harmless(about)} {answer.code.startsWith('proof/') && <Tick verdict={answer} />}
        </Title>
        <ProblemBox problem={answer} />
      </>
    );
  }
  const { header, steps, finalBy, proof, transactions, receipts } = answer;
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
          ['hash', <span class="mono">{hashHeader(header)}</span>],
          [
            'parent',
            height === 0 ? 'none: this is the genesis' : <HashLink page="block" hash={header.parentHash} />,
          ],
          ['time', moment(header.timestamp)],
          ['proposed by', height === 0 ? 'nobody' : <AccountLink address={encodeAddress(header.proposer)} />],
          [`in ${engineWords[answer.engine].period}`, grouped(header.view)],
          ['final by', finalBy],
          ['state root', <span class="mono">{header.stateRoot}</span>],
        ]}
      />
      <Steps steps={steps} proof={proof} name={`block-${height}`} />
      <h2>Transactions ({grouped(transactions.length)})</h2>
      <Transactions transactions={transactions} receipts={receipts} />
    </>
  );
}

function Transactions({ transactions, receipts }: BlockBody): JSX.Element {
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
                <AccountLink address={encodeAddress(sender)} />
              </td>
              <td class="wrap">
                {first === undefined ? '' : operationText(operationJson(first))}
                {more > 0 ? `, and ${more} more` : ''}
              </td>
              <td class="wrap">{receipt === undefined ? '' : becameText(receiptJson(receipt))}</td>
            </tr>
          );
        })}
      </Rows>
      {transactions.length > listed && <p class="quiet">The first {listed} are listed; all were checked.</p>}
    </>
  );
}

function certificateText(certificate: FinalityCertificate | undefined, height: Height): string {
  if (certificate === undefined) return 'the genesis file';
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
