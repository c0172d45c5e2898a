import { limits } from '../base/limits.ts';
import { unwrap } from '../base/problem.ts';
import { type Genesis, parseGenesis } from '../ledger/genesis.ts';
import { readTextFile } from './text-file.ts';

/** What --genesis names: the file that proofs are checked against. Throws problems. */
export async function readGenesis(file: string): Promise<Genesis> {
  return unwrap(parseGenesis(await readGenesisText(file, 'Check --genesis.')));
}

export function readGenesisText(file: string, remedy: string): Promise<string> {
  return readTextFile(file, { what: 'the genesis file', remedy, maxBytes: limits.maxGenesisBytes });
}
