import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * The directory that an option names, from where npm was called: npm itself runs scripts from the program's
 * directory. Undefined without the option; ends the process with exit code 2 where the command line is wrong.
 */
export function directoryOption(name: string, usage: string): string | undefined {
  try {
    const asked = parseArgs({ options: { [name]: { type: 'string' } } }).values[name];
    if (asked === undefined) return undefined;
    if (asked !== '') return resolve(process.env['INIT_CWD'] ?? '.', asked);
    console.error(`The directory has no name.\n${usage}`);
  } catch (problem) {
    console.error(`${(problem as Error).message}\n${usage}`);
  }
  return process.exit(2);
}
