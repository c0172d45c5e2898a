import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unwrap } from '../../base/problem.ts';
import { developmentKeyPair } from '../../crypto/development-keys.ts';
import { type EngineName } from '../../ledger/engine-names.ts';
import { createGenesis, type Genesis, parseGenesis } from '../../ledger/genesis.ts';

/** There are well-known keys for this many validators. */
export const maxDevelopmentValidators = 16;

const genesisDirectory = join(import.meta.dirname, '../../../genesis');

/**
 * The genesis of a test network: that of `genesis/testnet-ENGINE.json`, with as many validators as asked for.
 */
export function developmentGenesis(engine: EngineName, nodes?: number): Genesis {
  const file = join(genesisDirectory, `testnet-${engine}.json`);
  const template = unwrap(parseGenesis(readFileSync(file, 'utf8')));
  if (nodes === undefined || template.validators.length === nodes) return template;
  const validators = Array.from({ length: nodes }, (_, index) => {
    const name = `validator-${index}`;
    return { name, publicKey: developmentKeyPair(name).publicKey };
  });
  return unwrap(createGenesis({ ...template, name: `${template.name}-${nodes}`, validators }));
}
