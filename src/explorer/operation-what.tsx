import type { JSX } from 'preact';
import { fromHex } from '../base/bytes.ts';
import { harmless } from '../base/harmless.ts';
import type { OperationAnswer } from '../client/answers.ts';
import { grouped, valueText } from '../client/plain-words.ts';
import { nameOf } from './names.ts';
import { AccountLink } from './parts.tsx';
import { linkTo } from './router.ts';
import { linesIn, shortHash } from './text.ts';

/** What an operation does: keys and accounts are links; all else is shown as the API says it. */
export function OperationWhat({ operation }: { operation: OperationAnswer }): JSX.Element {
  const rest = Object.fromEntries(
    Object.entries(operation).filter(
      ([name]) => !['type', 'key', 'name', 'to', 'value', 'amount', 'memo', 'reservation'].includes(name),
    ),
  );
  const value = 'value' in operation ? shownValue(operation.value) : undefined;
  return (
    <>
      {'key' in operation && <a href={linkTo('record', operation.key)}>{harmless(operation.key)}</a>}
      {'name' in operation && (
        <>
          <a href={linkTo('namespace', operation.name)}>{harmless(operation.name)}</a>{' '}
        </>
      )}
      {'reservation' in operation && (
        <>
          <a href={linkTo('reservation', operation.reservation)}>
            {shortReservation(operation.reservation)}
          </a>{' '}
        </>
      )}
      {value !== undefined && (
        <>
          {' = '}
          <span class={value.isText ? 'lines' : 'mono'}>{value.text}</span>
        </>
      )}
      {'amount' in operation && grouped(operation.amount)}
      {'to' in operation && (
        <>
          {' to '}
          <AccountLink address={operation.to} />
        </>
      )}{' '}
      {'memo' in operation && <span class="quiet">{harmless(operation.memo)}</span>}
      {Object.keys(rest).length > 0 && <span class="mono">{harmless(JSON.stringify(rest))}</span>}
    </>
  );
}

function shownValue(hex: string): { readonly text: string; readonly isText: boolean } {
  const lines = hex === '' ? undefined : linesIn(hex);
  if (lines !== undefined) return { text: lines.join('\n'), isText: true };
  return { text: valueText(fromHex(hex)).text, isText: false };
}

/** A reservation's name begins with a long address. */
function shortReservation(reservation: string): string {
  const [sender = '', ...rest] = reservation.split(':');
  return harmless([nameOf(sender) ?? shortHash(sender), ...rest].join(':'));
}
