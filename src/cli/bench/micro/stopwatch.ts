/** Processor time of one piece of work, in µs: of all samples the least and the median. */
export interface Cost {
  readonly least: number;
  readonly median: number;
}

/** A sample is at least this long, so that the clock of the processor is fine enough for it. */
const sampleMicros = 8_000;
const mostTimes = 1_000_000;

/**
 * What `work` costs each time, less what others do on the machine: in processor time, all threads of this
 * process, and the least of several samples is the nearest to the truth. It is run once before, and as often
 * as it takes for a sample to be long enough.
 */
export async function costOf(work: () => unknown, samples: number): Promise<Cost> {
  let times = 1;
  for (let spent = 0; spent < sampleMicros && times < mostTimes;) {
    spent = spend(work, times);
    if (spent < sampleMicros)
      times = Math.ceil(times * Math.min(8, (1.5 * sampleMicros) / Math.max(spent, 1)));
  }
  const found: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    found.push(spend(work, times) / times);
    // A node comes back to its loop between pieces of work, too.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return summary(found);
}

/** The same for work that waits: in time that passes, since it waits for the disk or another thread. */
export async function passedOf(work: () => Promise<unknown>, samples: number): Promise<Cost> {
  await work();
  const found: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const begin = performance.now();
    await work();
    found.push((performance.now() - begin) * 1_000);
  }
  return summary(found);
}

function spend(work: () => unknown, times: number): number {
  const begin = process.cpuUsage();
  for (let time = 0; time < times; time++) work();
  const { user, system } = process.cpuUsage(begin);
  return user + system;
}

function summary(costs: readonly number[]): Cost {
  const sorted = costs.toSorted((a, b) => a - b);
  return { least: sorted[0] ?? 0, median: sorted[sorted.length >>> 1] ?? 0 };
}
