import { Problem } from '../../src/base/problem.ts';
import { openLevelStore } from '../../src/storage/level-store.ts';

/** Another process: opens the store that it is told, says how that went, and ends; or holds it until it is killed. */
const [, , directory = '', hold] = process.argv;
try {
  const store = await openLevelStore(directory);
  await new Promise<void>((resolve) => {
    store.write([{ type: 'put', key: Uint8Array.of(1), value: Uint8Array.of(7) }], () => resolve());
  });
  process.send?.('open');
  if (hold === 'hold') setInterval(() => undefined, 1_000);
  else process.disconnect();
} catch (failure) {
  process.send?.(failure instanceof Problem ? failure.code : String(failure), () => process.disconnect());
}
