import type { JSX } from 'preact';
import { harmless } from '../base/harmless.ts';
import type { BreachView } from './view.ts';

/** A promise that broke; where two blocks are final at one height, both, and who made that possible. */
export function BreachBox({ breach }: { breach: BreachView }): JSX.Element {
  const { conflict } = breach;
  return (
    <div class="problem" role="alert">
      <p>
        <strong>A promise is broken ({breach.guarantee}).</strong>
      </p>
      <p>{harmless(breach.message)}</p>
      {conflict !== null && (
        <>
          <table>
            <caption>Both blocks are final at height {conflict.height}</caption>
            <thead>
              <tr>
                <th scope="col">at node</th>
                <th scope="col">block</th>
                <th scope="col">view</th>
                <th scope="col">transactions</th>
                <th scope="col">signed by</th>
              </tr>
            </thead>
            <tbody>
              {conflict.blocks.map(({ node, blockHash, view, transactions, signers }) => (
                <tr key={blockHash}>
                  <th scope="row">{node}</th>
                  <td class="mono wrap">{blockHash.slice(0, 16)}…</td>
                  <td>{view ?? '–'}</td>
                  <td>{transactions ?? '–'}</td>
                  <td>{signers.join(', ') || 'not known here'}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {conflict.signedBoth.length > 0 && (
            <p>
              <strong>Signed for both: node {conflict.signedBoth.join(', node ')}.</strong> Two quorums share
              at least f + 1 nodes, and no honest one signs twice: so with at most f liars this cannot happen.
            </p>
          )}
        </>
      )}
    </div>
  );
}
