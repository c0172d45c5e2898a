import { namespaceItemJson as namespaceOf, recordItemJson as recordOf } from '../ledger/state-json.ts';
import type { NodeIdentity, Read } from './backend.ts';
import { readJson } from './present.ts';
import type { NamespaceView, RecordView } from './record-views.ts';
import type { NamespaceJson, NamespaceListJson, RecordJson, RecordListJson } from './schemas.ts';

export function recordJson(identity: NodeIdentity, read: Read<unknown>, record: RecordView): RecordJson {
  return { ...readJson(identity, read), ...recordItemJson(record) };
}

export function recordItemJson({ key, ...record }: RecordView): RecordListJson['records'][number] {
  return recordOf(key, record);
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
  ...namespace
}: NamespaceView): NamespaceListJson['namespaces'][number] {
  return namespaceOf(name, namespace);
}
