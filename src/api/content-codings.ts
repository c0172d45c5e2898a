import type { Problem } from '../base/problem.ts';
import { apiProblem } from './problem-answer.ts';

/** Bodies are taken as they are: what unpacks them would have to bound what comes out, too. */
const remedy = 'Send the body as it is, without Content-Encoding.';

/** The problem of a request whose body was packed (RFC 9110, section 8.4); undefined when it was not. */
export function codingProblem(header: string | undefined): Problem | undefined {
  const coding = header?.trim().toLowerCase() ?? '';
  if (coding === '' || coding === 'identity') return undefined;
  return apiProblem(
    'api/content-encoding',
    `bodies with Content-Encoding ${JSON.stringify(coding.slice(0, 64))} are not taken`,
    {
      remedy,
      details: { coding: coding.slice(0, 64) },
    },
  );
}

/** How well-known packers and encodings of text begin (RFC 1952, 1950, 8878; Unicode, section 23.8). */
const beginnings: readonly {
  readonly bytes: readonly number[];
  readonly what: string;
  readonly remedy: string;
}[] = [
  { bytes: [0x1f, 0x8b], what: 'packed by gzip', remedy },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: 'packed by zstd', remedy },
  { bytes: [0x78, 0x01], what: 'packed by zlib (deflate)', remedy },
  { bytes: [0x78, 0x9c], what: 'packed by zlib (deflate)', remedy },
  { bytes: [0x78, 0xda], what: 'packed by zlib (deflate)', remedy },
  { bytes: [0xff, 0xfe], what: 'in UTF-16', remedy: 'Send JSON in UTF-8 (RFC 8259, section 8.1).' },
  { bytes: [0xfe, 0xff], what: 'in UTF-16', remedy: 'Send JSON in UTF-8 (RFC 8259, section 8.1).' },
];

/** The problem of a body that is not UTF-8: what it looks like instead, when that can be told. */
export function notUtf8(body: Uint8Array): Problem {
  const found = beginnings.find(({ bytes }) => bytes.every((byte, index) => body[index] === byte));
  return found === undefined
    ? apiProblem('api/invalid-utf8', 'the body is not valid UTF-8', {
        remedy: 'Send JSON in UTF-8 (RFC 8259, section 8.1).',
      })
    : apiProblem('api/invalid-utf8', `the body is not valid UTF-8: it looks as if it were ${found.what}`, {
        remedy: found.remedy,
      });
}
