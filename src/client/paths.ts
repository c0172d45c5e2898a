import { Problem } from '../base/problem.ts';

/**
 * One part of a path. Throws `api/bad-path` for what no path can say: dots alone are taken for steps up
 * (RFC 3986, section 5.2.4), and nothing leads to somewhere else. Nothing is called that, and whatever took
 * its place here might be.
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
