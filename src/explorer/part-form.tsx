import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import { Problem } from '../base/problem.ts';
import { everybodysKeys } from './names.ts';
import type { PartKind } from './part-kinds.ts';
import { jsonOf, type Typed } from './typed-parts.ts';

/** A form for one part of a transaction: which kind it is, and what that asks for. */
export function PartForm<Part>(props: {
  /** What the menu of kinds is called. */
  readonly label: string;
  readonly kinds: readonly PartKind[];
  readonly read: (json: unknown) => Part | Problem;
  readonly onAdd: (part: Part) => void;
  readonly onWrong: (problem: Problem | undefined) => void;
}): JSX.Element {
  const { label, kinds, read, onAdd, onWrong } = props;
  const at = useSignal(0);
  const kind = kinds[at.value] as PartKind;
  const typed = useSignal<Typed>(firstOf(kind));
  const choose = (index: number): void => {
    at.value = index;
    typed.value = firstOf(kinds[index] as PartKind);
  };
  const add = async (): Promise<void> => {
    const json = await jsonOf(kind, typed.value);
    const part = json instanceof Problem ? json : read(json);
    onWrong(part instanceof Problem ? part : undefined);
    if (!(part instanceof Problem)) onAdd(part);
  };
  return (
    <form
      class="row"
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <label>
        {label}{' '}
        <select value={at.value} onChange={({ currentTarget }) => choose(Number(currentTarget.value))}>
          {kinds.map((one, index) => (
            <option key={one.label} value={index}>
              {one.label}
            </option>
          ))}
        </select>
      </label>
      {kind.fields.map((field) => (
        <PartField
          key={`${kind.label} ${field.name}`}
          field={field}
          value={typed.value[field.name] ?? ''}
          onInput={(value) => (typed.value = { ...typed.value, [field.name]: value })}
        />
      ))}
      <button type="submit">Add the {kind.noun}</button>
    </form>
  );
}

/** What a form begins with. */
function firstOf({ fields }: PartKind): Typed {
  return Object.fromEntries(
    fields.map(({ name, type, first, choices, isOptional }) => {
      if (type === 'account' && isOptional !== true)
        return [name, everybodysKeys().includes('bob') ? 'bob' : ''];
      if (type === 'time') return [name, new Date(Date.now() + 3_600_000).toISOString()];
      return [name, first ?? (isOptional === true ? '' : (choices?.[0] ?? ''))];
    }),
  );
}

function PartField(props: {
  readonly field: PartKind['fields'][number];
  readonly value: string;
  readonly onInput: (value: string) => void;
}): JSX.Element {
  const { label, isOptional } = props.field;
  const id = useId();
  return (
    <span class="field">
      <label for={id}>{isOptional === true ? `${label} (or nothing)` : label}</label>{' '}
      <FieldInput {...props} id={id} />
    </span>
  );
}

function FieldInput(props: Parameters<typeof PartField>[0] & { readonly id: string }): JSX.Element {
  const { field, value, onInput, id } = props;
  const { type, choices = [], isOptional } = field;
  switch (type) {
    case 'flag':
      return (
        <input
          id={id}
          type="checkbox"
          checked={value === 'yes'}
          onChange={({ currentTarget }) => onInput(currentTarget.checked ? 'yes' : '')}
        />
      );
    case 'choice':
      return (
        <select id={id} value={value} onChange={({ currentTarget }) => onInput(currentTarget.value)}>
          {isOptional === true && <option value="">as it is</option>}
          {choices.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      );
    case 'lines':
    case 'accounts':
      return (
        <textarea
          id={id}
          rows={2}
          value={value}
          placeholder={type === 'accounts' ? 'qr1… qr1…' : ''}
          onInput={({ currentTarget }) => onInput(currentTarget.value)}
        />
      );
    case 'text':
    case 'amount':
    case 'whole':
    case 'height':
    case 'time':
    case 'account':
      return (
        <input
          id={id}
          required={isOptional !== true}
          inputMode={type === 'amount' || type === 'whole' ? 'numeric' : undefined}
          value={value}
          onInput={({ currentTarget }) => onInput(currentTarget.value)}
        />
      );
  }
}
