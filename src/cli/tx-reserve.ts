import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { limits } from '../base/limits.ts';
import { unwrap } from '../base/problem.ts';
import { parseReservation, type ReservationId, reservationText } from '../ledger/reservation-id.ts';
import { accountNamed, accountWords, type NameContext } from './names.ts';
import { parseAmount } from './options.ts';
import { heightOf, parseExpiry } from './transaction-terms.ts';
import { memoOption, send } from './tx-send.ts';
import { withTerms } from './tx-terms.ts';

export const reservationArgument = [
  '<reservation>',
  'ACCOUNT:NONCE:OPERATION, as reserving it printed: who reserved, the nonce of that transaction, the operation’s index',
] as const;

const untilOption = new Option(
  '--until <height>',
  `the last height at which it can be posted; +N is N above the final block (at most +${limits.maxReservationAhead})`,
)
  .argParser(parseExpiry)
  .makeOptionMandatory();

export function reserveCommand(): CommandUnknownOpts {
  return withTerms(new Command('reserve'))
    .description(
      'set coins aside for somebody, who can take them until a height; nobody can take them back before',
    )
    .argument('<to>', accountWords)
    .argument('<amount>', 'in the smallest unit; 1_000 is 1000', parseAmount)
    .addOption(untilOption)
    .addOption(memoOption)
    .action((to, amount, options) =>
      send(options, async (client, status) => ({
        type: 'reserve',
        to: await accountNamed(to, { directory: options.keys, client }),
        amount,
        expiryHeight: heightOf(options.until, status.finalHeight),
        memo: options.memo,
      })),
    );
}

export function postCommand(): CommandUnknownOpts {
  return withTerms(new Command('post'))
    .description('take what was reserved for you, or a part; the rest goes back to whoever reserved it')
    .argument(...reservationArgument)
    .argument('[amount]', 'in the smallest unit; all that was reserved unless given', parseAmount)
    .action((text, amount, options) =>
      send(options, async (client) => {
        const reservation = await reservationNamed(text, { directory: options.keys, client });
        if (amount !== undefined) return { type: 'post', reservation, amount };
        const found = unwrap(await client.reservation(reservationText(reservation)));
        return { type: 'post', reservation, amount: BigInt(found.amount) };
      }),
    );
}

export function voidCommand(): CommandUnknownOpts {
  return withTerms(new Command('void'))
    .description('let go of what was reserved for you: it goes back to whoever reserved it')
    .argument(...reservationArgument)
    .action((text, options) =>
      send(options, async (client) => ({
        type: 'void',
        reservation: await reservationNamed(text, { directory: options.keys, client }),
      })),
    );
}

/** A reservation as people name it: its account by an address, a stored key, or a development name. */
export async function reservationNamed(text: string, context: NameContext): Promise<ReservationId> {
  const [name = '', ...place] = text.split(':');
  // What is wrong with the rest is said first.
  const known = /^(?:qr1|[0-9a-f]{64}$)/i.test(name) || place.length !== 2;
  const account = known ? name : await accountNamed(name, context);
  return unwrap(parseReservation([account, ...place].join(':')));
}
