import { peerIdFromString } from '@libp2p/peer-id';
import { type Component, multiaddr } from '@multiformats/multiaddr';
import { Problem } from '../base/problem.ts';
import type { PeerId } from './port.ts';

export interface PeerAddress {
  readonly address: string;
  /** Known when the address ends in `/p2p/<peer id>`; otherwise learnt at the first connection. */
  readonly peer: PeerId | undefined;
}

/** Where a machine is named in a multiaddr. */
const hosts: ReadonlySet<string> = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6', 'dnsaddr']);
/** "All addresses of this machine": nobody can be called there. */
const everywhere: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/**
 * The address of a node to keep connected to. Throws a Problem that names it when it is no multiaddr, or when
 * no connection could ever come of it: nodes speak TCP, and a call needs a machine and a port.
 */
export function parsePeerAddress(address: string): PeerAddress {
  const parts = tcpParts(address, 'peer');
  const { host, port, peer } = parts;
  // 224.0.0.0/4 and 240.0.0.0/4, ff00::/8: many machines, or none (RFC 5771, 1112, 4291).
  const isMany = /^(?:2[2-5]\d\.[\d.]+$|ff[0-9a-f]{2}:)/i.test(host) && !/^22[0-3]\./.test(host);
  if (everywhere.has(host) || isMany) {
    throw wrongAddress(address, 'peer', `${host} is no machine that can be called`);
  }
  // What dnsaddr names brings its own port.
  if (port === '0') throw wrongAddress(address, 'peer', 'nobody is at port 0');
  return { address, peer };
}

/**
 * An address to listen on; port 0 takes a free one. Throws a Problem that names it when it is not an address.
 */
export function checkListenAddress(address: string): void {
  const { peer } = tcpParts(address, 'listen');
  if (peer !== undefined)
    throw wrongAddress(address, 'listen', 'whose id it is follows from the key of the node');
}

function tcpParts(
  address: string,
  use: 'peer' | 'listen',
): { readonly host: string; readonly port: string | undefined; readonly peer: PeerId | undefined } {
  let parts: Component[];
  try {
    parts = multiaddr(address).getComponents();
    for (const { name, value = '' } of parts) if (name === 'p2p') peerIdFromString(value);
  } catch (cause) {
    throw wrongAddress(address, use, 'it is no multiaddr', cause);
  }
  const [host, tcp] = parts;
  if (host === undefined || !hosts.has(host.name))
    throw wrongAddress(address, use, 'it names no machine first');
  const isTcp = tcp?.name === 'tcp' || (host.name === 'dnsaddr' && use === 'peer');
  const rest = parts.slice(tcp?.name === 'tcp' ? 2 : 1);
  if (!isTcp || rest.some(({ name }) => name !== 'p2p') || rest.length > 1) {
    throw wrongAddress(address, use, 'nodes are reached by TCP, and nothing on top of it');
  }
  return { host: host.value ?? '', port: tcp?.name === 'tcp' ? tcp.value : undefined, peer: rest[0]?.value };
}

function wrongAddress(address: string, use: 'peer' | 'listen', why: string, cause?: unknown): Problem {
  return new Problem(
    'network/address',
    `${address} is not an address ${use === 'peer' ? 'of a peer' : 'to listen on'}: ${why}`,
    {
      remedy:
        use === 'peer'
          ? 'Write it as /ip4/<address>/tcp/<port> or /dns4/<name>/tcp/<port>, with /p2p/<peer id> behind it when that is known.'
          : 'Write it as /ip4/<address>/tcp/<port>, or /ip6/…; 0.0.0.0 is every address of this machine.',
      details: { address },
      cause,
    },
  );
}
