import { Problem } from '../base/problem.ts';

/**
 * The address of a node's API in its one form, without a slash at its end, or what is wrong with it. What is
 * not an address, or is read as another one than it looks like, is told before anything is tried. A password
 * in it is not repeated in the message.
 */
export function parseNodeAddress(given: string | URL): string | Problem {
  const text = String(given).trim();
  if (!/^https?:\/\/[^/]/i.test(text)) return wrongAddress('it is no http:// or https:// address');
  if (/[\s\\]/.test(text)) return wrongAddress('it holds a space or a backslash');
  if (/^[^/]*\/\/\[[^\]]*%/.test(text)) {
    return wrongAddress('an IPv6 zone (behind %) has no place in it: use an address that needs none');
  }
  const url = URL.parse(text);
  if (url === null) return wrongAddress('its host or its port is none');
  if (url.username !== '' || url.password !== '') {
    return wrongAddress('it holds a user name or a password, which a node does not ask for');
  }
  if (/[?#]/.test(text)) return wrongAddress('it has a query or a fragment');
  if (url.port === '0') return wrongAddress('nobody is at port 0');
  // "1", "0x7f.1" and the like: numbers of another form (WHATWG URL, section 3.5).
  if (/^[\d.]+$/.test(url.hostname) && !text.includes(`//${url.hostname}`)) {
    return wrongAddress(`its host is read as ${url.hostname}`);
  }
  return url.href.replace(/\/+$/, '');
}

function wrongAddress(why: string): Problem {
  return new Problem('api/address', `that is not the address of a node’s API: ${why}`, {
    remedy: 'Write it like http://127.0.0.1:4600.',
    details: { sent: false },
  });
}
