import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useErrorBoundary, useRef } from 'preact/hooks';
import { harmless } from '../base/harmless.ts';
import { Problem } from '../base/problem.ts';
import { grouped } from '../client/plain-words.ts';
import { missed, trouble } from './feed.ts';
import { later } from './later.tsx';
import { status } from './node.ts';
import { AccountPage } from './pages/account.tsx';
import { BlockPage } from './pages/block.tsx';
import { ChainPage } from './pages/chain.tsx';
import { NamespacePage } from './pages/namespace.tsx';
import { NodePage } from './pages/node.tsx';
import { RecordPage } from './pages/record.tsx';
import { RecordsPage } from './pages/records.tsx';
import { ReferencePage } from './pages/reference.tsx';
import { ReservationPage } from './pages/reservation.tsx';
import { TransactionPage } from './pages/transaction.tsx';
import { TrustPage } from './pages/trust.tsx';
import { ValidatorsPage } from './pages/validators.tsx';
import { ProblemBox, Title } from './parts.tsx';
import { linkTo, place } from './router.ts';
import { search } from './search.ts';
import { forgetGenesis, trust } from './trust.ts';

const pages: Readonly<Record<string, (props: { about: string }) => JSX.Element>> = {
  '': ChainPage,
  block: BlockPage,
  transaction: TransactionPage,
  account: AccountPage,
  records: RecordsPage,
  record: RecordPage,
  namespace: NamespacePage,
  reservation: ReservationPage,
  reference: ReferencePage,
  validators: ValidatorsPage,
  charts: later('Charts', async () => (await import('./pages/charts.tsx')).ChartsPage),
  changes: later('Changes of the chain', async () => (await import('./pages/changes.tsx')).ChangesPage),
  node: NodePage,
  trust: TrustPage,
  send: later('Send a transaction', async () => (await import('./pages/send.tsx')).SendPage),
  keys: later('Keys', async () => (await import('./pages/keys.tsx')).KeysPage),
  play: later('Playground', async () => (await import('../playground/page.tsx')).PlaygroundPage),
};

const menu = [
  ['', 'Chain'],
  ['records', 'Records'],
  ['validators', 'Validators'],
  ['charts', 'Charts'],
  ['changes', 'Changes'],
  ['send', 'Send'],
  ['keys', 'Keys'],
  ['node', 'Node'],
  ['trust', 'Trust'],
  ['play', 'Playground'],
] as const;

export function Shell(): JSX.Element {
  const { page, about } = place.value;
  const Page = pages[page];
  return (
    <>
      <a class="skip" href="#main">
        To the content
      </a>
      <header>
        <a class="brand" href={linkTo('')}>
          Quorate
        </a>
        <nav aria-label="Pages">
          {menu.map(([name, label]) => (
            <a key={name} href={linkTo(name)} aria-current={name === page ? 'page' : undefined}>
              {label}
            </a>
          ))}
        </nav>
        <Search />
        <Chain />
      </header>
      <main id="main">
        <Warnings />
        {Page === undefined ? (
          <Title>There is no such page</Title>
        ) : (
          <Guarded key={page === 'play' ? page : `${page}/${about}`}>
            <Page about={about} />
          </Guarded>
        )}
      </main>
    </>
  );
}

/** A node may answer what no page can show: that is said, and the other pages go on. */
function Guarded({ children }: { children: ComponentChildren }): JSX.Element {
  const [failure] = useErrorBoundary();
  if (failure === undefined) return <>{children}</>;
  const why = failure instanceof Error ? failure.message : 'it is not known why';
  return (
    <>
      <Title>This cannot be shown</Title>
      <ProblemBox
        problem={
          new Problem('api/answer', `what the node answered cannot be shown: ${why}`, {
            remedy: 'Believe nothing of it, and ask another node of the same version.',
            details: {},
          })
        }
      />
    </>
  );
}

function Search(): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const text = useSignal('');
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.target !== document.body) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <form
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        void search(text.value);
      }}
    >
      <input
        ref={field}
        type="search"
        aria-label="Search by height, hash, address, record key or reference"
        placeholder="height, hash, address, key, reference"
        title="Press / to come here"
        value={text.value}
        onInput={({ currentTarget }) => (text.value = currentTarget.value)}
      />
    </form>
  );
}

function Chain(): JSX.Element {
  const { value } = status;
  if (value === undefined) return <span class="chain">…</span>;
  return (
    <span class="chain">
      {harmless(value.chainName)} <span class="quiet">{value.engine}</span>
    </span>
  );
}

/** A notice that changes the meaning of everything below it. */
function Warnings(): JSX.Element {
  const { value: trusted } = trust;
  const { value: now } = status;
  const isOther =
    trusted !== undefined &&
    !(trusted instanceof Problem) &&
    now !== undefined &&
    trusted.genesis.chainId !== now.chainId;
  return (
    <>
      {trouble.value !== undefined && <ProblemBox problem={trouble.value} />}
      {trusted instanceof Problem && <ProblemBox problem={trusted} />}
      {missed.value !== undefined && (
        <div class="problem" role="alert">
          <p>
            <strong>
              Block {grouped(missed.value.header.height)} was final here, and this node’s chain is without it.
            </strong>{' '}
            <button type="button" onClick={() => (missed.value = undefined)}>
              I have seen this
            </button>
          </p>
          <p>
            The chain began anew, or the node lost what it had and gets it again. What this page showed before
            may be of the chain before. Its hash was <span class="mono">{missed.value.hash}</span>.
          </p>
        </div>
      )}
      {isOther && (
        <div class="problem" role="alert">
          {trusted.from === 'pinned' ? (
            <p>
              <strong>This node is on another chain than the genesis file that you pinned.</strong>
            </p>
          ) : (
            <p>
              <strong>This node is on another chain than when this page was opened.</strong>{' '}
              <button type="button" onClick={() => void forgetGenesis()}>
                Take the genesis file of that one
              </button>
            </p>
          )}
          <p>
            Nothing here is proven. <a href={linkTo('trust')}>See what is trusted</a>.
          </p>
        </div>
      )}
    </>
  );
}
