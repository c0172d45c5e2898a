import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { unwrap } from '../base/problem.ts';
import type { ReservationAnswer } from '../client/answers.ts';
import type { HttpClient } from '../client/http-client.ts';
import { grouped } from '../client/plain-words.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { type ReservationId, reservationText } from '../ledger/reservation-id.ts';
import { reservationItemJson } from '../ledger/state-json.ts';
import { reservationReading } from '../ledger/state-reading.ts';
import { keysOption } from './key-directory.ts';
import { connect, consistencyOption, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { chainIn, placeJson, placeRows, proven, provenAbsent, provenOption } from './proven-state.ts';
import { answer, facts } from './terminal.ts';
import { readGenesis } from './trusted-genesis.ts';
import { reservationArgument, reservationNamed } from './tx-reserve.ts';

export function reservationCommand(): CommandUnknownOpts {
  return new Command('reservation')
    .description('show what is held for somebody, or what became of it')
    .argument(...reservationArgument)
    .addOption(consistencyOption)
    .addOption(provenOption)
    .addOption(keysOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText('after', '\nOne that does not exist, or ended long ago, gives exit code 5.')
    .action(async (name, options) => {
      const { consistency } = options;
      const client = connect(options);
      const genesis = options.genesis === undefined ? undefined : await readGenesis(options.genesis);
      const context = { directory: options.keys, client: genesis === undefined ? client : chainIn(genesis) };
      const id = await reservationNamed(name, context);
      const { found, rows } =
        genesis === undefined
          ? toldOf(unwrap(await client.reservation(reservationText(id), { consistency })))
          : await provenOf(client, genesis, id);
      answer(options.json, found, () =>
        facts([
          ['reservation', found.reservation],
          ['for', found.recipient],
          ['amount', grouped(found.amount)],
          ['until', `height ${grouped(found.expiryHeight)}`],
          ['made', `at height ${grouped(found.made.height)}`],
          ['status', statusText(found)],
          ...rows,
        ]),
      );
    });
}

type Item = ReturnType<typeof reservationItemJson>;

/** A reservation, and what is said of the state that it stands in. */
interface ReadReservation {
  readonly found: Item;
  readonly rows: readonly (readonly [string, string])[];
}

function toldOf(found: ReservationAnswer): ReadReservation {
  return { found, rows: [['read at', `height ${grouped(found.height)}, ${found.consistency}`]] };
}

async function provenOf(client: HttpClient, genesis: Genesis, id: ReservationId): Promise<ReadReservation> {
  const ask = client.reservationProof(reservationText(id));
  const verified = await proven(client, genesis, reservationReading, { name: id, ask });
  const { value } = verified;
  if (value === undefined) {
    throw provenAbsent('api/no-such-reservation', reservationReading.lacks(id), verified);
  }
  const found = { ...reservationItemJson(id, value), ...placeJson(genesis, verified) };
  return { found, rows: placeRows(verified) };
}

function statusText({ status, taken, settled, expiryHeight }: Item): string {
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
