/**
 * The addresses that one party is likely to hold many of, by the multiaddr of one: 24 bits of an IPv4
 * address, 48 of an IPv6 one, which is what a site gets for the asking (RFC 6177). What a stranger may cost
 * is counted by these, because keys are free and addresses are not. Each loopback address is a block of its
 * own: many nodes may share a machine, and a test can give each party one. What is no address of IP stands
 * for itself.
 */
export function addressBlock(multiaddr: string): string {
  const [, family, address = ''] = multiaddr.split('/');
  if (family === 'ip4') return blockOfIpv4(address);
  if (family !== 'ip6') return multiaddr;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped === undefined ? blockOfIpv6(address) : blockOfIpv4(mapped);
}

function blockOfIpv4(address: string): string {
  return address.startsWith('127.') ? address : `${address.split('.').slice(0, 3).join('.')}.*`;
}

/** Four groups of 16 bits each; `::` stands for as many zeros as are missing of eight. */
function blockOfIpv6(address: string): string {
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - groups.length - after.length)).fill('0');
  const all = [...groups, ...zeros, ...after].map((group) => Number.parseInt(group, 16).toString(16));
  return all.slice(0, 7).every((group) => group === '0') ? address : `${all.slice(0, 3).join(':')}:*`;
}
