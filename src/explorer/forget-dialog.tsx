import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { harmless } from '../base/harmless.ts';
import { Problem } from '../base/problem.ts';
import { grouped } from '../client/plain-words.ts';
import { download } from './download.ts';
import { node } from './node.ts';
import { AccountLink, useAnswer } from './parts.tsx';
import { forgetKey, type StoredKey } from './stored-keys.ts';

/** Asks before a key is deleted, which cannot be undone, and says what is lost with it. */
export function ForgetDialog(props: {
  readonly stored: StoredKey;
  readonly onClose: (problem: Problem | undefined) => void;
}): JSX.Element {
  const { stored, onClose } = props;
  const { name, address, text } = stored;
  const shown = harmless(name);
  const dialog = useRef<HTMLDialogElement>(null);
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    keep.current?.focus();
  }, []);
  const account = useAnswer(() => node.account(address), address);
  const has =
    account === undefined || account instanceof Problem
      ? 'Whatever it has'
      : `Its ${grouped(BigInt(account.balance) + BigInt(account.held))} coins, and the records and namespaces that it owns,`;
  return (
    <dialog ref={dialog} aria-labelledby="forget" onClose={() => onClose(undefined)}>
      <h2 id="forget">Forget {shown}?</h2>
      <p>
        This deletes the key from this browser, and nothing brings it back. Without a copy of its file and its
        password nobody can sign for <AccountLink address={address} /> with it any more. {has} would stay
        where they are, for ever.
      </p>
      <p class="row">
        <button ref={keep} type="button" onClick={() => dialog.current?.close()}>
          Keep {shown}
        </button>
        <button type="button" onClick={() => download(text, `${name}.key.json`)}>
          Save its file first
        </button>
        <button type="button" class="danger" onClick={() => void forgetKey(name).then(onClose)}>
          Forget {shown} for ever
        </button>
      </p>
    </dialog>
  );
}
