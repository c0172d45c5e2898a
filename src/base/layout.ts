/**
 * What bytes a codec writes, as data: enough for a reader in another language, and nothing of how values look
 * in memory. Integers are big-endian; a length or count has as many bytes as its limit needs (1, 2 or 4).
 */
export type Layout =
  | { readonly type: 'integer'; readonly bytes: number }
  | { readonly type: 'bool' }
  | { readonly type: 'fixed'; readonly bytes: number }
  | { readonly type: 'bytes'; readonly max: number; readonly holds: string | undefined }
  | { readonly type: 'text'; readonly max: number }
  | { readonly type: 'list'; readonly max: number; readonly of: Layout }
  /** To the end of the bytes, without a count. */
  | { readonly type: 'rest'; readonly of: Layout }
  | { readonly type: 'optional'; readonly of: Layout }
  | { readonly type: 'word'; readonly words: readonly string[] }
  | { readonly type: 'struct' | 'sparse'; readonly fields: readonly Field[] }
  | { readonly type: 'union'; readonly discriminator: string; readonly cases: readonly Case[] }
  /** Not all that has the form is a value. */
  | { readonly type: 'ruled'; readonly of: Layout; readonly rule: string };

type Field = readonly [name: string, layout: Layout];

interface Case {
  readonly name: string;
  readonly tag: number;
  readonly layout: Layout;
}
