import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { Problem } from '../base/problem.ts';
import { lineDiff } from '../base/line-diff.ts';
import type { RecordAtAnswer, RecordVersionAnswer } from '../client/answers.ts';
import { node } from './node.ts';
import { OneNodesWord, ProblemBox, useAnswer, Waiting } from './parts.tsx';
import { grouped } from '../client/plain-words.ts';
import { linesIn } from './text.ts';

/** How many versions there are to choose from, the newest of all. */
const choices = 100;

/** What changed between two versions of a record, line by line. */
export function RecordDiff({ of: key }: { of: string }): JSX.Element {
  const answer = useAnswer(() => node.recordHistory(key, { order: 'newest', limit: choices }), key);
  if (answer === undefined || answer instanceof Problem || answer.versions.length < 2) return <></>;
  return <Choice of={key} versions={answer.versions} />;
}

function Choice(props: { of: string; versions: readonly RecordVersionAnswer[] }): JSX.Element {
  const { of: key, versions } = props;
  const from = useSignal(versions[1]?.version ?? 0);
  const to = useSignal(versions[0]?.version ?? 0);
  const heightOf = (version: number) => versions.find((one) => one.version === version)?.made.height;
  const [before, after] = [heightOf(from.value), heightOf(to.value)];
  const choose = (label: string, chosen: typeof from) => (
    <label>
      {label}{' '}
      <select
        value={chosen.value}
        onChange={({ currentTarget }) => (chosen.value = Number(currentTarget.value))}
      >
        {versions.map(({ version, made, change }) => (
          <option key={version} value={version}>
            {version} ({change}, block {made.height})
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <section aria-label="Difference between two versions">
      <h2>Difference between two versions</h2>
      <div class="row">
        {choose('From version', from)}
        {choose('to version', to)}
      </div>
      {before !== undefined && after !== undefined && <Difference of={key} from={before} to={after} />}
    </section>
  );
}

function Difference({
  of: key,
  from,
  to,
}: { of: string } & Parameters<typeof node.recordDiff>[1]): JSX.Element {
  const answer = useAnswer(() => node.recordDiff(key, { from, to }), `${from}/${to}`);
  if (answer === undefined) return <Waiting />;
  if (answer instanceof Problem) return <ProblemBox problem={answer} />;
  const [before, after] = [linesOf(answer.from), linesOf(answer.to)];
  return (
    <>
      <p class="quiet">
        After block {grouped(answer.from.height)} it was {standText(answer.from)}, after block{' '}
        {grouped(answer.to.height)} {standText(answer.to)}.
      </p>
      {answer.from.value === answer.to.value ? (
        <p>{answer.from.version === answer.to.version ? 'Nothing changed.' : 'The value is the same.'}</p>
      ) : (
        <pre class="value diff">
          {lineDiff(before, after).map(({ sign, line }, index) => (
            <span key={index} class={sign === '+' ? 'added' : sign === '-' ? 'taken' : ''}>
              {`${sign} ${line}\n`}
            </span>
          ))}
        </pre>
      )}
      <OneNodesWord height={answer.to.height} />
    </>
  );
}

function standText({ version, made, value }: RecordAtAnswer): string {
  if (made === null) return 'not there yet';
  return `${value === null ? 'deleted, ' : ''}version ${version}`;
}

/** What is no text is one line in hex. */
function linesOf({ value }: RecordAtAnswer): readonly string[] {
  if (value === null) return [];
  return linesIn(value) ?? [`0x${value}`];
}
