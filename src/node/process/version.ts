import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};

/** Name and version of this software, for the log, peers and the API. */
export const softwareVersion = `${manifest.name}/${manifest.version}`;
