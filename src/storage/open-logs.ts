import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { nameOfFault } from '../base/machine-fault.ts';
import { Problem } from '../base/problem.ts';
import { damaged } from './checksummed.ts';
import { NumberReader } from './level-numbers.ts';
import { logNamesIn } from './newest-log.ts';
import type { Write } from './port.ts';
import { inaccessible } from './store-directory.ts';
import { BatchParts, blockBytes, type BlockRecord, LogWalk } from './write-ahead-log.ts';

/** A batch (leveldb/db/write_batch.cc): number of the first change (8), count (4), both little-endian. */
const batchHeaderBytes = 12;
const blocksAtOnce = 32;

interface OpenLog {
  readonly number: number;
  readonly file: FileHandle;
  /** Number of the last change in it; 0 when it is empty. */
  readonly lastSequence: number;
}

/**
 * LevelDB's write-ahead logs, read before LevelDB opens them, and kept open until it has.
 *
 * It drops a damaged record without a word and goes on with the next, or with nothing when the file is gone:
 * a validator would forget a vote that it cast. Only the last batch may be torn, because each is synced
 * before the next is written; a torn one was never acknowledged.
 *
 * As silently it goes on without a log that the machine does not let it open or read at that moment (too many
 * open files), and then removes it. What was open before can still be read.
 */
export class OpenLogs {
  readonly #logs: readonly OpenLog[];

  private constructor(logs: readonly OpenLog[]) {
    this.#logs = logs;
  }

  /** Throws `storage/damaged` when more than the last batch is missing, and `storage/access`. */
  static async open(directory: string): Promise<OpenLogs> {
    const logs: OpenLog[] = [];
    try {
      const names = await logNamesIn(directory);
      if (names.length === 0) throw damaged(`the write-ahead log (*.log) in ${directory}`, 'is missing');
      for (const name of names) {
        const file = await openIfThere(join(directory, name));
        // Only a process that has the store open removes a log; that it has is found next.
        if (file === undefined) continue;
        logs.push({
          number: Number.parseInt(name, 10),
          file,
          ...(await checked(file, join(directory, name))),
        });
      }
    } catch (cause) {
      await closeAll(logs);
      throw cause instanceof Problem ? cause : inaccessible(directory, cause);
    }
    return new OpenLogs(logs);
  }

  /** How many there are from this one on. */
  count(from: number): number {
    return this.#from(from).length;
  }

  /** The number of the last change in the logs from this one on; 0 when there is none. */
  lastSequence(from: number): number {
    return Math.max(0, ...this.#from(from).map(({ lastSequence }) => lastSequence));
  }

  /** What the logs from this one on hold, batch by batch. */
  async *batches(from: number): AsyncGenerator<Write[]> {
    for (const { file } of this.#from(from)) {
      const parts = new BatchParts();
      for await (const records of recordsOf(file, new LogWalk())) {
        for (const record of records) {
          const batch = parts.add(record);
          if (batch !== undefined) yield changesIn(Buffer.concat(batch));
        }
      }
    }
  }

  close(): Promise<void> {
    return closeAll(this.#logs);
  }

  #from(from: number): readonly OpenLog[] {
    return this.#logs.filter(({ number }) => number >= from);
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    if (nameOfFault(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}

async function closeAll(logs: readonly Pick<OpenLog, 'file'>[]): Promise<void> {
  for (const { file } of logs) await file.close();
}

/** Closes it when it is not good. */
async function checked(file: FileHandle, path: string): Promise<Pick<OpenLog, 'lastSequence'>> {
  const walk = new LogWalk();
  const parts = new BatchParts(batchHeaderBytes);
  let lastSequence = 0;
  try {
    for await (const records of recordsOf(file, walk)) {
      for (const record of records) {
        const batch = parts.add(record);
        if (batch !== undefined) lastSequence = Math.max(lastSequence, lastSequenceIn(Buffer.concat(batch)));
      }
    }
    const { damage } = walk;
    if (damage !== undefined) throw damaged(`the write-ahead log ${path}`, `is wrong at byte ${damage}`);
  } catch (cause) {
    await file.close();
    throw cause;
  }
  return { lastSequence };
}

/** Some records at a time: a log can have more than fits in a buffer, when a whole state was one batch. */
async function* recordsOf(file: FileHandle, walk: LogWalk): AsyncGenerator<readonly BlockRecord[]> {
  for (let begin = 0; ;) {
    // Not used again: batches are made of its parts.
    const bytes = Buffer.allocUnsafeSlow(blocksAtOnce * blockBytes);
    let size = 0;
    for (let read = -1; read !== 0 && size < bytes.length; size += read) {
      read = (await file.read(bytes, size, bytes.length - size, begin + size)).bytesRead;
    }
    for (let at = 0; at < size; at += blockBytes) {
      yield walk.records(bytes.subarray(at, Math.min(size, at + blockBytes)));
    }
    if (size < bytes.length) return;
    begin += size;
  }
}

function lastSequenceIn(batch: Buffer): number {
  if (batch.length < batchHeaderBytes) return 0;
  return Number(batch.readBigUInt64LE(0)) + batch.readUInt32LE(8) - 1;
}

function changesIn(batch: Uint8Array): Write[] {
  const reader = new NumberReader(batch, batchHeaderBytes);
  const changes: Write[] = [];
  while (reader.hasMore) {
    const isPut = reader.number() === 1;
    const key = reader.text();
    changes.push(isPut ? { type: 'put', key, value: reader.text() } : { type: 'del', key });
  }
  return changes;
}
