import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { unwrap } from '../base/problem.ts';
import type { ReservationAnswer } from '../client/answers.ts';
import { grouped } from '../client/plain-words.ts';
import { reservationText } from '../ledger/reservation-id.ts';
import { reservationItemJson } from '../ledger/state-json.ts';
import { reservationReading } from '../ledger/state-reading.ts';
import { keysOption } from './key-directory.ts';
import { connect, consistencyOption, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { proofOption } from './proof-file.ts';
import { chainIn, provenItem, provenOption, told, trustedChain } from './proven-state.ts';
import { answer, facts } from './terminal.ts';
import { reservationArgument, reservationNamed } from './tx-reserve.ts';

export function reservationCommand(): CommandUnknownOpts {
  return new Command('reservation')
    .description('show what is held for somebody, or what became of it')
    .argument(...reservationArgument)
    .addOption(consistencyOption)
    .addOption(provenOption)
    .addOption(proofOption)
    .addOption(keysOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText('after', '\nOne that does not exist, or ended long ago, gives exit code 5.')
    .action(async (name, options) => {
      const { consistency, proof: file } = options;
      const genesis = await trustedChain(options);
      const client = connect(options);
      const context = { directory: options.keys, client: genesis === undefined ? client : chainIn(genesis) };
      const id = await reservationNamed(name, context);
      const text = reservationText(id);
      const { item: found, rows } =
        genesis === undefined
          ? told(unwrap(await client.reservation(text, { consistency })))
          : await provenItem(client, genesis, reservationReading, {
              name: id,
              ask: client.reservationProof(text),
              keep: { file, proves: 'reservation', name: text },
              none: 'api/no-such-reservation',
              itemOf: (value) => reservationItemJson(id, value),
            });
      answer(options.json, found, () => facts([...reservationRows(found), ...rows]));
    });
}

/** What is shown of a reservation. */
export function reservationRows(
  found: ReturnType<typeof reservationItemJson>,
): (readonly [string, string])[] {
  return [
    ['reservation', found.reservation],
    ['for', found.recipient],
    ['amount', grouped(found.amount)],
    ['until', `height ${grouped(found.expiryHeight)}`],
    ['made', `at height ${grouped(found.made.height)}`],
    ['status', statusText(found)],
  ];
}

type Ended = Pick<ReservationAnswer, 'status' | 'taken' | 'settled' | 'expiryHeight'>;

function statusText({ status, taken, settled, expiryHeight }: Ended): string {
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
