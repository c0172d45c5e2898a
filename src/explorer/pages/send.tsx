import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { utf8 } from '../../base/bytes.ts';
import { harmless } from '../../base/harmless.ts';
import { Problem } from '../../base/problem.ts';
import { problemOf } from '../../client/http-client.ts';
import { verifyReceipt } from '../../client/verify.ts';
import { Wallet } from '../../client/wallet.ts';
import { parseAddress } from '../../crypto/address.ts';
import { developmentKeyNames, developmentKeyPair } from '../../crypto/development-keys.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { toHeight } from '../../ledger/block.ts';
import { type Operation, operationJson } from '../../ledger/operation.ts';

import { node, status } from '../node.ts';
import { HashLink, ProblemBox, Tick, Title, Waiting } from '../parts.tsx';
import { operationText } from '../text.ts';
import { genesisWhenKnown } from '../trust.ts';

/** How many blocks a transaction may wait. */
const expiryAhead = 100;

/** What became of a transaction so far, with the time since it was signed. */
interface Sent {
  readonly hash: string;
  readonly steps: readonly (readonly [what: string, ms: number])[];
  readonly verdict: 'final' | Problem | undefined;
}

/**
 * Builds a transaction of one or more operations, signs it here, and follows it until it is final and proven.
 */
export function SendPage(): JSX.Element {
  const from = useSignal('alice');
  const operations = useSignal<readonly Operation[]>([]);
  const wrong = useSignal<Problem | undefined>(undefined);
  const sent = useSignal<Sent | undefined>(undefined);
  const { value: now } = status;
  if (now === undefined) return <Waiting />;
  return (
    <>
      <Title>Send a transaction</Title>
      {now.development ? (
        <p>
          This chain is for development: anybody has the keys of these accounts. What you add is signed in
          this page, and happens as a whole or not at all.
        </p>
      ) : (
        <p>
          This chain is not for development, and this page keeps no keys yet: use <code>quorate tx</code> or
          the client.
        </p>
      )}
      {now.development && (
        <>
          <p>
            <label>
              From{' '}
              <select value={from.value} onChange={({ currentTarget }) => (from.value = currentTarget.value)}>
                {developmentKeyNames.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
          </p>
          <TransferForm operations={operations} wrong={wrong} />
          <PutForm operations={operations} />
          <Pending operations={operations} send={() => void send({ from, operations, wrong, sent })} />
        </>
      )}
      {wrong.value !== undefined && <ProblemBox problem={wrong.value} />}
      {sent.value !== undefined && <Progress sent={sent.value} />}
    </>
  );
}

function TransferForm({
  operations,
  wrong,
}: {
  operations: Signal<readonly Operation[]>;
  wrong: Signal<Problem | undefined>;
}): JSX.Element {
  const to = useSignal('bob');
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

function Pending({
  operations,
  send,
}: {
  operations: Signal<readonly Operation[]>;
  send: () => void;
}): JSX.Element {
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
        <button type="button" class="main" disabled={operations.value.length === 0} onClick={send}>
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

async function send(page: {
  readonly from: Signal<string>;
  readonly operations: Signal<readonly Operation[]>;
  readonly wrong: Signal<Problem | undefined>;
  readonly sent: Signal<Sent | undefined>;
}): Promise<void> {
  const { from, operations, wrong, sent } = page;
  wrong.value = undefined;
  const fail = (problem: Problem): void => void (wrong.value = problem);
  const keyPair = developmentKeyPair(from.value);
  const [now, account] = await Promise.all([node.status(), node.account(keyPair.publicKey)]);
  if (now instanceof Problem) return fail(now);
  if (account instanceof Problem) return fail(account);
  const wallet = new Wallet({ chainId: now.chainId, keyPair });
  const transaction = wallet.build(
    { operations: operations.value },
    { nonce: account.pendingNonce, fee: 0n, expiryHeight: toHeight(now.finalHeight + expiryAhead) },
  );
  if (transaction instanceof Problem) return fail(transaction);
  const { hash } = transaction;
  const start = performance.now();
  const step = (what: string, verdict?: Sent['verdict']): void => {
    const steps = [
      ...(sent.value?.hash === hash ? sent.value.steps : []),
      [what, performance.now() - start] as const,
    ];
    sent.value = { hash, steps, verdict };
  };
  step('signed in this page');
  const answer = await node.submit(transaction);
  if (answer instanceof Problem) return fail(answer);
  if (answer.status === 'refused') return fail(problemOf(answer.problem));
  operations.value = [];
  step('taken by the node');
  const final = await node.waitFinal(hash);
  if (final instanceof Problem) return fail(final);
  const { receipt, height } = final.inclusion;
  step(`final in block ${height}: ${receipt.status === 'applied' ? 'applied' : `failed (${receipt.code})`}`);
  const genesis = await genesisWhenKnown();
  const verified = genesis && verifyReceipt(final, { genesis, hash });
  if (verified === undefined) return;
  if (verified instanceof Problem) step('not proven', verified);
  else step('its receipt verified by this page', 'final');
}

/** A name of the development keys, or an address. */
function accountOf(text: string): PublicKey | Problem {
  return developmentKeyNames.includes(text) ? developmentKeyPair(text).publicKey : parseAddress(text.trim());
}
