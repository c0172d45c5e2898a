import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** What a process has used of the machine so far. */
export interface Usage {
  readonly residentBytes: number;
  readonly cpuMs: number;
}

const linuxTickMs = 10;
const linuxPageBytes = 4_096;

/** Undefined when the process is gone. */
export function usageOf(pid: number): Usage | undefined {
  try {
    return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
  } catch {
    return undefined;
  }
}

function fromProc(pid: number): Usage {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in brackets, in which anything may stand.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0] = [fields[11], fields[12]].map(Number);
  return {
    residentBytes: Number(fields[21]) * linuxPageBytes,
    cpuMs: (user + system) * linuxTickMs,
  };
}

function fromPs(pid: number): Usage {
  const [rss = '0', time = '0'] = execFileSync('ps', ['-o', 'rss=,time=', '-p', String(pid)], {
    encoding: 'utf8',
  })
    .trim()
    .split(/\s+/);
  const seconds = time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return { residentBytes: Number(rss) * 1024, cpuMs: seconds * 1_000 };
}

/** Milliseconds that all cores together have worked, for whomever. */
export function machineCpuMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

/** How large processes become, looked at a few times a second. */
export class PeakMemory {
  /** Of the one that became the largest, in bytes. */
  peak = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(pids: readonly number[]) {
    const look = (): void => {
      for (const pid of pids) this.peak = Math.max(this.peak, usageOf(pid)?.residentBytes ?? 0);
    };
    look();
    this.#timer = setInterval(look, 200);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
