import { render } from 'preact';
import { config } from 'zod/mini';
import { followChain } from './feed.ts';
import { Shell } from './shell.tsx';
import { loadTrust } from './trust.ts';

// The content security policy allows no code made at run time, and the library would try.
config({ jitless: true });

const root = document.getElementById('app');
if (root !== null) {
  render(<Shell />, root);
  void loadTrust();
  void followChain();
}
