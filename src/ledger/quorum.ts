/**
 * How many of `n` validators may lie: f = floor((n - 1) / 3). PBFT, section 1 (Castro and Liskov, OSDI 1999).
 */
export function maxFaulty(n: number): number {
  return Math.floor((n - 1) / 3);
}

/**
 * How many distinct validators a certificate needs: q = floor((n + f) / 2) + 1, which is 2f + 1 for n = 3f +
 * 1. Two quorums share at least f + 1 validators, so at least one that does not lie.
 */
export function byzantineQuorum(n: number): number {
  return Math.floor((n + maxFaulty(n)) / 2) + 1;
}

/** How many of `n` make a majority: the quorum of Raft, where nobody lies. */
export function majority(n: number): number {
  return Math.floor(n / 2) + 1;
}
