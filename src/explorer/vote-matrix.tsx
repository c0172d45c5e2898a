import type { JSX } from 'preact';
import { harmless } from '../base/harmless.ts';
import { Problem } from '../base/problem.ts';
import type { BlockAnswer, BlockVotesAnswer, ValidatorAnswer } from '../client/answers.ts';
import { toHeight } from '../ledger/block.ts';
import { useAskedAgain } from './asked-again.ts';
import { blocks } from './feed.ts';
import { node, validators } from './node.ts';
import { ProblemBox, Waiting } from './parts.tsx';
import { linkTo } from './router.ts';
import { SeenHere } from './seen-here.tsx';

/** How many blocks the matrix shows. */
const columns = 20;

interface Column {
  readonly block: BlockAnswer;
  /** Undefined where this node did not see it come: it was behind, or did not run. */
  readonly seen: BlockVotesAnswer | undefined;
}

/** Who proposed and who signed which block, and how late the vote of each came here. */
export function VoteMatrix(): JSX.Element {
  const top = blocks.value[0]?.header.height ?? 0;
  const { answer, problem } = useAskedAgain(() => lastColumns(top), `${top}`);
  return (
    <>
      <h2>Who proposed and who signed, block by block</h2>
      {problem !== undefined && <ProblemBox problem={problem} />}
      {answer === undefined ? <Waiting /> : <Matrix found={answer} />}
    </>
  );
}

function Matrix({ found }: { found: readonly Column[] }): JSX.Element {
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Validators by blocks">
        <table class="matrix">
          <thead>
            <tr>
              <th scope="col">block</th>
              {found.map(({ block: { header } }) => (
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
                {found.map((column) => {
                  const { mark, says, ms } = partOf(validator, column);
                  return (
                    <td key={column.block.hash} class={mark === '✗' ? 'bad' : ''} title={says}>
                      <span aria-hidden="true">{mark}</span>
                      {ms !== null && <small aria-hidden="true">{ms}</small>}
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
        ◆ proposed, ● signed the certificate, ○ its vote came, and was not needed for the certificate, ✗ its
        vote did not come, · not known here. The number is how many milliseconds after the proposal the vote
        came.
      </p>
      <SeenHere>
        Certificates are shown as they are stored; the ticks of the chain are what this page checked.
      </SeenHere>
    </>
  );
}

function partOf(
  { address, index, self }: ValidatorAnswer,
  { block: { header, certificate }, seen }: Column,
): { readonly mark: string; readonly says: string; readonly ms: number | null } {
  const vote = seen?.votes.find(({ validator }) => validator === address);
  const ms = vote?.ms == null ? null : Math.round(vote.ms);
  const late = ms === null ? '' : `, ${ms} ms after the proposal`;
  if (header.proposer === address) return { mark: '◆', says: `proposed${late}`, ms };
  const hasSigned =
    certificate !== null &&
    ('signatures' in certificate
      ? certificate.signatures.some(({ validator }) => validator === index)
      : certificate.leader === index);
  if (hasSigned) return { mark: '●', says: `signed the certificate${late}`, ms };
  if (vote !== undefined) return { mark: '○', says: `vote came${late}`, ms };
  // An observer, and a follower in Raft, hears no votes but its own.
  const hearsOthers = seen?.votes.some(({ validator }) => !isSelf(validator)) === true;
  if (!hearsOthers || self) return { mark: '·', says: 'not known here', ms };
  return { mark: '✗', says: 'missing', ms };
}

function isSelf(address: string): boolean {
  return validators.value.some((one) => one.self && one.address === address);
}

/** Final blocks do not change: each is asked for once. */
const known = new Map<number, BlockAnswer>();

async function lastColumns(upTo: number): Promise<readonly Column[] | Problem> {
  const first = Math.max(1, upTo - columns + 1);
  for (const height of known.keys()) if (height < first || height > upTo) known.delete(height);
  const votes = await node.votes();
  if (votes instanceof Problem) return votes;
  const found: Column[] = [];
  for (let height = first; height <= upTo; height++) {
    const block = known.get(height) ?? (await node.block(toHeight(height)));
    if (block instanceof Problem) return block;
    known.set(height, block);
    found.push({ block, seen: votes.blocks.find(({ hash }) => hash === block.hash) });
  }
  return found;
}
