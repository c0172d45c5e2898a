import type { Problem } from '../../src/base/problem.ts';
import { openLevelStore } from '../../src/storage/level-store.ts';

/** Another process: writes until the disk takes no more, tries twice again, and prints how that went. */
const store = await openLevelStore(process.argv[2] ?? '');
const attempt = (index: number): Promise<Problem | undefined> =>
  new Promise((resolve) => {
    store.write(
      [{ type: 'put', key: Uint8Array.of(1, index), value: new Uint8Array(60_000).fill(index) }],
      resolve,
    );
  });

let acknowledged = 0;
let problem = await attempt(0);
while (problem === undefined && acknowledged < 200) {
  acknowledged += 1;
  problem = await attempt(acknowledged);
}
const later = await Promise.all([attempt(201), attempt(202)]);
process.stdout.write(
  JSON.stringify({ acknowledged, code: problem?.code, later: later.map((one) => one?.code) }),
);
process.exit();
