import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { unwrap } from '../base/problem.ts';
import type { ReservationAnswer } from '../client/answers.ts';
import { grouped } from '../client/plain-words.ts';
import { reservationText } from '../ledger/reservation-id.ts';
import { keysOption } from './key-directory.ts';
import { connect, consistencyOption, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { answer, facts } from './terminal.ts';
import { reservationArgument, reservationNamed } from './tx-reserve.ts';

export function reservationCommand(): CommandUnknownOpts {
  return new Command('reservation')
    .description('show what is held for somebody, or what became of it')
    .argument(...reservationArgument)
    .addOption(consistencyOption)
    .addOption(keysOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText('after', '\nOne that does not exist, or ended long ago, gives exit code 5.')
    .action(async (name, options) => {
      const { consistency } = options;
      const client = connect(options);
      const text = reservationText(await reservationNamed(name, { directory: options.keys, client }));
      const found = unwrap(await client.reservation(text, { consistency }));
      answer(options.json, found, () =>
        facts([
          ['reservation', found.reservation],
          ['for', found.recipient],
          ['amount', grouped(found.amount)],
          ['until', `height ${grouped(found.expiryHeight)}`],
          ['made', `at height ${grouped(found.made.height)}`],
          ['status', statusText(found)],
          ['read at', `height ${grouped(found.height)}, ${found.consistency}`],
        ]),
      );
    });
}

function statusText({ status, taken, settled, expiryHeight }: ReservationAnswer): string {
  const where = settled === null ? '' : ` at height ${grouped(settled.height)}`;
  switch (status) {
    case 'held':
      return 'held';
    case 'posted':
      return `posted${where}: ${grouped(taken)} taken`;
    case 'voided':
      return `voided${where}`;
    case 'expired':
      return `expired: released at height ${grouped(expiryHeight + 1)}`;
  }
}
