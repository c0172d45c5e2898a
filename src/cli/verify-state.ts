import { harmless } from '../base/harmless.ts';
import { unwrap } from '../base/problem.ts';
import { type VerifiedProof, verifyKeptProof } from '../client/kept-proof.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { reservationText } from '../ledger/reservation-id.ts';
import {
  accountItemJson,
  namespaceItemJson,
  recordItemJson,
  reservationItemJson,
} from '../ledger/state-json.ts';
import { namespaceReading, recordReading, reservationReading } from '../ledger/state-reading.ts';
import { accountRows } from './account.ts';
import { recordRows } from './get.ts';
import { historyJson, historyText } from './history.ts';
import { recordTable } from './list.ts';
import { namespaceRows } from './namespace.ts';
import { placeJson, placeRows } from './proven-state.ts';
import { reservationRows } from './reservation.ts';
import { answer, facts } from './terminal.ts';

/** What a command wrote with `--proof` that reads the state. */
export function isAboutState(proof: unknown): boolean {
  return typeof proof === 'object' && proof !== null && 'proves' in proof;
}

/** Says what it proves, as the command did that wrote the file. Throws problems. */
export async function showState(proof: unknown, genesis: Genesis, json: true | undefined): Promise<void> {
  const verified = unwrap(await verifyKeptProof(proof, { genesis }));
  const { proves } = verified;
  const { name, found, rows = [], text } = shownOf(verified);
  answer(json, { proves, name, found, ...placeJson(genesis, verified) }, () => {
    const said = facts([...rows, ...placeRows(verified)]);
    return text === undefined ? said : `${text}\n\n${said}`;
  });
}

interface Shown {
  readonly name: string;
  /** Null where it is proven that there was none. */
  readonly found: object | null;
  /** For people; `text` where it is no list of facts. */
  readonly rows?: readonly (readonly [string, string])[];
  readonly text?: string;
}

function shownOf(verified: VerifiedProof): Shown {
  switch (verified.proves) {
    case 'account': {
      const account = accountItemJson(verified.name, verified.value);
      return { name: account.address, found: account, rows: accountRows(account) };
    }
    case 'record': {
      const { name, value } = verified;
      if (value === undefined) return none(name, recordReading.lacks(name));
      const record = recordItemJson(name, value);
      return { name, found: record, rows: recordRows(record) };
    }
    case 'reservation': {
      const { name: id, value } = verified;
      const name = reservationText(id);
      if (value === undefined) return none(name, reservationReading.lacks(id));
      const reservation = reservationItemJson(id, value);
      return { name, found: reservation, rows: reservationRows(reservation) };
    }
    case 'namespace': {
      const { name, value } = verified;
      if (value === undefined) return none(name, namespaceReading.lacks(name));
      const namespace = namespaceItemJson(name, value);
      return { name, found: namespace, rows: namespaceRows(namespace) };
    }
    case 'records': {
      const { name, value } = verified;
      const records = value.map(({ key, ...record }) => recordItemJson(key, record));
      return { name, found: { records }, text: recordTable(records) };
    }
    case 'history': {
      const { name, value } = verified;
      const history = historyJson(name, value);
      return { name, found: history, text: `${historyText(history)}.` };
    }
  }
}

function none(name: string, lacks: string): Shown {
  return { name, found: null, text: `At that block ${harmless(lacks)}.` };
}
