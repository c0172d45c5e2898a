import { Problem } from '../base/problem.ts';
import { parseNodeAddress } from '../client/node-address.ts';

/** The address of a node's API; `option` named it. Without a scheme it is http. */
export function parseUrl(text: string, option = '--node'): string {
  const address = parseNodeAddress(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  // Not as commander would say it: it repeats what was given, and a password may stand in it.
  if (address instanceof Problem) {
    throw new Problem('cli/usage', `${option}: ${address.message}`, { remedy: address.remedy });
  }
  return address;
}
