import type { Command } from '@commander-js/extra-typings';
import { keysOption, passwordFileOption } from './key-directory.ts';
import { jsonOption, nodeOption, timeoutOption } from './options.ts';
import {
  chainIdOption,
  expiryOption,
  feeOption,
  fromOption,
  nonceOption,
  waitOption,
} from './transaction-terms.ts';
import { conditionOption, cosignOption, referenceOption, senderOption } from './tx-send.ts';

/** Who signs, where, and on which terms. */
export function withSigner(command: Command) {
  return command
    .addOption(fromOption)
    .addOption(senderOption)
    .addOption(cosignOption)
    .addOption(feeOption)
    .addOption(nonceOption)
    .addOption(expiryOption)
    .addOption(chainIdOption)
    .addOption(keysOption)
    .addOption(passwordFileOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption);
}

/** The options that every command has which signs one transaction. */
export function withTerms(command: Command) {
  return withSigner(command)
    .addOption(conditionOption)
    .addOption(referenceOption)
    .addOption(waitOption)
    .addHelpText(
      'after',
      '\nWhat starts with - and is no option stands behind --, after all options: quorate tx put KEY --from ME -- -5',
    );
}
