/**
 * Whom a connection counts for: its IPv4 address, or the first half of an IPv6 address, of which one
 * subscriber has as many as it likes (RFC 6177). All that come through one proxy count for one.
 */
export function clientName(remoteAddress: string | undefined): string {
  const address = (remoteAddress ?? '').split('%', 1)[0] ?? '';
  if (address.includes('.')) return address.slice(address.lastIndexOf(':') + 1);
  const [left = '', right] = address.split('::', 2);
  const high = left.split(':').filter((group) => group !== '');
  const low = (right ?? '').split(':').filter((group) => group !== '');
  const zeros = right === undefined ? 0 : Math.max(8 - high.length - low.length, 0);
  return [...high, ...Array.from({ length: zeros }, () => '0'), ...low].slice(0, 4).join(':');
}
