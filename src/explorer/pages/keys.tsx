import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { harmless } from '../../base/harmless.ts';
import type { Problem } from '../../base/problem.ts';
import { download } from '../download.ts';
import { ForgetDialog } from '../forget-dialog.tsx';
import { everybodysKeys } from '../names.ts';
import { AccountLink, ProblemBox, Rows, Title } from '../parts.tsx';
import { linkTo } from '../router.ts';
import { importKey, loadKeys, makeKey, type StoredKey, storedKeys } from '../stored-keys.ts';

/** The keys of this browser: they never leave it but as encrypted files, when somebody asks. */
export function KeysPage(): JSX.Element {
  const wrong = useSignal<Problem | undefined>(undefined);
  const toForget = useSignal<StoredKey | undefined>(undefined);
  useEffect(() => void loadKeys().then((problem) => (wrong.value = problem)), []);
  return (
    <>
      <Title>Keys</Title>
      <p>
        They are kept in this browser, each encrypted with its password (scrypt and XChaCha20-Poly1305). No
        node gets them, and nobody can restore a password. Keep a copy of each file elsewhere: a browser may
        delete what it keeps.
      </p>
      {everybodysKeys().length > 0 && (
        <p>
          This chain is for development: to try it, <a href={linkTo('send')}>send something</a> as alice,
          whose key everybody has.
        </p>
      )}
      <KeyList onForget={(key) => (toForget.value = key)} />
      {toForget.value !== undefined && (
        <ForgetDialog
          stored={toForget.value}
          onClose={(problem) => {
            toForget.value = undefined;
            wrong.value = problem;
          }}
        />
      )}
      <MakeKey onWrong={(problem) => (wrong.value = problem)} />
      <p>
        <label>
          Take a key file from elsewhere{' '}
          <input
            type="file"
            accept=".json,application/json"
            onChange={({ currentTarget }) => {
              const [file] = currentTarget.files ?? [];
              void file?.text().then(async (text) => (wrong.value = await importKey(text)));
            }}
          />
        </label>
      </p>
      {wrong.value !== undefined && <ProblemBox problem={wrong.value} />}
    </>
  );
}

function KeyList({ onForget }: { onForget: (key: StoredKey) => void }): JSX.Element {
  if (storedKeys.value.length === 0) return <p>There is none in this browser yet.</p>;
  return (
    <Rows head={['name', 'account', '']}>
      {storedKeys.value.map((key) => {
        const { name, address, text } = key;
        return (
          <tr key={name}>
            <td>{harmless(name)}</td>
            <td>
              <AccountLink address={address} />
            </td>
            <td>
              <button type="button" onClick={() => download(text, `${name}.key.json`)}>
                Save the file of {harmless(name)}
              </button>{' '}
              <button type="button" onClick={() => onForget(key)}>
                Forget {harmless(name)}
              </button>
            </td>
          </tr>
        );
      })}
    </Rows>
  );
}

function MakeKey({ onWrong }: { onWrong: (problem: Problem | undefined) => void }): JSX.Element {
  const name = useSignal('');
  const password = useSignal('');
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        void makeKey(name.value.trim(), password.value).then((problem) => {
          onWrong(problem);
          if (problem === undefined) name.value = password.value = '';
        });
      }}
    >
      <label>
        Name{' '}
        <input
          required
          value={name.value}
          onInput={({ currentTarget }) => (name.value = currentTarget.value)}
        />
      </label>
      <label>
        Password{' '}
        <input
          type="password"
          autocomplete="new-password"
          required
          value={password.value}
          onInput={({ currentTarget }) => (password.value = currentTarget.value)}
        />
      </label>
      <button type="submit">Make a key</button>
    </form>
  );
}
