import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { harmless } from '../../base/harmless.ts';
import type { SampleAnswer } from '../../client/answers.ts';
import { engineWords } from '../../client/engine-words.ts';
import { useAskedAgain } from '../asked-again.ts';
import { Chart } from '../chart.tsx';
import { shortNumber } from '../chart-text.ts';
import { nameOf } from '../names.ts';
import { node, status } from '../node.ts';
import { ProblemBox, Rows, Title, Waiting } from '../parts.tsx';
import type { Line } from '../plot.ts';
import { SeenHere } from '../seen-here.tsx';
import { moment } from '../../client/plain-words.ts';
import { shortHash } from '../text.ts';

const mebibyte = 1024 * 1024;
/** Rows of the table; a chart shows more. */
const tableRows = 30;
const askMs = 2_000;
type Span = 'minutes' | 'hours';

export function ChartsPage(): JSX.Element {
  const span = useSignal<Span>('minutes');
  const turn = useSignal(0);
  useEffect(() => {
    const timer = setInterval(() => (turn.value += 1), askMs);
    return () => clearInterval(timer);
  }, []);
  const { value: shown } = span;
  const { answer, problem } = useAskedAgain(async () => {
    const { value: asked } = span;
    const found = await node.samples({ span: asked });
    return 'samples' in found ? { span: asked, samples: found.samples } : found;
  }, `${shown}/${turn.value}`);
  return (
    <>
      <Title>Charts</Title>
      <div class="row">
        <label>
          Time{' '}
          <select
            value={shown}
            onChange={({ currentTarget }) =>
              (span.value = currentTarget.value === 'hours' ? 'hours' : 'minutes')
            }
          >
            <option value="minutes">the last ten minutes</option>
            <option value="hours">the last twelve hours</option>
          </select>
        </label>
      </div>
      <SeenHere>What it measured is gone when it stops.</SeenHere>
      {problem !== undefined && <ProblemBox problem={problem} />}
      {answer === undefined || answer.span !== shown ? (
        <Waiting />
      ) : answer.samples.length === 0 ? (
        <p role="status">No sample yet: there is one every {shown === 'hours' ? 'minute' : 'two seconds'}.</p>
      ) : (
        <Charts samples={answer.samples} />
      )}
    </>
  );
}

function Charts({ samples }: { samples: readonly SampleAnswer[] }): JSX.Element {
  const period = engineWords[status.value?.engine ?? 'pbft'].period;
  const charts = useMemo(() => chartsOf(samples, period), [samples, period]);
  const times = useMemo(() => samples.map(({ at }) => at), [samples]);
  return (
    <>
      <div class="charts">
        {charts.map(({ title, unit, lines }) => (
          <Chart key={title} title={title} unit={unit} times={times} lines={lines} />
        ))}
      </div>
      <details>
        <summary>The same as a table</summary>
        <Rows
          head={[
            'time',
            ...charts.flatMap(({ lines, unit }) =>
              lines.map(({ label }) => (unit === '' ? label : `${label} (${unit})`)),
            ),
          ]}
        >
          {times.slice(-tableRows).map((at, row) => (
            <tr key={at}>
              <td>{moment(at).slice(11, 19)}</td>
              {charts.flatMap(({ title, lines }) =>
                lines.map(({ label, values }) => {
                  const value = values.slice(-tableRows)[row] ?? null;
                  return (
                    <td key={`${title}/${label}`} class="number">
                      {value === null ? '–' : shortNumber(value)}
                    </td>
                  );
                }),
              )}
            </tr>
          ))}
        </Rows>
      </details>
    </>
  );
}

interface ChartData {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
}

function chartsOf(samples: readonly SampleAnswer[], period: string): readonly ChartData[] {
  const line = (label: string, valueOf: (sample: SampleAnswer) => number | null): Line => ({
    label,
    values: samples.map(valueOf),
  });
  const perSecond = (count: number, ms: number): number | null => (ms > 0 ? (count * 1_000) / ms : null);
  return [
    {
      title: 'Transactions',
      unit: 'a second',
      lines: [line('final', ({ transactions, ms }) => perSecond(transactions, ms))],
    },
    {
      title: 'Latency',
      unit: 'ms',
      lines: [
        line('half within', ({ latencyMs }) => latencyMs.p50),
        line('90 % within', ({ latencyMs }) => latencyMs.p90),
        line('99 % within', ({ latencyMs }) => latencyMs.p99),
      ],
    },
    {
      title: 'Block size',
      unit: 'bytes',
      lines: [line('a block', ({ blockBytes, blocks }) => (blocks === 0 ? null : blockBytes / blocks))],
    },
    { title: 'Blocks', unit: 'a second', lines: [line('final', ({ blocks, ms }) => perSecond(blocks, ms))] },
    { title: 'Delay of votes', unit: 'ms', lines: votesOf(samples) },
    {
      title: period === 'term' ? 'Terms' : 'Views',
      unit: '',
      lines: [line(period, ({ view }) => view), line('changes', ({ viewChanges }) => viewChanges)],
    },
    { title: 'Waiting', unit: 'transactions', lines: [line('pending', ({ pending }) => pending)] },
    {
      title: 'Memory',
      unit: 'MiB',
      lines: [
        line('process', ({ memoryBytes }) => memoryBytes / mebibyte),
        line('heap', ({ heapBytes }) => heapBytes / mebibyte),
      ],
    },
    {
      title: 'Disk',
      unit: 'MiB',
      lines: [line('database', ({ diskBytes }) => (diskBytes === null ? null : diskBytes / mebibyte))],
    },
  ];
}

/** A line for each validator of which a vote came. */
function votesOf(samples: readonly SampleAnswer[]): readonly Line[] {
  const voters = new Set(samples.flatMap(({ votes }) => votes.map(({ validator }) => validator)));
  return [...voters].toSorted(byName).map((voter) => ({
    label: labelOf(voter),
    values: samples.map(({ votes }) => votes.find(({ validator }) => validator === voter)?.ms ?? null),
  }));
}

function labelOf(address: string): string {
  return harmless(nameOf(address) ?? shortHash(address));
}

function byName(a: string, b: string): number {
  return labelOf(a) < labelOf(b) ? -1 : 1;
}
