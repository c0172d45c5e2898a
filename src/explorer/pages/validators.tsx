import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import { Problem } from '../../base/problem.ts';
import type { BlockAnswer } from '../../client/answers.ts';
import { engineWords } from '../../client/engine-words.ts';
import { blocks } from '../feed.ts';
import { node, status, validators } from '../node.ts';
import { AccountLink, OneNodesWord, ProblemBox, Rows, Title, useAnswer, Waiting } from '../parts.tsx';
import { linkTo } from '../router.ts';
import { toHeight } from '../../ledger/block.ts';

/** How many blocks the matrix shows. */
const columns = 30;

export function ValidatorsPage(): JSX.Element {
  const { value: now } = status;
  const leader = now === undefined ? '' : engineWords[now.engine].leader;
  return (
    <>
      <Title>Validators</Title>
      <Rows head={['#', 'name', 'account', 'connection', 'role']}>
        {validators.value.map((one) => (
          <tr key={one.address}>
            <td class="number">{one.index}</td>
            <td>{harmless(one.name)}</td>
            <td>
              <AccountLink address={one.address} />
            </td>
            <td>{one.self ? 'this node' : one.connected ? 'connected' : 'none'}</td>
            <td>{one.primary ? leader : ''}</td>
          </tr>
        ))}
      </Rows>
      <OneNodesWord />
      <Matrix />
      <Evidence />
    </>
  );
}

/** Who proposed and who signed which block; a certificate holds a quorum’s signatures, and no more. */
function Matrix(): JSX.Element {
  const top = blocks.value[0]?.header.height ?? 0;
  // Asked for anew every few blocks, not at each.
  const upTo = top <= columns ? top : top - (top % 10);
  const answer = useAnswer(() => lastBlocks(upTo), `${upTo}`);
  if (answer === undefined || answer instanceof Problem) return <Waiting />;
  return (
    <>
      <h2>Who proposed and who signed, block by block</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Validators by blocks">
        <table class="matrix">
          <thead>
            <tr>
              <th scope="col">block</th>
              {answer.map(({ header }) => (
                <th key={header.height} scope="col">
                  <a href={linkTo('block', header.height)}>{header.height}</a>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {validators.value.map((validator) => (
              <tr key={validator.address}>
                <th scope="row">{harmless(validator.name)}</th>
                {answer.map((block) => {
                  const { mark, says } = partOf(validator, block);
                  return (
                    <td key={block.hash} class={says.replaceAll(' ', '-')} title={says}>
                      <span aria-hidden="true">{mark}</span>
                      <span class="quiet">{says}</span>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="quiet">
        ◆ proposed, ● signed, · not among the quorum that signed, blank: final by the certificate of a later
        block
      </p>
    </>
  );
}

function partOf(
  { address, index }: { readonly address: string; readonly index: number },
  { header, certificate }: BlockAnswer,
): { readonly mark: string; readonly says: string } {
  if (header.proposer === address) return { mark: '◆', says: 'proposed' };
  if (certificate === null) return { mark: '', says: 'no certificate' };
  const signed =
    'signatures' in certificate
      ? certificate.signatures.some(({ validator }) => validator === index)
      : certificate.leader === index;
  return signed ? { mark: '●', says: 'signed' } : { mark: '·', says: 'not among them' };
}

async function lastBlocks(upTo: number): Promise<readonly BlockAnswer[] | Problem> {
  const found: BlockAnswer[] = [];
  for (let height = Math.max(1, upTo - columns + 1); height <= upTo; height++) {
    const block = await node.block(toHeight(height));
    if (block instanceof Problem) return block;
    found.push(block);
  }
  return found;
}

function Evidence(): JSX.Element {
  const answer = useAnswer(() => node.evidence({ limit: 20 }), 'evidence');
  return (
    <>
      <h2>Evidence</h2>
      {answer === undefined ? (
        <Waiting />
      ) : answer instanceof Problem ? (
        <ProblemBox problem={answer} />
      ) : answer.evidence.length === 0 ? (
        <p>Nobody was seen signing two things that contradict each other.</p>
      ) : (
        <Rows head={['validator', 'what it did', 'proof']}>
          {answer.evidence.map((one, index) => (
            <tr key={index}>
              <td>
                <AccountLink address={one.address} />
              </td>
              <td>{harmless(one.kind)}</td>
              <td>
                <details>
                  <summary>{one.bytes.length / 2} bytes</summary>
                  <code class="wrap">{one.bytes}</code>
                </details>
              </td>
            </tr>
          ))}
        </Rows>
      )}
    </>
  );
}
