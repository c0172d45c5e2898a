import type { Attack } from './attack.ts';
import { connectionAttacks } from './connection-attacks.ts';
import { gossipAttacks } from './gossip-attacks.ts';
import { httpAttacks } from './http-attacks.ts';
import { messageAttacks } from './message-attacks.ts';

const all = { ...connectionAttacks, ...gossipAttacks, ...messageAttacks, ...httpAttacks };

export type AttackName = keyof typeof all;

export const attacks: Readonly<Record<AttackName, Attack>> = all;
export const attackNames = Object.keys(all) as AttackName[];

export function isAttackName(name: string): name is AttackName {
  return Object.hasOwn(all, name);
}
