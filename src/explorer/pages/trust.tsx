import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import { Problem } from '../../base/problem.ts';
import { Facts, ProblemBox, Title, Waiting } from '../parts.tsx';
import { forgetGenesis, pinGenesis, type Trust, trust } from '../trust.ts';

/** What the ticks of the other pages are worth. */
export function TrustPage(): JSX.Element {
  const wrong = useSignal<Problem | undefined>(undefined);
  const { value: trusted } = trust;
  if (trusted === undefined) return <Waiting />;
  return (
    <>
      <Title>What is trusted</Title>
      <p>
        This page checks each block and each receipt by itself: hashes, inclusion proofs, and the signatures
        of the validators that a genesis file names. So the genesis file is all that has to be trusted.
      </p>
      {trusted instanceof Problem ? (
        <ProblemBox problem={trusted} />
      ) : (
        <Trusted trusted={trusted} onWrong={(problem) => (wrong.value = problem)} />
      )}
      <p>
        <label>
          Choose your own genesis file{' '}
          <input
            type="file"
            accept=".json,application/json"
            onChange={({ currentTarget }) => {
              const [file] = currentTarget.files ?? [];
              void file?.text().then((text) => (wrong.value = pinGenesis(text)));
            }}
          />
        </label>
      </p>
      {wrong.value !== undefined && <ProblemBox problem={wrong.value} />}
    </>
  );
}

function Trusted({
  trusted,
  onWrong,
}: {
  readonly trusted: Trust;
  readonly onWrong: (problem: Problem | undefined) => void;
}): JSX.Element {
  return (
    <>
      <p>
        {trusted.from === 'pinned' ? (
          <strong>It is checked against the genesis file that you pinned.</strong>
        ) : (
          <strong>It is checked against the genesis file that this node gave.</strong>
        )}{' '}
        {trusted.from === 'node' &&
          'That shows that the node agrees with itself. Compare the chain id with one that you know, or choose your own file.'}
      </p>
      <Facts
        rows={[
          ['chain', harmless(trusted.genesis.name)],
          ['chain id', <span class="mono">{trusted.genesis.chainId}</span>],
          [
            'validators',
            trusted.genesis.validators.map(({ name, publicKey }) => (
              <span key={publicKey}>{harmless(name)} </span>
            )),
          ],
        ]}
      />
      <p>
        {trusted.from === 'node' ? (
          <button type="button" onClick={() => onWrong(pinGenesis(trusted.text))}>
            Pin this genesis file
          </button>
        ) : (
          <button type="button" onClick={() => void forgetGenesis()}>
            Forget the pinned file
          </button>
        )}
      </p>
    </>
  );
}
