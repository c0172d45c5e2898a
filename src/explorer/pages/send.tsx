import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { utf8 } from '../../base/bytes.ts';
import { harmless } from '../../base/harmless.ts';
import { Problem } from '../../base/problem.ts';
import { parseAddress } from '../../crypto/address.ts';
import { developmentKeyPair } from '../../crypto/development-keys.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import type { Operation } from '../../ledger/operation.ts';
import { operationJson } from '../../ledger/operation-json.ts';
import { everybodysKeys } from '../names.ts';
import { HashLink, ProblemBox, Tick, Title, Waiting } from '../parts.tsx';
import { linkTo } from '../router.ts';
import { isStored, send, type Sending, type Sent, signerNames, type Unsure } from '../sending.ts';
import { loadKeys } from '../stored-keys.ts';
import { operationText } from '../text.ts';
import { trust } from '../trust.ts';

/** Builds a transaction of one or more operations, which is signed in this page. */
export function SendPage(): JSX.Element {
  const from = useSignal('');
  const sending: Sending = {
    from,
    password: useSignal(''),
    fee: useSignal('0'),
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
  const { operations, wrong, sent } = sending;
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
          <Signer sending={sending} names={names} />
          <TransferForm operations={operations} wrong={wrong} />
          <PutForm operations={operations} />
          <Pending sending={sending} />
        </>
      )}
      {wrong.value !== undefined && <ProblemBox problem={wrong.value} />}
      {sent.value !== undefined && <Progress sent={sent.value} />}
    </>
  );
}

function Signer({ sending, names }: { sending: Sending; names: readonly string[] }): JSX.Element {
  const { from, password, fee } = sending;
  return (
    <p class="row">
      <label>
        From{' '}
        <select value={from.value} onChange={({ currentTarget }) => (from.value = currentTarget.value)}>
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      {isStored(from.value) && (
        <label>
          Password{' '}
          <input
            type="password"
            autocomplete="current-password"
            value={password.value}
            onInput={({ currentTarget }) => (password.value = currentTarget.value)}
          />
        </label>
      )}
      <label>
        Fee{' '}
        <input
          inputMode="numeric"
          value={fee.value}
          onInput={({ currentTarget }) => (fee.value = currentTarget.value.replaceAll(/\D/g, '') || '0')}
        />
      </label>
    </p>
  );
}

function TransferForm({
  operations,
  wrong,
}: {
  operations: Signal<readonly Operation[]>;
  wrong: Signal<Problem | undefined>;
}): JSX.Element {
  const to = useSignal(everybodysKeys().includes('bob') ? 'bob' : '');
  const amount = useSignal('5');
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        const account = accountOf(to.value);
        wrong.value = account instanceof Problem ? account : undefined;
        if (account instanceof Problem || !/^\d{1,20}$/.test(amount.value)) return;
        operations.value = [
          ...operations.value,
          { type: 'transfer', to: account, amount: BigInt(amount.value), memo: '' },
        ];
      }}
    >
      <label>
        Pay{' '}
        <input
          inputMode="numeric"
          pattern="[0-9]{1,20}"
          required
          value={amount.value}
          onInput={({ currentTarget }) => (amount.value = currentTarget.value)}
        />
      </label>
      <label>
        to{' '}
        <input required value={to.value} onInput={({ currentTarget }) => (to.value = currentTarget.value)} />
      </label>
      <button type="submit">Add the payment</button>
    </form>
  );
}

function PutForm({ operations }: { operations: Signal<readonly Operation[]> }): JSX.Element {
  const key = useSignal('note');
  const value = useSignal('');
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        operations.value = [...operations.value, { type: 'put', key: key.value, value: utf8(value.value) }];
      }}
    >
      <label>
        Write the record{' '}
        <input
          required
          value={key.value}
          onInput={({ currentTarget }) => (key.value = currentTarget.value)}
        />
      </label>
      <label>
        with{' '}
        <input value={value.value} onInput={({ currentTarget }) => (value.value = currentTarget.value)} />
      </label>
      <button type="submit">Add the record</button>
    </form>
  );
}

function Pending({ sending }: { sending: Sending }): JSX.Element {
  const { operations, isSending } = sending;
  return (
    <>
      <ol aria-label="Operations to send">
        {operations.value.map((operation, index) => (
          <li key={index}>
            {operationText(operationJson(operation))}{' '}
            <button type="button" onClick={() => (operations.value = operations.value.toSpliced(index, 1))}>
              Remove
            </button>
          </li>
        ))}
      </ol>
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
    </section>
  );
}

/**
 * An address, or on a chain for development one of the names: on any other, everybody could take what such an
 * account is paid.
 */
function accountOf(text: string): PublicKey | Problem {
  return everybodysKeys().includes(text) ? developmentKeyPair(text).publicKey : parseAddress(text.trim());
}
