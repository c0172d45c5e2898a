import { boundedText, type Codec, refine } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';

/**
 * What a record's key may be: 1 to `limits.maxRecordKeyBytes` bytes of UTF-8, in segments with `/` between
 * them, none of them empty, `.` or `..`. Those are no names in a URL's path (RFC 3986, section 5.2.4): a
 * record with one could be written and never be asked for by everybody.
 */
export const recordKeyCodec: Codec<string> = refine(
  boundedText(limits.maxRecordKeyBytes),
  'segments with `/` between them, none empty, `.` or `..`',
  (key) => {
    const problem = checkRecordKey(key);
    if (problem !== undefined) throw problem;
    return key;
  },
);

const hasWrongSegment = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The namespace that a record with this key belongs to: what stands before its first `/`. Undefined where
 * there is none.
 */
export function namespaceOf(key: string): string | undefined {
  const end = key.indexOf('/');
  return end < 0 ? undefined : key.slice(0, end);
}

/** Why no record can have this key, whatever its length; undefined when one can. */
function checkRecordKey(key: string): Problem | undefined {
  if (!hasWrongSegment.test(key)) return undefined;
  const wrong = key.split('/').find((segment) => segment === '' || segment === '.' || segment === '..');
  const what = key === '' ? 'is empty' : wrong === '' ? 'has an empty segment' : `has the segment "${wrong}"`;
  return new Problem('transaction/record-key', `the record key ${JSON.stringify(key)} ${what}`, {
    remedy: 'Write a key of one or more segments with "/" between them, none of them empty, "." or "..".',
    details: { key },
  });
}
