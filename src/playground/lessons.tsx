import type { JSX } from 'preact';
import { lessons } from './lesson-list.ts';
import type { Setting } from './setting.ts';

export function Lessons({ open }: { open: (setting: Setting) => void }): JSX.Element {
  return (
    <>
      <h2>Lessons</h2>
      {lessons.map(({ id, title, text, question, answer, setting }) => (
        <details key={id} class="lesson">
          <summary>{title}</summary>
          <p>{text}</p>
          <p>
            <button type="button" onClick={() => open(setting)}>
              Watch it
            </button>
          </p>
          <p>
            <strong>{question}</strong>
          </p>
          <details>
            <summary>An answer</summary>
            <p>{answer}</p>
          </details>
        </details>
      ))}
    </>
  );
}
