/** The sessions of a page: what was typed on one chain, and what was printed. */

/** A line of the page that something is done for. */
export type Step =
  | ShownStep
  /** One that the page does not show; in the background, or again and again until it succeeds. */
  | { readonly type: 'hidden' | 'background' | 'until'; readonly command: string }
  | { readonly type: 'file'; readonly name: string; readonly text: string };

/** A command that is shown with what it printed. */
export interface ShownStep {
  readonly type: 'shown';
  readonly command: string;
  /** Where in the page the output stands: from this line on, and before that one. */
  readonly from: number;
  readonly to: number;
}

export interface Session {
  readonly title: string;
  /** Arguments of `testnet`. */
  readonly testnet: string;
  /** Others write meanwhile, or keys are new: heights, hashes and addresses are others in each run. */
  readonly loose: boolean;
  readonly steps: readonly Step[];
}

const fence = '```';
const directive = /^<!-- (?<word>testnet|file|run|background|until) ?(?<rest>.*) -->$/;

/**
 * Sessions begin with a comment that names the arguments of `testnet`, and end where the next one begins. In
 * code blocks of a session commands stand behind `$ `; comments before a block say what the page does not.
 */
export function sessionsOf(page: string): Session[] {
  const lines = page.split('\n');
  const sessions: (Session & { steps: Step[] })[] = [];
  let title = '';
  let file: string | undefined;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    if (line.startsWith('#')) title = line.replace(/^#+ /, '');
    const { word, rest = '' } = directive.exec(line)?.groups ?? {};
    const steps = sessions.at(-1)?.steps ?? [];
    if (word === 'testnet') {
      const [testnet = '', flag] = rest.split(', ');
      sessions.push({ title, testnet, loose: flag === 'loose', steps: [] });
    }
    if (word === 'file') file = rest;
    else if (word === 'run') steps.push({ type: 'hidden', command: rest });
    else if (word === 'background' || word === 'until') steps.push({ type: word, command: rest });
    if (!line.startsWith(fence)) continue;
    const end = lines.indexOf(fence, at + 1);
    if (file === undefined) steps.push(...shownIn(lines, at + 1, end));
    else steps.push({ type: 'file', name: file, text: `${lines.slice(at + 1, end).join('\n')}\n` });
    file = undefined;
    at = end;
  }
  return sessions;
}

/** The commands of a block. Lines that end with a backslash go on in the next one. */
function shownIn(lines: readonly string[], from: number, end: number): Step[] {
  const steps: Step[] = [];
  for (let at = from; at < end;) {
    let command = '';
    if (!(lines[at] as string).startsWith('$ ')) return steps;
    for (let more = true; more; at++) {
      const line = lines[at] as string;
      more = line.endsWith('\\');
      command += more ? `${line}\n` : line;
    }
    const output = at;
    while (at < end && !(lines[at] as string).startsWith('$ ')) at++;
    steps.push({ type: 'shown', command: command.slice(2), from: output, to: at });
  }
  return steps;
}

const hashes = /[0-9a-f]{12,}/g;

/** What was printed, without what differs from run to run although nothing else does. */
export function comparable(output: string, { loose }: Pick<Session, 'loose'>): string {
  const timeless = output.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, 'TIME');
  if (!loose) return timeless;
  return timeless
    .replaceAll(hashes, 'HASH')
    .replaceAll(/qr1[0-9a-z]{58}/g, 'ADDRESS')
    .replaceAll(/height \d+|view \d+/g, 'height N')
    .replaceAll(/ +/g, ' ');
}

/** Hashes of a loose run, by those that stand in the page: commands name what was printed before. */
export class Hashes {
  readonly #now = new Map<string, string>();

  note(expected: string, output: string): void {
    const [before, now] = [expected.match(hashes) ?? [], output.match(hashes) ?? []];
    for (const [at, hash] of before.entries()) this.#now.set(hash, now[at] ?? hash);
  }

  /** The command as it has to be typed in this run. */
  in(command: string): string {
    return command.replaceAll(hashes, (part) => {
      const known = [...this.#now].find(([before]) => before.startsWith(part));
      return known === undefined ? part : known[1].slice(0, part.length);
    });
  }
}

/** The page with what was printed now in the place of what stands there. */
export function withOutputs(page: string, outputs: ReadonlyMap<ShownStep, string>): string {
  const lines = page.split('\n');
  const later = [...outputs].toSorted(([a], [b]) => b.from - a.from);
  for (const [{ from, to }, output] of later) {
    lines.splice(from, to - from, ...(output === '' ? [] : output.split('\n')));
  }
  return lines.join('\n');
}
