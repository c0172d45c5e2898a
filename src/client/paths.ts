import { Problem } from '../base/problem.ts';

/**
 * One segment of a path. Throws `api/bad-path` for a name that no path can carry: a segment of dots alone is
 * resolved away (RFC 3986, section 5.2.4), and an empty one leads to another route. Nothing has such a name,
 * and the path that would result might name something else.
 */
export function pathPart(text: string): string {
  if (/^\.{0,2}$/.test(text)) throw badPath(`"${text}" is the name of nothing`);
  return encoded(text);
}

function encoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    throw badPath('a name is no Unicode text: half of a surrogate pair stands in it alone');
  }
}

function badPath(why: string): Problem {
  return new Problem('api/bad-path', why, {
    remedy: 'Check where the name comes from: nothing can be called that.',
    details: { sent: false },
  });
}

export function query(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ''
    : `?${given.map(([name, value]) => `${name}=${encoded(`${value}`)}`).join('&')}`;
}
