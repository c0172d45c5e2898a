import { limits } from '../../base/limits.ts';

/**
 * The address of a node's API as text, in its one form: `http://` or `https://`, a host, perhaps a port and a
 * path, and nothing else. Undefined for any other text: it comes from other nodes, and people and their tools
 * are going to use it.
 */
export function parseApiUrl(text: string): string | undefined {
  if (text.length > limits.apiUrlBytes || !/^https?:\/\/[^\s\\]+$/i.test(text)) return undefined;
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  if (/[?#]/.test(text)) return undefined;
  const address = url.href.replace(/\/+$/, '');
  return address.length <= limits.apiUrlBytes ? address : undefined;
}
