import { limits } from '../../base/limits.ts';

/**
 * The address of a node's API as text, in its one form: `http://` or `https://`, a host, perhaps a port and a
 * path, and nothing else. Undefined for any other text: it comes from other nodes, and people and their tools
 * are going to use it.
 */
export function parseApiUrl(text: string): string | undefined {
  if (text.length > limits.apiUrlBytes || !/^https?:\/\/[^\s\\/][^\s\\]*$/i.test(text)) return undefined;
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  // Nobody is at port 0, and numbers in another form are read as another host than they look like.
  if (/[?#]/.test(text) || url.port === '0') return undefined;
  if (/^[\d.]+$/.test(url.hostname) && !text.includes(`//${url.hostname}`)) return undefined;
  const address = url.href.replace(/\/+$/, '');
  return address.length <= limits.apiUrlBytes ? address : undefined;
}
