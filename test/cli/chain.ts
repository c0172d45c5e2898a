import type { TestContext } from 'node:test';
import { fromHex, toHex, utf8 } from '../../src/base/bytes.ts';
import { unwrap } from '../../src/base/problem.ts';
import { encodeAddress, parseAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { decodeTransaction, type Transaction } from '../../src/ledger/transaction.ts';
import { fakeApi, origin, problemReply, type Reply, status, type Seen } from '../client/fake-api.ts';

export const alice = developmentKeyPair('alice');
export const bob = developmentKeyPair('bob');

const read = {
  ...origin,
  consistency: 'stale',
  height: 40,
  blockHash: status.finalHash,
  stateRoot: status.stateRoot,
};
const header = {
  height: 12,
  parentHash: '33'.repeat(32),
  view: 0,
  proposer: encodeAddress(bob.publicKey),
  timestamp: 1_767_225_600_000,
  protocolVersion: 1,
  transactionRoot: '44'.repeat(32),
  stateRoot: '22'.repeat(32),
  receiptsRoot: '55'.repeat(32),
  validatorsHash: '66'.repeat(32),
  nextValidatorsHash: '66'.repeat(32),
};

/** Four validators, of which one knows a third version. */
export function parametersAnswer(): object {
  const validators = [2, 2, 2, 3].map((newest, index) => {
    const { publicKey } = developmentKeyPair(`validator-${index}`);
    const protocolVersions = { oldest: 1, newest };
    return {
      index,
      name: `validator-${index}`,
      publicKey,
      address: encodeAddress(publicKey),
      protocolVersions,
    };
  });
  const limits = { maxTransactions: 10, maxOperations: 20, maxBytes: 1_000_000 };
  const rules = { protocolVersion: 1, feePerOperation: '0', limits, scheduled: [], needed: 3, members: '' };
  return { ...read, ...rules, validatorsHash: '66'.repeat(32), validators };
}

/** A node for the commands: one account with nonce 3, one record, one block, and every transaction final at once unless told. */
export async function fakeChain(
  t: TestContext,
  options: {
    readonly development?: boolean;
    readonly submit?: (transaction: Transaction) => Reply | undefined;
    readonly outcome?: 'applied' | 'failed' | 'pending' | 'gone' | 'unknown';
    /** More of what it answers, by path. */
    readonly answers?: Readonly<Record<string, object>>;
  } = {},
): Promise<{ url: string; submitted: Transaction[]; seen: Seen[] }> {
  const { development = true, submit, outcome = 'applied', answers = {} } = options;
  const submitted: Transaction[] = [];
  const { url, seen } = await fakeApi(t, ({ method, url, body }) => {
    const path = url.split('?')[0] ?? '';
    if (method === 'POST') {
      const { transaction } = JSON.parse(body.toString()) as { transaction: string };
      const decoded = unwrap(decodeTransaction(fromHex(transaction)));
      submitted.push(decoded);
      return submit?.(decoded) ?? { body: { ...origin, status: 'accepted', hash: decoded.hash } };
    }
    const more = answers[path];
    if (more !== undefined) return { body: more };
    if (path === '/v1/status') return { body: { ...status, development } };
    if (path === '/v1/why') return { body: { ...origin, finalHeight: 40, why: 'Nothing waits.\u001b[31m' } };
    if (path.startsWith('/v1/accounts/')) {
      const address = path.slice('/v1/accounts/'.length);
      const publicKey = unwrap(parseAddress(address));
      const terms = { balance: '1000000', held: '2500', nonce: 3, keys: null, pendingNonce: 5 };
      return { body: { ...read, address, publicKey, ...terms } };
    }
    if (path.startsWith('/v1/reservations/')) {
      const reservation = decodeURIComponent(path.slice('/v1/reservations/'.length));
      if (!reservation.endsWith(':3:0')) return problemReply(404, 'api/no-such-reservation');
      const sender = encodeAddress(alice.publicKey);
      const recipient = encodeAddress(developmentKeyPair('bob').publicKey);
      const made = { height: 12, transaction: 0, operation: 0 };
      const about = { reservation, sender, recipient, amount: '1500', expiryHeight: 900, made };
      return {
        body: { ...read, ...about, status: 'posted', taken: '1200', settled: { ...made, height: 30 } },
      };
    }
    if (path === '/v1/records' && url.includes('key=greeting')) {
      const owner = encodeAddress(alice.publicKey);
      const made = { height: 12, transaction: 0, operation: 1 };
      const version = { version: 2, changed: made, previous: { ...made, height: 7 } };
      return { body: { ...read, key: 'greeting', owner, value: toHex(utf8('hello')), ...version } };
    }
    if (path === '/v1/chain/parameters') return { body: parametersAnswer() };
    if (path === '/v1/records/list') {
      const owner = encodeAddress(alice.publicKey);
      const changed = { height: 12, transaction: 0, operation: 1 };
      const about = { owner, value: toHex(utf8('hello')), version: 2, changed, previous: null };
      const records = ['shop/a', 'shop/b'].map((key) => ({ key, ...about }));
      return { body: { ...read, prefix: 'shop/', records, next: url.includes('after') ? null : 'shop/b' } };
    }
    if (path === '/v1/namespaces/shop') {
      const [owner, writer] = [encodeAddress(alice.publicKey), encodeAddress(bob.publicKey)];
      const rules = { owner, mode: 'writers', writers: [writer] };
      return { body: { ...read, name: 'shop', ...rules, entries: 2, root: '88'.repeat(32) } };
    }
    if (path === '/v1/namespaces') {
      const owner = encodeAddress(alice.publicKey);
      const about = { owner, mode: 'open', writers: [], entries: 1_200, root: '88'.repeat(32) };
      const namespaces = ['shop', 'shops'].map((name) => ({ name, ...about }));
      return { body: { ...read, prefix: 's', namespaces, next: url.includes('after') ? null : 'shops' } };
    }
    if (path.startsWith('/v1/namespaces/')) return problemReply(404, 'api/no-such-namespace');
    if (path === '/v1/records') return problemReply(404, 'api/no-such-record');
    if (path.startsWith('/v1/blocks/')) return { body: blockOf() };
    if (path === '/v1/validators') return { body: validatorsAnswer };
    if (path === '/v1/evidence') return { body: { ...origin, offset: 0, evidence: [] } };
    if (path.startsWith('/v1/transactions/')) {
      const hash = path.slice('/v1/transactions/'.length);
      if (outcome === 'pending') {
        const missing = {
          sender: encodeAddress(developmentKeyPair('bob').publicKey),
          nonce: 3,
          expiryHeight: 40,
        };
        return { body: { ...origin, hash, status: 'pending', missing } };
      }
      const problem = { code: 'mempool/superseded', detail: 'why', remedy: 'how', details: {} };
      if (outcome === 'gone' || outcome === 'unknown') {
        return { body: { ...origin, hash, status: outcome, problem } };
      }
      const code = outcome === 'failed' ? 'transaction/insufficient-balance' : '';
      const found = { type: 'balance', balance: '12' };
      const failure = outcome === 'failed' ? { part: 'operation', index: 2, found } : null;
      const effects = { accounts: [], records: [], changes: [] };
      const receipt = { transactionHash: hash, status: outcome, code, failure, fee: '1', ...effects };
      const proof = { index: 0, size: 1, path: [] };
      const inclusion = {
        height: 41,
        blockHash: '77'.repeat(32),
        receipt,
        transaction: { ...transactionOf(hash), nonce: 5 },
        transactionProof: proof,
        receiptProof: proof,
        header,
        descendants: [],
        certificate,
      };
      return { body: { ...origin, hash, status: 'final', inclusion } };
    }
    return problemReply(404, 'api/not-found');
  });
  return { url, submitted, seen };
}

const certificate = {
  engine: 'pbft',
  phase: 'commit',
  epoch: 0,
  view: 0,
  height: 12,
  blockHash: '99'.repeat(32),
  signatures: [0, 1, 2].map((validator) => ({ validator, signature: '88'.repeat(64) })),
};

/** What a node tells of a transaction that does nothing much. */
export function transactionOf(hash: string) {
  return {
    hash,
    chainId: origin.chainId,
    sender: encodeAddress(alice.publicKey),
    nonce: 0,
    fee: '1',
    expiryHeight: 900,
    reference: '',
    conditions: [],
    operations: [],
    signatures: [],
    bytes: '',
  };
}

function blockOf(): object {
  return { ...origin, hash: '99'.repeat(32), header, certificate, transactionHashes: [] };
}

/** As one of four sees them: it hears all but the third. */
export const validatorsAnswer = {
  ...origin,
  validators: [0, 1, 2, 3].map((index) => {
    const name = `validator-${index}`;
    const { publicKey } = developmentKeyPair(name);
    const about = { index, name, address: encodeAddress(publicKey), publicKey, primary: index === 0 };
    return { ...about, self: index === 0, connected: index === 0, heard: index !== 2 };
  }),
  strangers: [encodeAddress(developmentKeyPair('validator-5').publicKey)],
};
