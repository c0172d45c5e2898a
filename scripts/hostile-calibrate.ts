import { prepare } from './demo-prepare.ts';
import { feed } from './demo-feed.ts';
import { Arena } from './hostile-arena.ts';

/** So many that their rate is that of a long run, and few enough for some seconds. */
const count = 6_000;
const senderCount = 16;

/** What four nodes on this machine make final in a second when their clients never pause, in transactions. */
export async function calibrate(deadlineMs: number): Promise<number> {
  const arena = await Arena.open({ name: 'hostile-calibrate', deadlineMs, keep: false });
  try {
    const { clients } = arena.running;
    const { senders } = await prepare({ clients, count, senders: senderCount, deadlineMs });
    const begin = performance.now();
    const problem = await feed({ clients, senders, deadlineMs, onProgress: () => {} });
    if (problem !== undefined) throw problem;
    return (count * 1_000) / (performance.now() - begin);
  } finally {
    await arena.close();
  }
}
