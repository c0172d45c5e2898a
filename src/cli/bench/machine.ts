import { cpus, totalmem } from 'node:os';
import { Problem } from '../../base/problem.ts';
import { native } from '../../crypto/native.ts';
import { openNativeVerify } from '../../crypto/native-verify.ts';
import { pairHashName } from '../../crypto/pair-hash.ts';
import { softwareVersion } from '../../node/process/version.ts';

/** What a figure depends on besides the program. */
export function machineFacts() {
  const [first] = cpus();
  const addon = openNativeVerify();
  return {
    software: softwareVersion,
    node: process.version,
    processor: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    hasher: pairHashName(),
    /** What checks them in the nodes that are started here. */
    signatures: addon === undefined || addon instanceof Problem ? native.name : addon.name,
  };
}

export type MachineFacts = ReturnType<typeof machineFacts>;

export function machineText({ processor, cores, memoryGiB }: MachineFacts): string {
  return `${processor}, ${cores} cores, ${memoryGiB} GiB`;
}
