import { fieldsOf, list, text, Wrong } from './json-fields.ts';

/** Throws `Wrong` for what is not such a value; `at` says where it stands. */
export type Look = (json: unknown, at: string) => unknown;
export type Fields<T> = { readonly [K in keyof T]-?: Look };

/**
 * An object of a type: a field of it that nobody looks at does not compile. What later versions add may be.
 */
export function object<T>(looks: Fields<T>): Look {
  return (json, at) => {
    const fields = fieldsOf(json, at === '' ? 'it' : at);
    for (const [name, look] of Object.entries<Look>(looks)) {
      look(fields[name], at === '' ? name : `${at}.${name}`);
    }
  };
}

/** The members of a union that may have this word as their tag. */
type OfKind<T, Tag extends string, Kind> =
  T extends Readonly<Record<Tag, string>> ? (Kind extends T[Tag] ? Omit<T, Tag> : never) : never;

/** One of several kinds, which its `tag` names. What a newer node calls otherwise is shown by that name. */
export function kinds<T extends Readonly<Record<Tag, string>>, Tag extends string>(
  tag: Tag,
  looks: { readonly [Kind in T[Tag]]: Fields<OfKind<T, Tag, Kind>> },
): Look {
  const known = new Map(
    Object.entries<Fields<object>>(looks).map(([kind, fields]) => [kind, object(fields)]),
  );
  return (json, at) => {
    const kind = text(fieldsOf(json, at === '' ? 'it' : at)[tag], at === '' ? tag : `${at}.${tag}`);
    known.get(kind)?.(json, at);
  };
}

export const both = (one: Look, other: Look): Look => {
  return (json, at) => {
    one(json, at);
    other(json, at);
  };
};
export const each = (look: Look): Look => {
  return (json, at) => list(json, at).forEach((one, index) => look(one, `${at}[${index}]`));
};
export const orNull = (look: Look): Look => {
  return (json, at) => (json === null ? undefined : look(json, at));
};
export const unlessAbsent = (look: Look): Look => {
  return (json, at) => (json === undefined ? undefined : look(json, at));
};
export const oneOf = (...words: readonly string[]): Look => {
  return (json, at) => {
    if (!words.includes(text(json, at))) throw new Wrong(`${at} is none of ${words.join(', ')}`);
  };
};
export const yesOrNo: Look = (json, at) => {
  if (typeof json !== 'boolean') throw new Wrong(`${at} is neither true nor false`);
};
/** A measured number, which need not be whole. */
export const amount: Look = (json, at) => {
  if (typeof json !== 'number' || !Number.isFinite(json)) throw new Wrong(`${at} is no number`);
};
export const scalar: Look = (json, at) => {
  if (json !== null && !['string', 'number', 'boolean'].includes(typeof json)) {
    throw new Wrong(`${at} is no single value`);
  }
};
/** An object whose fields, whatever their names, are such values. */
export const named = (look: Look): Look => {
  return (json, at) =>
    Object.entries(fieldsOf(json, at)).forEach(([name, one]) => look(one, `${at}.${name}`));
};
/**
 * What a machine made as a name: an address, a code, a cursor. It is shown as it is, also in commands that
 * are to be typed.
 */
export const identifier: Look = (json, at) => {
  if (!/^[\w:./+-]{0,200}$/.test(text(json, at))) throw new Wrong(`${at} is no name as a node makes them`);
};
/**
 * Whether a node may give a problem this code. Those of `cli/` say what became of a command: that nothing was
 * tried, or that its own program is at fault.
 */
export function isNodeCode(code: string): boolean {
  return !code.startsWith('cli/');
}
export const problemCode: Look = (json, at) => {
  identifier(json, at);
  if (!isNodeCode(text(json, at))) throw new Wrong(`${at} is none that a node gives`);
};
/** As large as a record may be, and larger where a node keeps more. */
export const bytes: Look = (json, at) => {
  if (!/^(?:[0-9a-f]{2})*$/.test(text(json, at))) throw new Wrong(`${at} is no text of lower-case hex`);
};
