import type { JSX } from 'preact';
import { engineNames } from '../ledger/engine-names.ts';
import { open } from './open.ts';
import type { Player } from './player.ts';
import { fewestNodes, mostNodes, type Setting } from './setting.ts';

/** What a run begins with: each change begins another one. */
export function SettingForm({ player }: { player: Player }): JSX.Element {
  const { value: setting } = player.setting;
  const change = (changes: Partial<Setting>): void => {
    const { kept: _, ...rest } = setting;
    open({ ...rest, edits: [], ...changes });
  };
  const isKept = setting.plan === 'kept';
  return (
    <form class="row" aria-label="The run" onSubmit={(event) => event.preventDefault()}>
      <label>
        Engine{' '}
        <select
          value={setting.engine}
          disabled={isKept}
          onChange={({ currentTarget }) => change({ engine: currentTarget.value as Setting['engine'] })}
        >
          {engineNames.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Seed{' '}
        <input
          type="number"
          min={0}
          value={setting.seed}
          disabled={isKept}
          onChange={({ currentTarget }) => {
            const seed = Math.min(2 ** 48, Math.max(0, Math.floor(Number(currentTarget.value))));
            change({ seed });
          }}
        />
      </label>
      <label>
        Happens{' '}
        <select
          value={setting.plan}
          onChange={({ currentTarget }) => change({ plan: currentTarget.value as Setting['plan'] })}
        >
          <option value="calm">what I do</option>
          <option value="drawn">what the seed draws</option>
          {isKept && <option value="kept">what the plan says</option>}
        </select>
      </label>
      {setting.plan === 'calm' && <CalmFields setting={setting} change={change} />}
    </form>
  );
}

/** Fields of runs in which nothing is drawn from the seed. */
function CalmFields(props: {
  readonly setting: Setting;
  readonly change: (changes: Partial<Setting>) => void;
}): JSX.Element {
  const { setting, change } = props;
  const counts = Array.from({ length: mostNodes - fewestNodes + 1 }, (_, index) => fewestNodes + index);
  return (
    <>
      <label>
        Nodes{' '}
        <select
          value={setting.nodes.length}
          onChange={({ currentTarget }) => {
            const count = Number(currentTarget.value);
            change({ nodes: Array.from({ length: count }, (_, index) => setting.nodes[index] ?? null) });
          }}
        >
          {counts.map((count) => (
            <option key={count}>{count}</option>
          ))}
        </select>
      </label>
      <label>
        Clients{' '}
        <select
          value={setting.load}
          onChange={({ currentTarget }) => change({ load: currentTarget.value as Setting['load'] })}
        >
          <option value="steady">write all the time</option>
          <option value="none">only I</option>
        </select>
      </label>
    </>
  );
}
