/** What can be said of quorums of these sizes. */
export interface QuorumSum {
  readonly n: number;
  /** How many copies a write reaches, and how many a read asks. */
  readonly w: number;
  readonly r: number;
  /** How many of the n may be down, or lie. */
  readonly f: number;
}

/** Each fact with whether it holds: R + W > N, and what lies and silence add to it. */
export function judgeQuorums({
  n,
  w,
  r,
  f,
}: QuorumSum): readonly { readonly holds: boolean; readonly text: string }[] {
  const shared = r + w - n;
  const writes = 2 * w - n;
  return [
    {
      holds: shared > 0,
      text:
        shared > 0
          ? `every read meets the last write, in at least ${shared} of ${n}`
          : `a read can miss the last write: ${r} + ${w} is not more than ${n}`,
    },
    {
      holds: writes > 0,
      text:
        writes > 0
          ? `no two writes miss each other`
          : `two writes can miss each other: 2 × ${w} is not more than ${n}`,
    },
    {
      holds: n - f >= Math.max(w, r),
      text:
        n - f >= Math.max(w, r)
          ? `it goes on while ${f} are down`
          : `it stands while ${f} are down: ${n - f} are left, and ${Math.max(w, r)} are needed`,
    },
    {
      holds: shared > f,
      text:
        shared > f
          ? `${f} that lie cannot hide a write: an honest one is in every overlap`
          : `${f} that lie can hide a write: they may be all that a read and a write share`,
    },
  ];
}
