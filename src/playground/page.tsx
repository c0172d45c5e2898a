import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { harmless } from '../base/harmless.ts';
import { Problem } from '../base/problem.ts';
import { BreachBox } from './breach-box.tsx';
import { LessonMenu, lessonOf, LessonPanel } from './lesson-panel.tsx';
import { NodePanel } from './node-panel.tsx';
import { NodeTable } from './node-table.tsx';
import { keep, openedHere } from './open.ts';
import { PlanFile } from './plan-file.tsx';
import { Player } from './player.ts';
import { ProblemBox } from './problem-box.tsx';
import { Ring } from './ring.tsx';
import { firstSetting, queryOf } from './setting.ts';
import { SettingForm } from './setting-form.tsx';
import { TimeControls } from './time-controls.tsx';
import { Happened, Kinds, OnTheWay } from './traffic.tsx';

/** The simulator, to be played with; nothing of it touches the node's own chain. */
export function PlaygroundPage(): JSX.Element {
  const player = useMemo(() => new Player(), []);
  useEffect(() => () => player.close(), [player]);
  const { wrong, lesson } = useAddress(player);
  const about = lessonOf(lesson);
  const { value: failure } = player.failure;
  const { value: view } = player.view;
  return (
    <>
      <h1 tabIndex={-1}>Playground</h1>
      <p>
        The engines, the driver and the simulator that the tests use, in your browser. A run is a function of
        its setting, and what you do is part of it: the address of this page holds all of it.
      </p>
      <LessonMenu present={lesson} />
      {wrong.value !== undefined && <ProblemBox problem={wrong.value} />}
      {failure !== undefined && <Trouble text={`The run cannot go on: ${failure}. Begin anew.`} />}
      {about !== undefined && <LessonPanel player={player} lesson={about} />}
      <SettingForm player={player} />
      <PlanFile onWrong={(problem) => (wrong.value = problem)} />
      <TimeControls player={player} lesson={lesson} />
      {view?.breach != null && <BreachBox breach={view.breach} />}
      {view === undefined ? <p role="status">Starting…</p> : <Cluster player={player} />}
      <h2>Messages</h2>
      <Kinds player={player} />
      <OnTheWay player={player} />
      <h2>What happened, the newest first</h2>
      <Happened player={player} />
    </>
  );
}

function Cluster({ player }: { player: Player }): JSX.Element {
  const { nodes } = player.view.value ?? { nodes: [] };
  const node = player.selected.value;
  const view = nodes[node];
  return (
    <>
      <div class="play">
        <Ring player={player} nodes={nodes} />
        {view !== undefined && <NodePanel player={player} node={node} view={view} />}
      </div>
      <NodeTable player={player} />
    </>
  );
}

function Trouble({ text }: { text: string }): JSX.Element {
  return (
    <div class="problem" role="alert">
      <p>{harmless(text)}</p>
    </div>
  );
}

/** Opens what the address names, and keeps in it what is done. */
function useAddress(player: Player): { wrong: Signal<Problem | undefined>; lesson: string | undefined } {
  const wrong = useSignal<Problem | undefined>(undefined);
  const lesson = useSignal<string | undefined>(undefined);
  /** What stands in the address by now. */
  const kept = useRef('');
  useEffect(() => {
    const openHere = (): void => {
      if (location.hash !== '' && !location.hash.startsWith('#/play')) return;
      const opened = openedHere();
      wrong.value = opened instanceof Problem ? opened : undefined;
      const {
        setting,
        event,
        lesson: about,
      } = opened instanceof Problem ? { setting: firstSetting } : opened;
      lesson.value = about;
      kept.current = queryOf(setting);
      player.open({ setting, event });
      // Who asked for less motion begins it by hand.
      const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
      player.isPlaying.value = event === undefined && !isCalm;
    };
    openHere();
    addEventListener('hashchange', openHere);
    return () => removeEventListener('hashchange', openHere);
  }, [player]);
  useSignalEffect(() => {
    const { value: setting } = player.setting;
    const query = queryOf(setting);
    if (player.view.value === undefined || query === kept.current) return;
    kept.current = query;
    keep(setting, { lesson: lesson.peek() });
  });
  return { wrong, lesson: lesson.value };
}
