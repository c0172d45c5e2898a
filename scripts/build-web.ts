import { buildExplorer } from '../src/cli/build-explorer.ts';

// Builds the explorer that every node serves; `npm run testnet` does it by itself.
const done = await buildExplorer();
console.log(done === 'built' ? 'The explorer is built: dist/explorer' : 'The explorer is built already.');
