import { utf8 } from '../base/bytes.ts';
import { Problem } from '../base/problem.ts';
import { type Height, toHeight } from '../ledger/block.ts';
import type { ChainChange } from '../ledger/chain-change.ts';
import type { Condition } from '../ledger/condition.ts';
import type { Operation } from '../ledger/operation.ts';
import {
  account,
  accounts,
  coins,
  fieldsOf,
  hash,
  hex,
  list,
  modeOf,
  object,
  reservation,
  text,
  unless,
  whole,
  Wrong,
} from './json-fields.ts';
import type { Content } from './wallet.ts';

/**
 * What a transaction is to do, from JSON in the form in which the API shows operations and conditions: an
 * object with `operations`, and perhaps `conditions` and `reference` (hex). A record's value may be given as
 * `text` instead of `value` (hex), a memo left out, and keys in any order. The problem `transaction/content`
 * names the field that is wrong. Lengths and amounts are judged when it is signed.
 */
export function contentFromJson(json: unknown): Content | Problem {
  return read(() => {
    const fields = object(json, 'the content', ['operations', 'conditions', 'reference']);
    const operations = list(fields['operations'], 'operations').map((one, index) =>
      operationFrom(one, `operations[${index}]`),
    );
    if (operations.length === 0) throw new Wrong('operations is empty');
    const conditions = list(fields['conditions'] ?? [], 'conditions').map((one, index) =>
      conditionFrom(one, `conditions[${index}]`),
    );
    return { operations, conditions, reference: hex(fields['reference'] ?? '', 'reference') };
  });
}

/** One operation of such a content. */
export function operationFromJson(json: unknown): Operation | Problem {
  return read(() => operationFrom(json, 'operation'));
}

/** One condition of such a content. */
export function conditionFromJson(json: unknown): Condition | Problem {
  return read(() => conditionFrom(json, 'condition'));
}

function read<T>(from: () => T): T | Problem {
  try {
    return from();
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return new Problem('transaction/content', `the content of the transaction: ${error.message}`, {
      remedy:
        'Write it as {"operations": [{"type": "put", "key": "a", "text": "b"}], "conditions": [{"type": "record-absent", "key": "a"}]}; the API description lists every type.',
    });
  }
}

function operationFrom(json: unknown, at: string): Operation {
  const { type } = fieldsOf(json, at);
  switch (type) {
    case 'transfer': {
      const { to, amount, memo } = object(json, at, ['type', 'to', 'amount', 'memo']);
      return {
        type,
        to: account(to, `${at}.to`),
        amount: coins(amount, `${at}.amount`),
        memo: text(memo ?? '', `${at}.memo`),
      };
    }
    case 'put': {
      const { key, value, text: words } = object(json, at, ['type', 'key', 'value', 'text']);
      if ((value === undefined) === (words === undefined)) {
        throw new Wrong(`${at} needs either "value" (hex) or "text"`);
      }
      const bytes = value === undefined ? utf8(text(words, `${at}.text`)) : hex(value, `${at}.value`);
      return { type, key: text(key, `${at}.key`), value: bytes };
    }
    case 'delete': {
      const { key } = object(json, at, ['type', 'key']);
      return { type, key: text(key, `${at}.key`) };
    }
    case 'give': {
      const { key, to } = object(json, at, ['type', 'key', 'to']);
      return { type, key: text(key, `${at}.key`), to: account(to, `${at}.to`) };
    }
    case 'reserve':
    case 'post':
    case 'void':
      return reservationOperation(type, json, at);
    case 'open-namespace':
    case 'set-namespace':
      return namespaceOperation(type, json, at);
    case 'set-keys': {
      const { keys, threshold, force } = object(json, at, ['type', 'keys', 'threshold', 'force']);
      if (force !== undefined && typeof force !== 'boolean') throw new Wrong(`${at}.force is no boolean`);
      return {
        type,
        keys: accounts(keys, `${at}.keys`),
        threshold: whole(threshold, `${at}.threshold`),
        force: force ?? false,
      };
    }
    case 'propose-change':
      return proposalFrom(json, at);
    case 'approve-change': {
      const { proposal } = object(json, at, ['type', 'proposal']);
      return { type, proposal: hash(proposal, `${at}.proposal`) };
    }
    default:
      throw new Wrong(`${at}.type ${JSON.stringify(type)} is no operation`);
  }
}

function reservationOperation(type: 'reserve' | 'post' | 'void', json: unknown, at: string): Operation {
  switch (type) {
    case 'reserve': {
      const fields = object(json, at, ['type', 'to', 'amount', 'expiryHeight', 'memo']);
      return {
        type,
        to: account(fields['to'], `${at}.to`),
        amount: coins(fields['amount'], `${at}.amount`),
        expiryHeight: toHeight(whole(fields['expiryHeight'], `${at}.expiryHeight`)),
        memo: text(fields['memo'] ?? '', `${at}.memo`),
      };
    }
    case 'post': {
      const fields = object(json, at, ['type', 'reservation', 'amount']);
      return {
        type,
        reservation: reservation(fields['reservation'], `${at}.reservation`),
        amount: coins(fields['amount'], `${at}.amount`),
      };
    }
    case 'void': {
      const fields = object(json, at, ['type', 'reservation']);
      return { type, reservation: reservation(fields['reservation'], `${at}.reservation`) };
    }
  }
}

