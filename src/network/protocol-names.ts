import type { RequestProtocol, Topic } from './port.ts';

const protocolVersion = 1;

export const topics: readonly Topic[] = ['transactions', 'blocks', 'consensus', 'evidence'];
export const requestProtocols: readonly RequestProtocol[] = [
  'blocks',
  'candidate',
  'transactions',
  'snapshot',
];

/**
 * Names without the chain, so that nodes of two chains still meet here and can tell each other why they part.
 */
export const helloProtocol = `/quorate/hello/${protocolVersion}`;

export interface ProtocolNames {
  readonly direct: string;
  request(protocol: RequestProtocol): string;
  topic(topic: Topic): string;
}

/** Everything else carries the chain and the version: bytes of another chain cannot arrive by mistake. */
export function protocolNames(chainId: string): ProtocolNames {
  const prefix = `/quorate/${protocolVersion}/${chainId}`;
  return {
    direct: `${prefix}/direct`,
    request: (protocol) => `${prefix}/request/${protocol}`,
    topic: (topic) => `${prefix}/topic/${topic}`,
  };
}
