import { Problem } from '../base/problem.ts';

/**
 * The address of a node's API, without a slash at its end, or what is wrong with it. What is not an address is told before anything is
 * tried. A password in it is not repeated in the message.
 */
export function parseNodeAddress(given: string | URL): string | Problem {
  const text = String(given);
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return wrongAddress('it is no http:// or https:// address');
  }
  if (url.username !== '' || url.password !== '') {
    return wrongAddress('it holds a user name or a password, which a node does not ask for');
  }
  if (url.search !== '' || url.hash !== '') return wrongAddress('it has a query or a fragment');
  return text.trim().replace(/\/+$/, '');
}

function wrongAddress(why: string): Problem {
  return new Problem('api/address', `that is not the address of a node’s API: ${why}`, {
    remedy: 'Write it like http://127.0.0.1:4600.',
    details: { sent: false },
  });
}
