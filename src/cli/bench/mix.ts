import { InvalidArgumentError } from '@commander-js/extra-typings';

/** What an operation of the load may be; `update` writes a record of its own again. */
const operationKinds = ['transfer', 'put', 'update', 'delete'] as const;
type OperationKind = (typeof operationKinds)[number];

/** One entry for each share of a kind: `transfer:7,put:3` has ten. */
export type Mix = readonly OperationKind[];

const largestShare = 100;

/** `transfer`, or kinds with their shares: `transfer:7,put:2,delete:1`. */
export function parseMix(text: string): Mix {
  const shares: OperationKind[] = [];
  const named = new Set<OperationKind>();
  for (const part of text.split(',')) {
    const [, name = '', share = '1'] = /^\s*([a-z]+)(?::(\d{1,3}))?\s*$/.exec(part) ?? [];
    const kind = operationKinds.find((one) => one === name);
    const times = Number(share);
    if (kind === undefined || named.has(kind) || times < 1 || times > largestShare) {
      throw new InvalidArgumentError(
        `Write kinds of operations, each once, with shares from 1 to ${largestShare}, as transfer:7,put:2,delete:1. ` +
          `There are: ${operationKinds.join(', ')}.`,
      );
    }
    named.add(kind);
    for (let one = 0; one < times; one++) shares.push(kind);
  }
  return shares;
}