function proposalFrom(json: unknown, at: string): Operation {
  const names = ['type', 'change', 'expiryHeight', 'validatorsHash', 'members', 'replaces'];
  const fields = object(json, at, names);
  const { members, replaces } = fields;
  if (replaces !== undefined && typeof replaces !== 'boolean')
    throw new Wrong(`${at}.replaces is no boolean`);
  return {
    type: 'propose-change',
    change: changeFrom(fields['change'], `${at}.change`),
    expiryHeight: toHeight(whole(fields['expiryHeight'], `${at}.expiryHeight`)),
    validatorsHash: hash(fields['validatorsHash'], `${at}.validatorsHash`),
    members: hex(members ?? '', `${at}.members`),
    replaces: replaces ?? false,
  };
}

function changeFrom(json: unknown, at: string): ChainChange {
  const { type } = fieldsOf(json, at);
  const from = (height: unknown): Height | undefined =>
    height === undefined ? undefined : toHeight(whole(height, `${at}.height`));
  switch (type) {
    case 'validators': {
      const { validators } = object(json, at, ['type', 'validators']);
      return {
        type,
        validators: list(validators, `${at}.validators`).map((key, index) =>
          account(key, `${at}.validators[${index}]`),
        ),
      };
    }
    case 'protocol-version': {
      const { version, height } = object(json, at, ['type', 'version', 'height']);
      return {
        type,
        version: whole(version, `${at}.version`),
        height: toHeight(whole(height, `${at}.height`)),
      };
    }
    case 'fee-floor': {
      const { feePerOperation, height } = object(json, at, ['type', 'feePerOperation', 'height']);
      return {
        type,
        feePerOperation: coins(feePerOperation, `${at}.feePerOperation`),
        height: from(height),
      };
    }
    case 'limits': {
      const { limits: most, height } = object(json, at, ['type', 'limits', 'height']);
      const names = ['maxTransactions', 'maxOperations', 'maxBytes'] as const;
      const fields = object(most, `${at}.limits`, names);
      const [maxTransactions, maxOperations, maxBytes] = names.map((name) =>
        whole(fields[name], `${at}.limits.${name}`),
      ) as [number, number, number];
      return { type, limits: { maxTransactions, maxOperations, maxBytes }, height: from(height) };
    }
    default:
      throw new Wrong(`${at}.type ${JSON.stringify(type)} is no change of a chain`);
  }
}

function namespaceOperation(type: 'open-namespace' | 'set-namespace', json: unknown, at: string): Operation {
  if (type === 'open-namespace') {
    const { name, mode, writers } = object(json, at, ['type', 'name', 'mode', 'writers']);
    return {
      type,
      name: text(name, `${at}.name`),
      mode: modeOf(mode, `${at}.mode`),
      writers: accounts(writers ?? [], `${at}.writers`),
    };
  }
  const { name, owner, mode, writers } = object(json, at, ['type', 'name', 'owner', 'mode', 'writers']);
  return {
    type,
    name: text(name, `${at}.name`),
    owner: unless(owner, (given) => account(given, `${at}.owner`)),
    mode: unless(mode, (given) => modeOf(given, `${at}.mode`)),
    writers: unless(writers, (given) => accounts(given, `${at}.writers`)),
  };
}

function conditionFrom(json: unknown, at: string): Condition {
  const { type } = fieldsOf(json, at);
  switch (type) {
    case 'record-version': {
      const { key, version } = object(json, at, ['type', 'key', 'version']);
      return { type, key: text(key, `${at}.key`), version: whole(version, `${at}.version`) };
    }
    case 'record-absent':
    case 'record-exists': {
      const { key } = object(json, at, ['type', 'key']);
      return { type, key: text(key, `${at}.key`) };
    }
    case 'record-hash': {
      const { key, hash: value } = object(json, at, ['type', 'key', 'hash']);
      return { type, key: text(key, `${at}.key`), hash: hash(value, `${at}.hash`) };
    }
    case 'balance-at-least': {
      const fields = object(json, at, ['type', 'account', 'amount']);
      return {
        type,
        account: account(fields['account'], `${at}.account`),
        amount: coins(fields['amount'], `${at}.amount`),
      };
    }
    case 'height-at-most': {
      const { height } = object(json, at, ['type', 'height']);
      return { type, height: toHeight(whole(height, `${at}.height`)) };
    }
    case 'time-at-most': {
      const { time } = object(json, at, ['type', 'time']);
      return { type, time: whole(time, `${at}.time`) };
    }
    default:
      throw new Wrong(`${at}.type ${JSON.stringify(type)} is no condition`);
  }
}
