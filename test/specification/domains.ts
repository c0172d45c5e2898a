import { createHash } from 'node:crypto';
import type { Domain } from '../../src/crypto/hash.ts';
import { bytesOf, hashOf } from './golden.ts';

interface Use {
  readonly makes: 'hash' | 'signature';
  /** What it is of. */
  readonly of: string;
  /** What stands behind the domain's name and its zero byte. */
  readonly over: string;
  /** The same with golden bytes: what is hashed or signed, and what is in the golden file. */
  readonly vectors: () => readonly (readonly [made: Buffer, golden: Buffer])[];
}

const begin = (domain: Domain): Buffer => Buffer.from(`${domain}\0`);

export function digest(domain: Domain, ...parts: readonly Buffer[]): Buffer {
  return createHash('sha256')
    .update(Buffer.concat([begin(domain), ...parts]))
    .digest();
}

const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();
const u32 = (value: number): Buffer => Buffer.of(value >>> 24, value >>> 16, value >>> 8, value);
const u16 = (value: number): Buffer => Buffer.of(value >>> 8, value);

const hash = (of: string, over: string, vectors: Use['vectors']): Use => ({
  makes: 'hash',
  of,
  over,
  vectors,
});

const signatureBytes = 64;

function signed(
  domain: Domain,
  of: string,
  over: string,
  parts: () => readonly Buffer[],
  golden: string,
): Use {
  return {
    makes: 'signature',
    of,
    over,
    vectors: () => [[Buffer.concat([begin(domain), ...parts()]), bytesOf(golden)]],
  };
}

function pbft(kind: string, sample = kind): Use {
  const parts = (): Buffer[] => [bytesOf('epoch'), bytesOf(`pbft ${sample}`).subarray(0, -signatureBytes)];
  const over = 'epoch, the message without its signature';
  return signed(
    `quorate/v1/pbft/${kind}` as Domain,
    `a PBFT message \`${kind}\``,
    over,
    parts,
    `pbft ${sample} preimage`,
  );
}

/** Kind, epoch and sender stand before the slot. */
const slotStart = 1 + 6 + 2;
const slotBytes = 6 + 6 + 32;

function vote(kind: 'pre-prepare' | 'prepare' | 'commit'): Use {
  const slot = (): Buffer => bytesOf(`pbft ${kind}`).subarray(slotStart, slotStart + slotBytes);
  return signed(
    `quorate/v1/pbft/${kind}`,
    `a PBFT message \`${kind}\``,
    'epoch, slot',
    () => [bytesOf('epoch'), slot()],
    `pbft ${kind} preimage`,
  );
}

const chainId = sha256('chain');
/** The state that is hashed holds this account alone, so its root is a leaf. */
const leafOfOne = (): Buffer =>
  digest(
    'quorate/v1/state-leaf',
    digest('quorate/v1/state-key', bytesOf('store key of state').subarray(1)),
    digest('quorate/v1/state-value', bytesOf('account entry')),
  );

