import { unwrap } from '../base/problem.ts';
import { type Genesis, parseGenesis } from '../ledger/genesis.ts';
import { readTextFile } from './text-file.ts';

/** What --genesis names: the file that proofs are checked against. Throws problems. */
export function readGenesis(file: string): Genesis {
  return unwrap(parseGenesis(readTextFile(file, 'the genesis file', 'Check --genesis.')));
}
