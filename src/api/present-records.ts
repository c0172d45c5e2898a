import { toHex } from '../base/bytes.ts';
import { encodeAddress } from '../crypto/address.ts';
import type { NodeIdentity, Read } from './backend.ts';
import { readJson } from './present.ts';
import type { NamespaceView, RecordView } from './record-views.ts';
import type { NamespaceJson, NamespaceListJson, RecordJson, RecordListJson } from './schemas.ts';

export function recordJson(identity: NodeIdentity, read: Read<unknown>, record: RecordView): RecordJson {
  return { ...readJson(identity, read), ...recordItemJson(record) };
}

export function recordItemJson(record: RecordView): RecordListJson['records'][number] {
  const { key, owner, value, version, changed, previous } = record;
  return {
    key,
    owner: encodeAddress(owner),
    value: toHex(value),
    version,
    changed,
    previous: previous ?? null,
  };
}

/** A page without its records. */
export function recordListJson(
  identity: NodeIdentity,
  prefix: string,
  read: Read<{ readonly next: string | null }>,
): Omit<RecordListJson, 'records'> {
  return { ...readJson(identity, read), prefix, next: read.value.next };
}

export function namespaceJson(
  identity: NodeIdentity,
  read: Read<unknown>,
  namespace: NamespaceView,
): NamespaceJson {
  return { ...readJson(identity, read), ...namespaceItemJson(namespace) };
}

/** A page without its namespaces. */
export function namespaceListJson(
  identity: NodeIdentity,
  prefix: string,
  read: Read<{ readonly next: string | null }>,
): Omit<NamespaceListJson, 'namespaces'> {
  return { ...readJson(identity, read), prefix, next: read.value.next };
}

export function namespaceItemJson({
  name,
  owner,
  mode,
  writers,
  entries,
  root,
}: NamespaceView): NamespaceListJson['namespaces'][number] {
  return {
    name,
    owner: encodeAddress(owner),
    mode,
    writers: writers.map(encodeAddress),
    entries,
    root: toHex(root),
  };
}
