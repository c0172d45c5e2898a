import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { toHex } from '../base/bytes.ts';
import { Problem } from '../base/problem.ts';
import { parseStrictJson } from '../base/strict-json.ts';
import { contentFromJson } from '../client/content-json.ts';
import { conditionJson } from '../ledger/condition.ts';
import { operationJson } from '../ledger/operation-json.ts';
import type { Sending } from './sending.ts';
import { referenceBytes, referenceText } from './typed-parts.ts';

/** The same as text: what `quorate tx send` takes as a file. */
export function ContentText({ sending }: { sending: Sending }): JSX.Element {
  const text = useSignal('');
  const { operations, conditions, reference, wrong } = sending;
  const take = (): void => {
    const content = contentIn(text.value);
    wrong.value = content instanceof Problem ? content : undefined;
    if (content instanceof Problem) return;
    operations.value = content.operations;
    conditions.value = content.conditions ?? [];
    reference.value = referenceText(content.reference ?? new Uint8Array());
  };
  const show = (): void => {
    const shown = {
      operations: operations.value.map(operationJson),
      conditions: conditions.value.map(conditionJson),
      reference: toHex(referenceBytes(reference.value)),
    };
    text.value = JSON.stringify(shown, null, 2);
  };
  return (
    <details>
      <summary>As JSON, as “quorate tx send” takes it</summary>
      <p>
        <label>
          What is to be done
          <textarea
            class="mono wide"
            rows={10}
            spellcheck={false}
            value={text.value}
            placeholder='{"operations": [{"type": "put", "key": "a", "text": "b"}]}'
            onInput={({ currentTarget }) => (text.value = currentTarget.value)}
          />
        </label>
      </p>
      <p class="row">
        <button type="button" onClick={take}>
          Take this instead
        </button>
        <button type="button" onClick={show}>
          Show what is put together
        </button>
      </p>
    </details>
  );
}

function contentIn(text: string): ReturnType<typeof contentFromJson> {
  try {
    return contentFromJson(parseStrictJson(text));
  } catch (cause) {
    return new Problem('transaction/content', `that is no JSON: ${(cause as Error).message}`, {
      remedy: 'Write it as {"operations": [{"type": "put", "key": "a", "text": "b"}]}.',
      cause,
    });
  }
}
