import type { Attack } from './attack.ts';
import { connectionAttacks } from './connection-attacks.ts';
import { gossipAttacks } from './gossip-attacks.ts';
import { httpAttacks } from './http-attacks.ts';
import { messageAttacks } from './message-attacks.ts';
import { yamuxAttacks } from './yamux-attacks.ts';

const all = { ...connectionAttacks, ...yamuxAttacks, ...gossipAttacks, ...messageAttacks, ...httpAttacks };

export type AttackName = keyof typeof all;

export const attacks: Readonly<Record<AttackName, Attack>> = all;
export const attackNames = Object.keys(all) as AttackName[];

export function isAttackName(name: string): name is AttackName {
  return Object.hasOwn(all, name);
}

/** One or two of each kind: what a run in a minute has time for. */
export const shortAttackNames: readonly AttackName[] = [
  'yamux-huge',
  'yamux-huge-greeted',
  'yamux-pings',
  'stream-resets',
  'connections',
  'tls-chains',
  'silent-callers',
  'observers',
  'frames-used-nonce',
  'frames-forged',
  'frames-repeated',
  'gossip-garbage',
  'gossip-huge',
  'old-certificates',
  'forged-new-views',
  'forged-messages',
  'replayed-status',
  'muted-flood',
  'block-requests',
  'deaf-requests',
  'http-pipelined-headers',
  'events-from-1',
  'http-chunks',
  'http-idle',
  'http-connects',
  'http-waits',
  'http-forged-batches',
];
