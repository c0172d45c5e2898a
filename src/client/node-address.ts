import { Problem } from '../base/problem.ts';

/**
 * Ports that no browser and no `fetch` connects to, whoever listens there (WHATWG Fetch, section 2.9, "bad
 * port").
 */
const barredPorts: ReadonlySet<number> = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
  109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
  526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
  3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);

/** Whether an API on this port can be asked by none of its clients but curl and the like. */
export function isBarredPort(port: number): boolean {
  return barredPorts.has(port);
}

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
  if (isBarredPort(Number(url.port))) {
    return wrongAddress(`neither browsers nor fetch connect to port ${url.port}: the API needs another`);
  }
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
