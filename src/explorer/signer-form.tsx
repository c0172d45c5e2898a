import type { JSX } from 'preact';
import { type Cosigner, isStored, type Sending } from './sending.ts';

/** Who signs and pays, and whatever else a transaction has besides what it does. */
export function SignerForm(props: {
  readonly sending: Sending;
  readonly names: readonly string[];
}): JSX.Element {
  const { sending, names } = props;
  const { from, password, fee } = sending;
  return (
    <>
      <p class="row">
        <KeyField
          label="From"
          names={names}
          value={{ name: from.value, password: password.value }}
          onChange={(key) => {
            from.value = key.name;
            password.value = key.password;
          }}
        />
        <label>
          Fee{' '}
          <input
            inputMode="numeric"
            value={fee.value}
            onInput={({ currentTarget }) => (fee.value = digitsOf(currentTarget.value))}
          />
        </label>
      </p>
      <details>
        <summary>Reference, nonce, expiry, another account, more signers</summary>
        <More sending={sending} names={names} />
      </details>
    </>
  );
}

function More({ sending, names }: { sending: Sending; names: readonly string[] }): JSX.Element {
  return (
    <>
      <Terms sending={sending} />
      <Cosigners sending={sending} names={names} />
    </>
  );
}

function Terms({ sending }: { sending: Sending }): JSX.Element {
  const { account, reference, nonce, ahead } = sending;
  return (
    <p class="row">
      <label>
        Reference of your own (0x… for bytes){' '}
        <input
          value={reference.value}
          onInput={({ currentTarget }) => (reference.value = currentTarget.value)}
        />
      </label>
      <label>
        May wait for so many blocks{' '}
        <input
          inputMode="numeric"
          value={ahead.value}
          onInput={({ currentTarget }) => (ahead.value = digitsOf(currentTarget.value).slice(0, 9))}
        />
      </label>
      <label>
        Nonce, if not the next one{' '}
        <input
          inputMode="numeric"
          value={nonce.value}
          onInput={({ currentTarget }) =>
            (nonce.value = currentTarget.value.replaceAll(/\D/g, '').slice(0, 15))
          }
        />
      </label>
      <label>
        Account, if it is not the key’s own{' '}
        <input
          value={account.value}
          placeholder="qr1…"
          onInput={({ currentTarget }) => (account.value = currentTarget.value)}
        />
      </label>
    </p>
  );
}

function Cosigners({ sending, names }: { sending: Sending; names: readonly string[] }): JSX.Element {
  const { cosigners } = sending;
  return (
    <>
      {cosigners.value.map((cosigner, index) => (
        <p key={index} class="row">
          <KeyField
            label="Also signed by"
            names={names}
            value={cosigner}
            onChange={(key) => (cosigners.value = cosigners.value.with(index, key))}
          />
          <button type="button" onClick={() => (cosigners.value = cosigners.value.toSpliced(index, 1))}>
            Without this one
          </button>
        </p>
      ))}
      <p>
        <button
          type="button"
          onClick={() => (cosigners.value = [...cosigners.value, { name: names[0] ?? '', password: '' }])}
        >
          Let another key sign too
        </button>
      </p>
    </>
  );
}

function KeyField(props: {
  readonly label: string;
  readonly names: readonly string[];
  readonly value: Cosigner;
  readonly onChange: (key: Cosigner) => void;
}): JSX.Element {
  const { label, names, value, onChange } = props;
  return (
    <>
      <label>
        {label}{' '}
        <select
          value={value.name}
          onChange={({ currentTarget }) => onChange({ name: currentTarget.value, password: '' })}
        >
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      {isStored(value.name) && (
        <label>
          Password{' '}
          <input
            type="password"
            autocomplete="current-password"
            value={value.password}
            onInput={({ currentTarget }) => onChange({ name: value.name, password: currentTarget.value })}
          />
        </label>
      )}
    </>
  );
}

function digitsOf(text: string): string {
  return text.replaceAll(/\D/g, '').slice(0, 20) || '0';
}
