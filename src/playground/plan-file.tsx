import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Problem } from '../base/problem.ts';
import { open } from './open.ts';
import { keptFrom } from './opened.ts';
import { settingOf } from './setting.ts';

/** Opens a plan that `quorate simulate --keep` wrote: chosen, or dropped onto the page. */
export function PlanFile({ onWrong }: { onWrong: (problem: Problem | undefined) => void }): JSX.Element {
  const take = async (file: File): Promise<void> => {
    const plan = keptFrom(await textOf(file));
    onWrong(plan instanceof Problem ? plan : undefined);
    if (!(plan instanceof Problem)) open(settingOf(plan));
  };
  useEffect(() => {
    const onOver = (event: DragEvent): void => event.preventDefault();
    const onDrop = (event: DragEvent): void => {
      event.preventDefault();
      const [file] = event.dataTransfer?.files ?? [];
      if (file !== undefined) void take(file);
    };
    addEventListener('dragover', onOver);
    addEventListener('drop', onDrop);
    return () => {
      removeEventListener('dragover', onOver);
      removeEventListener('drop', onDrop);
    };
  }, []);
  return (
    <details>
      <summary>Open a plan that a simulation kept</summary>
      <p>
        <label>
          A plan that “quorate simulate --keep” wrote, chosen here or dropped onto this page{' '}
          <input
            type="file"
            accept=".json,application/json"
            onChange={({ currentTarget }) => {
              const [file] = currentTarget.files ?? [];
              if (file !== undefined) void take(file);
              // The same one can be chosen again when it was mended.
              currentTarget.value = '';
            }}
          />
        </label>
      </p>
    </details>
  );
}

/** Reads only as much as it takes to see that the file is too long. */
function textOf(file: File): Promise<string> {
  return file.slice(0, 1_000_000).text();
}
