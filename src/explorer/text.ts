import { fromHex, fromUtf8 } from '../base/bytes.ts';
import { harmless } from '../base/harmless.ts';
import type { ConditionAnswer, OperationAnswer, ReceiptAnswer } from '../client/answers.ts';
import { nameOf } from './names.ts';
import { failureRemedy } from '../ledger/failure-remedies.ts';
import { failureText, grouped, moment, shortened, valueText } from '../client/plain-words.ts';

export function shortHash(hash: string): string {
  return `${hash.slice(0, 10)}…${hash.slice(-4)}`;
}

/** Of a value in a list; its own page shows all of it. */
const listedCharacters = 120;

/** The beginning of a value, for a list. */
export function valueInList(hex: string): string {
  const lines = hex === '' ? undefined : linesIn(hex);
  return shortened(lines?.join(' ↵ ') ?? valueText(fromHex(hex)).text, listedCharacters);
}

/** A text of lines as it is; undefined for what is none, or would look like another one. */
export function linesIn(hex: string): readonly string[] | undefined {
  const lines = fromUtf8(fromHex(hex))?.split('\n');
  const isShown = (line: string): boolean =>
    harmless(line.replaceAll('\t', '')) === line.replaceAll('\t', '');
  return lines?.every(isShown) === true ? lines : undefined;
}

/** What an operation is about, also for kinds that this version does not know. */
export function operationText(operation: OperationAnswer): string {
  if ('key' in operation) return harmless(`${operation.type} ${operation.key}`);
  if ('name' in operation) return harmless(`${operation.type} ${operation.name}`);
  if ('amount' in operation) {
    const to = 'to' in operation ? ` to ${nameOf(operation.to) ?? shortHash(operation.to)}` : '';
    return harmless(`${operation.type} ${grouped(operation.amount)}${to}`);
  }
  return harmless(operation.type);
}

/** What must hold, in words. */
export function conditionText(condition: ConditionAnswer): string {
  switch (condition.type) {
    case 'record-absent':
      return harmless(`there is no record ${condition.key}`);
    case 'record-exists':
      return harmless(`there is a record ${condition.key}`);
    case 'record-version':
      return harmless(`the record ${condition.key} is in version ${grouped(condition.version)}`);
    case 'record-hash':
      return harmless(`the value of the record ${condition.key} has SHA-256 ${condition.hash}`);
    case 'balance-at-least':
      return harmless(`${condition.account} has ${grouped(condition.amount)} at least`);
    case 'height-at-most':
      return `its block is at height ${grouped(condition.height)} at most`;
    case 'time-at-most':
      return `its block is of ${moment(condition.time)} at most`;
    default:
      // A newer node may know more.
      return harmless(JSON.stringify(condition));
  }
}

/** What to do about one that failed. */
export function remedyText({ code }: ReceiptAnswer): string | undefined {
  return code === null ? undefined : failureRemedy(code);
}

export function becameText(receipt: ReceiptAnswer): string {
  return receipt.status === 'applied' ? 'applied' : `failed: ${failureText(receipt)}`;
}
