import { decode } from '../../base/codec.ts';
import { Problem } from '../../base/problem.ts';
import { changesValidators, hashHeader, toHeight } from '../../ledger/block.ts';
import { type Block, decodeBlock } from '../../ledger/block-body.ts';
import { finalityCodec } from '../../ledger/certificate.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import { receiptsCodec } from '../../ledger/receipt.ts';
import { State } from '../../ledger/state.ts';
import { ChainStore } from '../../storage/chain-store.ts';
import type { Store } from '../../storage/port.ts';
import { promise } from './breach.ts';
import { ProcessLife } from '../world/process-life.ts';
import type { VirtualDisk } from '../world/virtual-disk.ts';
import type { ChainChecker } from './chain-checker.ts';
import { indexDifference } from './index-checker.ts';

/**
 * Opens what a node left on its disk, as its next start would, and holds it against the chain: every block
 * that was not pruned at its height, a certificate at or above each, every transaction found, indexes that
 * say what the blocks say, and a state that hashes to its root.
 */
export async function inspectDisk(
  node: number,
  disk: VirtualDisk,
  genesis: Genesis,
  chain: ChainChecker,
): Promise<void> {
  const store = disk.open(
    new ProcessLife((error) => {
      throw error;
    }),
  );
  const stored = await ChainStore.open(store, { chainId: genesis.chainId });
  const { finalHeight, firstBlock } = stored;
  const blocks: Block[] = [];
  for (let height: number = firstBlock; height <= finalHeight; height++) {
    const at = toHeight(height);
    const bytes = stored.blockBytesAt(at);
    const block = bytes === undefined ? undefined : decodeBlock(bytes);
    promise(
      block !== undefined && !(block instanceof Problem),
      'finality',
      () => `node ${node} lost block ${height}`,
    );
    promise(
      hashHeader(block.header) === chain.hashAt(height),
      'finality',
      () => `node ${node} has another block on disk at height ${height}`,
    );
    for (const [index, { hash }] of block.transactions.entries()) {
      const place = stored.locate(hash);
      promise(
        place?.height === height && place.index === index,
        'exactly-once',
        () => `node ${node} does not find transaction ${hash} of block ${height}`,
      );
    }
    blocks.push(block);
    promiseOwnProof(node, block, stored);
    const proof = stored.nearestCertificate(at);
    const certificate = proof === undefined ? undefined : decode(finalityCodec, proof.bytes, 'certificate');
    promise(
      certificate !== undefined &&
        !(certificate instanceof Problem) &&
        certificate.height >= height &&
        certificate.blockHash === chain.hashAt(certificate.height),
      'certificate',
      () => `node ${node} cannot prove that block ${height} is final`,
    );
  }
  await inspectIndexes(node, { stored, store }, blocks);
  const growing = State.growing();
  for await (const page of stored.stateEntries()) for (const [key, value] of page) growing.add(key, value);
  const state = growing.finish();
  promise(
    stored.finalHash === chain.hashAt(finalHeight) && state.root === stored.headerAt(finalHeight)?.stateRoot,
    'validity',
    () => `node ${node} stores a state that is not the one after block ${finalHeight}`,
  );
}

async function inspectIndexes(
  node: number,
  { stored, store }: { readonly stored: ChainStore; readonly store: Store },
  blocks: readonly Block[],
): Promise<void> {
  const { indexedFrom, firstBlock } = stored;
  promise(
    indexedFrom === firstBlock,
    'indexes',
    () => `node ${node} has indexes from height ${indexedFrom} on, and blocks from ${firstBlock}`,
  );
  const scanned = blocks.map(({ header: { height }, transactions }) => {
    const receipts = decode(receiptsCodec, stored.receiptsBytesAt(height) ?? new Uint8Array(), 'receipts');
    promise(!(receipts instanceof Problem), 'finality', () => `node ${node} lost receipts of ${height}`);
    return { height, transactions, receipts };
  });
  const difference = await indexDifference(store, scanned, ['newest first']);
  promise(difference === undefined, 'indexes', () => `node ${node}: ${difference}`);
}

/** The last block of an epoch has its own certificate: what is above it is signed by other validators. */
function promiseOwnProof(node: number, { header }: Block, stored: ChainStore): void {
  promise(
    !changesValidators(header) || stored.certificateAt(header.height) !== undefined,
    'certificate',
    () =>
      `node ${node} has no certificate of its own for block ${header.height}, which changed the validators`,
  );
}
