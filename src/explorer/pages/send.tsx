import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { harmless } from '../../base/harmless.ts';
import type { Problem } from '../../base/problem.ts';
import { conditionFromJson, operationFromJson } from '../../client/content-json.ts';
import { type Condition, conditionJson } from '../../ledger/condition.ts';
import type { Operation } from '../../ledger/operation.ts';
import { operationJson } from '../../ledger/operation-json.ts';
import { ContentText } from '../content-text.tsx';
import { everybodysKeys } from '../names.ts';
import { OperationWhat } from '../operation-what.tsx';
import { PartForm } from '../part-form.tsx';
import { conditionKinds, operationKinds } from '../part-kinds.ts';
import { HashLink, ProblemBox, Tick, Title, Waiting } from '../parts.tsx';
import { linkTo } from '../router.ts';
import { type Cosigner, send, type Sending, type Sent, signerNames, type Unsure } from '../sending.ts';
import { SignerForm } from '../signer-form.tsx';
import { loadKeys } from '../stored-keys.ts';
import { conditionText } from '../text.ts';
import { trust } from '../trust.ts';

/** How many blocks a transaction may wait, unless somebody says otherwise. */
const expiryAhead = '100';

/** Builds a transaction of one or more operations, which is signed in this page. */
export function SendPage(): JSX.Element {
  const from = useSignal('');
  const sending: Sending = {
    from,
    password: useSignal(''),
    fee: useSignal('0'),
    account: useSignal(''),
    cosigners: useSignal<readonly Cosigner[]>([]),
    reference: useSignal(''),
    nonce: useSignal(''),
    ahead: useSignal(expiryAhead),
    conditions: useSignal<readonly Condition[]>([]),
    operations: useSignal<readonly Operation[]>([]),
    wrong: useSignal<Problem | undefined>(undefined),
    sent: useSignal<Sent | undefined>(undefined),
    isSending: useSignal(false),
    unsure: useSignal<Unsure | undefined>(undefined),
  };
  useEffect(() => void loadKeys().then((problem) => (sending.wrong.value = problem)), []);
  if (trust.value === undefined) return <Waiting />;
  const names = signerNames();
  if (!names.includes(from.value)) from.value = names[0] ?? '';
  const { wrong, sent } = sending;
  return (
    <>
      <Title>Send a transaction</Title>
      <p>
        What you add is signed in this page, and happens as a whole or not at all.
        {everybodysKeys().length > 0 &&
          ' This chain is for development: everybody has the keys of alice and the others.'}
      </p>
      {names.length === 0 ? (
        <p>
          There is no key to sign with: <a href={linkTo('keys')}>make one</a>.
        </p>
      ) : (
        <>
          <SignerForm sending={sending} names={names} />
          <Parts sending={sending} />
        </>
      )}
      {wrong.value !== undefined && <ProblemBox problem={wrong.value} />}
      {sent.value !== undefined && <Progress sent={sent.value} />}
    </>
  );
}

function Parts({ sending }: { sending: Sending }): JSX.Element {
  const { operations, conditions, wrong, isSending } = sending;
  const onWrong = (problem: Problem | undefined): void => void (wrong.value = problem);
  return (
    <>
      <h2>What it does</h2>
      <PartForm
        label="Do this"
        kinds={operationKinds}
        read={operationFromJson}
        onAdd={(operation) => (operations.value = [...operations.value, operation])}
        onWrong={onWrong}
      />
      <ol aria-label="Operations to send">
        {operations.value.map((operation, index) => (
          <li key={index} class="wrap">
            {operation.type} <OperationWhat operation={operationJson(operation)} />{' '}
            <button type="button" onClick={() => (operations.value = operations.value.toSpliced(index, 1))}>
              Remove
            </button>
          </li>
        ))}
      </ol>
      <details open={conditions.value.length > 0}>
        <summary>Only if something holds</summary>
        <PartForm
          label="Only if"
          kinds={conditionKinds}
          read={conditionFromJson}
          onAdd={(condition) => (conditions.value = [...conditions.value, condition])}
          onWrong={onWrong}
        />
        <ol aria-label="Conditions">
          {conditions.value.map((condition, index) => (
            <li key={index} class="wrap">
              {conditionText(conditionJson(condition))}{' '}
              <button type="button" onClick={() => (conditions.value = conditions.value.toSpliced(index, 1))}>
                Remove
              </button>
            </li>
          ))}
        </ol>
      </details>
      <ContentText sending={sending} />
      <p>
        <button
          type="button"
          class="main"
          disabled={operations.value.length === 0 || isSending.value}
          onClick={() => void send(sending)}
        >
          Sign and send
        </button>
      </p>
    </>
  );
}

function Progress({ sent }: { sent: Sent }): JSX.Element {
  return (
    <section aria-live="polite">
      <h2>
        <HashLink page="transaction" hash={sent.hash} /> <Tick verdict={sent.verdict} />
      </h2>
      <ol>
        {sent.steps.map(([what, ms]) => (
          <li key={what}>
            {harmless(what)} <span class="quiet">after {ms.toFixed(0)} ms</span>
          </li>
        ))}
      </ol>
      {sent.remedy !== undefined && <p>What to do: {harmless(sent.remedy)}</p>}
    </section>
  );
}
