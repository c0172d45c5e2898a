import { readFileSync } from 'node:fs';
import { unwrap } from '../../src/base/problem.ts';
import { parseGenesis } from '../../src/ledger/genesis.ts';
import { attacks, isAttackName } from './attacks.ts';
import { Scene } from './scene.ts';

/**
 * The attacker, a process of its own so that what it costs is not taken for what it does. Its orders come as its argument (see
 * `hostile-attacker.ts`); it attacks until its parent says so or goes, and then tells what it did.
 */
const tellMs = 200;
const [orders = ''] = process.argv.slice(2);
const { attack, nodes, genesisFile, block } = JSON.parse(orders) as {
  readonly attack: string;
  readonly nodes: readonly { readonly peers: number; readonly api: number }[];
  readonly genesisFile: string;
  readonly block: number;
};
if (!isAttackName(attack)) throw new Error(`there is no attack "${attack}"`);
const genesis = unwrap(parseGenesis(readFileSync(genesisFile, 'utf8')));
const end = new AbortController();
const scene = new Scene({ nodes, genesis, block }, end.signal);
process.once('disconnect', () => process.exit(0));
// What is under way is left as it is: the end of the process ends it.
process.once('message', () => process.send?.({ deeds: scene.deeds, over: true }, () => process.exit(0)));
process.send?.({ deeds: scene.deeds });
setInterval(() => process.send?.({ deeds: scene.deeds }), tellMs);
await attacks[attack].run(scene);
