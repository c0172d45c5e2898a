import type { JSX } from 'preact';
import type { Lesson, Scene } from './lessons/lesson.ts';
import { lessons } from './lessons/list.ts';
import { addressOf } from './open.ts';
import type { Player } from './player.ts';
import { QuorumTable } from './quorum-table.tsx';

/** All lessons, in their order. */
export function LessonMenu({ present }: { present: string | undefined }): JSX.Element {
  return (
    <nav aria-label="Lessons" class="lessons">
      <ol>
        {lessons.map(({ id, title, scene }) => (
          <li key={id}>
            <a
              href={addressOf(scene.setting, { lesson: id })}
              aria-current={id === present ? 'page' : undefined}
            >
              {title}
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
}

export function lessonOf(id: string | undefined): Lesson | undefined {
  return lessons.find((lesson) => lesson.id === id);
}

/** A lesson beside the run that it is about. */
export function LessonPanel({ player, lesson }: { player: Player; lesson: Lesson }): JSX.Element {
  const { id, title, sources, text, scene, question, answer, tries } = lesson;
  return (
    <section class="lesson" aria-label={`Lesson: ${title}`}>
      <h2>{title}</h2>
      {text.map((paragraph) => (
        <p key={paragraph}>{paragraph}</p>
      ))}
      {id === 'quorums' && <QuorumTable />}
      <SceneBox player={player} scene={scene} />
      <p>
        <strong>{question}</strong>
      </p>
      <details key={id}>
        <summary>An answer, and how to try it</summary>
        <p>{answer}</p>
        {tries.map((one) => (
          <SceneBox key={one.name} player={player} scene={one} />
        ))}
      </details>
      <details key={`${id} sources`}>
        <summary>Sources</summary>
        <ul>
          {sources.map((source) => (
            <li key={source}>{source}</li>
          ))}
        </ul>
      </details>
    </section>
  );
}

function SceneBox({ player, scene }: { player: Player; scene: Scene }): JSX.Element {
  const { name, see, setting, untilMs } = scene;
  const begin = (until?: number): void => {
    player.open({ setting }, until);
    player.isPlaying.value = until === undefined;
  };
  return (
    <div class="scene">
      <p>
        <strong>{name}.</strong> {see}
      </p>
      <p class="row">
        <button type="button" aria-label={`Watch: ${name}`} onClick={() => begin()}>
          Watch
        </button>
        <button type="button" aria-label={`To its end: ${name}`} onClick={() => begin(untilMs)}>
          To its end ({untilMs / 1_000} s)
        </button>
      </p>
    </div>
  );
}
