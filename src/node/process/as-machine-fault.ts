import { machineFault } from '../../base/machine-fault.ts';

/** Does it, and throws a fault of the machine as the problem that it is. */
export async function asMachineFault<T>(path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw machineFault(error, path) ?? error;
  }
}