/** Every domain, in the order of the page. */
export const domains: Readonly<Record<Domain, Use>> = {
  'quorate/v1/chain': hash('a genesis: the chain id', 'genesis content', () =>
    ['testnet-pbft', 'testnet-raft', 'single'].map((name) => [
      digest('quorate/v1/chain', bytesOf(`genesis content of ${name}`)),
      hashOf(`chain ${name}`),
    ]),
  ),
  'quorate/v1/transaction': hash('a transaction', 'transaction', () => [
    [digest('quorate/v1/transaction', bytesOf('transaction alone')), hashOf('transaction 2')],
  ]),
  'quorate/v1/transaction-signature': signed(
    'quorate/v1/transaction-signature',
    'a transaction, by each signer',
    'transaction body',
    () => [bytesOf('transaction body')],
    'transaction signing bytes',
  ),
  'quorate/v1/block': hash('a block', 'header', () => [
    [digest('quorate/v1/block', bytesOf('header')), hashOf('header')],
  ]),
  'quorate/v1/receipt': hash('a receipt', 'receipt', () => [
    [digest('quorate/v1/receipt', bytesOf('receipt transaction/insufficient-balance')), hashOf('receipt')],
  ]),
  'quorate/v1/merkle-root': hash('a Merkle root', 'number of leaves (u32), hash of the top', () => [
    [digest('quorate/v1/merkle-root', u32(1), sha256('one')), hashOf('1 leaves')],
    [
      digest('quorate/v1/merkle-root', u32(2), sha256(Buffer.concat([sha256('one'), sha256('two')]))),
      hashOf('2 leaves'),
    ],
  ]),
  'quorate/v1/validators': hash('a set of validators', 'validator keys', () => [
    [digest('quorate/v1/validators', bytesOf('validator keys')), hashOf('validators')],
  ]),
  'quorate/v1/raft/configuration': hash(
    'members of a Raft chain of whom not all are voters, or too many for validator keys. Others have the hash of their keys as validators',
    'configuration',
    () => [[digest('quorate/v1/raft/configuration', bytesOf('raft configuration')), hashOf('configuration')]],
  ),
  'quorate/v1/proposal': hash(
    'a proposed change: its id',
    'hash of the transaction, index of the operation (u16)',
    () => [[digest('quorate/v1/proposal', sha256('a'), u16(255)), hashOf('proposal id')]],
  ),
  'quorate/v1/state-key': hash('a state entry: its path', 'state key', () => [
    [leafOfOne(), hashOf('state of one entry')],
  ]),
  'quorate/v1/state-value': hash('the value of a state entry', 'the entry', () => [
    [leafOfOne(), hashOf('state of one entry')],
  ]),
  'quorate/v1/state-leaf': hash('a leaf of the state tree', 'path (32), hash of the value (32)', () => [
    [leafOfOne(), hashOf('state of one entry')],
  ]),
  'quorate/v1/snapshot-part': hash('a part of a snapshot: its checksum', 'snapshot part', () => [
    [
      digest('quorate/v1/snapshot-part', bytesOf('snapshot part')),
      bytesOf('checksummed snapshot part').subarray(0, 32),
    ],
  ]),
  'quorate/v1/pbft/pre-prepare': vote('pre-prepare'),
  'quorate/v1/pbft/prepare': vote('prepare'),
  'quorate/v1/pbft/commit': vote('commit'),
  'quorate/v1/pbft/suspect': pbft('suspect'),
  'quorate/v1/pbft/view-change': pbft('view-change'),
  'quorate/v1/pbft/new-view': pbft('new-view'),
  'quorate/v1/pbft/status': pbft('status'),
  'quorate/v1/pbft/evidence': pbft('evidence', 'evidence of two votes'),
  'quorate/v1/pbft/query-stable': pbft('query-stable'),
  'quorate/v1/pbft/reply-stable': pbft('reply-stable'),
  'quorate/v1/raft/block': signed(
    'quorate/v1/raft/block',
    'a block of a Raft chain, by its leader; the view of the slot is the term',
    'chain id, slot',
    () => [chainId, bytesOf('slot')],
    'leader vote',
  ),
  'quorate/v1/hello': signed(
    'quorate/v1/hello',
    'a peer: that it acts for the key',
    'chain id, the text of its peer id',
    () => [chainId, Buffer.from('12D3KooWSample')],
    'hello signing bytes',
  ),
  'quorate/v1/relay': signed(
    'quorate/v1/relay',
    'a consensus message that goes by gossip',
    'chain id, the seal without its signature, the message',
    () => [chainId, bytesOf('seal').subarray(0, -signatureBytes), Buffer.from('a message')],
    'relay signing bytes',
  ),
  'quorate/v1/list-cursor': hash(
    'a page of a list: its cursor, which the node that made it reads',
    'its own',
    () => [],
  ),
  'quorate/v1/gossip-id': hash('nothing that is sent or stored', 'any', () => [
    [digest('quorate/v1/gossip-id', Buffer.from('ab')), hashOf('two parts')],
  ]),
};
