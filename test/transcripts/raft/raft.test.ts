import { playTranscripts } from '../runner.ts';
import { RaftWorld } from './raft-world.ts';

playTranscripts(new URL('.', import.meta.url), () => {
  const world = new RaftWorld();
  return (words) => world.command(words);
});
