import { fromHex, utf8 } from '../base/bytes.ts';
import { Problem } from '../base/problem.ts';
import { valueText } from '../client/plain-words.ts';
import type { Height } from '../ledger/block.ts';
import { encodeAddress } from '../crypto/address.ts';
import { developmentKeyPair } from '../crypto/development-keys.ts';
import { everybodysKeys } from './names.ts';
import { node } from './node.ts';
import type { PartKind } from './part-kinds.ts';

/** What was typed, by the names of the fields. */
export type Typed = Readonly<Record<string, string>>;

/** What was typed, in the JSON of the API: its readers say what is wrong with it. */
export async function jsonOf(kind: PartKind, typed: Typed): Promise<object | Problem> {
  const { type, change } = kind;
  const needsHeight = kind.fields.some(({ name, type: of }) => of === 'height' && isRelative(typed[name]));
  const now = needsHeight ? await node.status() : undefined;
  if (now instanceof Problem) return now;
  const given = kind.fields.flatMap(({ name, type: of, isOptional }): (readonly [string, unknown])[] => {
    const text = typed[name] ?? '';
    const isLeftOut = isOptional === true && text.trim() === '';
    return isLeftOut ? [] : [[name, valueOf(of, text, now?.finalHeight)]];
  });
  const fields = Object.fromEntries(given);
  return change === undefined ? { type, ...fields } : proposed(change, fields);
}

/** A proposal is made for the validators that are in force. */
async function proposed(
  change: string,
  { expiryHeight, replaces, ...rest }: Readonly<Record<string, unknown>>,
): Promise<object | Problem> {
  const parameters = await node.chainParameters();
  if (parameters instanceof Problem) return parameters;
  const { validatorsHash, members } = parameters;
  const { height, ...about } = rest;
  const when = height === undefined ? {} : { height };
  const what = change === 'limits' ? { limits: about } : about;
  return {
    type: 'propose-change',
    change: { type: change, ...what, ...when },
    expiryHeight,
    validatorsHash,
    members,
    replaces,
  };
}

function isRelative(text: string | undefined): boolean {
  return /^\s*\+\d{1,15}\s*$/.test(text ?? '');
}

/** What is none stays as it was typed, and is refused as that. */
function valueOf(type: PartKind['fields'][number]['type'], text: string, final: Height | undefined): unknown {
  const trimmed = text.trim();
  switch (type) {
    case 'text':
    case 'lines':
      return text;
    case 'amount':
      return trimmed.replaceAll(/[,_ ]/g, '');
    case 'height':
      if (isRelative(text) && final !== undefined) return final + Number(trimmed.slice(1));
      return wholeOf(trimmed);
    case 'whole':
      return wholeOf(trimmed);
    case 'time': {
      const time = Date.parse(trimmed);
      return Number.isNaN(time) ? trimmed : time;
    }
    case 'account':
      return addressOf(trimmed);
    case 'accounts':
      return trimmed
        .split(/[\s,;]+/)
        .filter((one) => one !== '')
        .map(addressOf);
    case 'flag':
      return text === 'yes';
    case 'choice':
      return trimmed;
  }
}

/** A reference as somebody types it: text, or bytes as 0x and hex. */
export function referenceBytes(text: string): Uint8Array {
  return /^0x(?:[0-9a-f]{2})+$/.test(text) ? fromHex(text.slice(2)) : utf8(text);
}

export function referenceText(bytes: Uint8Array): string {
  return bytes.length === 0 ? '' : valueText(bytes).text;
}

function wholeOf(text: string): unknown {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/**
 * An address, or on a chain for development one of the names: on any other, everybody could take what such an
 * account is paid.
 */
export function addressOf(text: string): string {
  return everybodysKeys().includes(text) ? encodeAddress(developmentKeyPair(text).publicKey) : text;
}
