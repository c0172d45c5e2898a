import { ByteWriter } from '../base/byte-writer.ts';
import { u48, u64 } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { hashCodec, type Hash, hashInto } from '../crypto/hash.ts';
import { hashSize } from '../crypto/pair-hash.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';
import type { DraftAccounts } from './draft-accounts.ts';
import { merkleRootOf } from './merkle.ts';
import {
  changesCodec,
  type Effects,
  heldCodec,
  previousCodec,
  type Receipt,
  receiptCodec,
  type RecordEffect,
} from './receipt.ts';
import type { Account } from './state-entry.ts';
import { Touched } from './touched.ts';
import type { Transaction } from './transaction.ts';

const noRecords: readonly RecordEffect[] = [];

/** Memory of the block before, unless one is under way: then that has it. */
let spare: { readonly writer: ByteWriter; readonly leaves: Uint8Array } | undefined;

/**
 * The receipts of a block, written as its transactions are done, in the form of `receiptsCodec`. A block has
 * thousands, and hardly anybody reads one: so none is made as an object first.
 */
export class ReceiptWriter {
  readonly #memory = spare ?? {
    writer: new ByteWriter(),
    leaves: new Uint8Array(limits.maxBlockTransactions * hashSize),
  };
  readonly touched = new Touched();

  constructor() {
    spare = undefined;
    const { writer } = this.#memory;
    writer.clear();
    // Their number comes in the end.
    writer.u16(0);
  }

  get count(): number {
    return this.touched.count;
  }

  /** Of one whose operations are done: what they changed of accounts is what was tried. */
  addApplied({ hash, sender, fee }: Transaction, accounts: DraftAccounts, effects: Effects): void {
    const { writer } = this.#memory;
    const start = writer.length;
    hashCodec.write(writer, hash);
    // Applied, without a code or a failure.
    writer.u8(0);
    writer.u8(0);
    writer.u8(0);
    u64.write(writer, fee);
    this.#writeAccounts(sender, accounts);
    const { records, changes } = effects;
    writer.u16(records.length);
    for (const { operation, version, previous } of records) {
      writer.u16(operation);
      u48.write(writer, version);
      previousCodec.write(writer, previous);
    }
    changesCodec.write(writer, changes);
    this.#end(start, false, records);
  }

  addFailed(receipt: Receipt): void {
    const { writer } = this.#memory;
    const start = writer.length;
    receiptCodec.write(writer, receipt);
    for (const { publicKey } of receipt.accounts) this.touched.addAccount(publicKey);
    this.#end(start, true, noRecords);
  }

  /** All of them, and the root over them. Nothing can be added afterwards. */
  finish(): { readonly bytes: Uint8Array; readonly root: Hash } {
    const { writer, leaves } = this.#memory;
    writer.u16At(0, this.count);
    const done = { bytes: writer.taken(), root: merkleRootOf(leaves.subarray(0, this.count * hashSize)) };
    writer.clear();
    spare = this.#memory;
    return done;
  }

  /** The sender first, then the others as they were touched first. */
  #writeAccounts(sender: PublicKey, accounts: DraftAccounts): void {
    const { writer } = this.#memory;
    const at = writer.length;
    writer.u16(0);
    this.#writeAccount(sender, accounts.get(sender));
    let count = 1;
    for (let index = 0; index < accounts.triedCount; index++) {
      const { publicKey, now } = accounts.tried(index);
      if (publicKey === sender) continue;
      this.#writeAccount(publicKey, now);
      count += 1;
    }
    writer.u16At(at, count);
  }

  #writeAccount(publicKey: PublicKey, { balance, held }: Account): void {
    const { writer } = this.#memory;
    publicKeyCodec.write(writer, publicKey);
    u64.write(writer, balance);
    heldCodec.write(writer, held);
    this.touched.addAccount(publicKey);
  }

  #end(start: number, hasFailed: boolean, records: readonly RecordEffect[]): void {
    const { writer, leaves } = this.#memory;
    hashInto('quorate/v1/receipt', leaves, this.count * hashSize, writer.viewFrom(start));
    this.touched.end({ hasFailed, records });
  }
}
