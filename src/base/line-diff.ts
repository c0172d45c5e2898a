import { limits } from './limits.ts';

/** A line of two texts: in both, in the first only, or in the second only. */
interface DiffLine {
  readonly sign: ' ' | '-' | '+';
  readonly line: string;
}

/**
 * Lines to take away and to add that make one text of another: the fewest, by a longest common subsequence
 * and a table of all their beginnings, where that has room. Larger texts are taken away and added as a whole.
 */
export function lineDiff(before: readonly string[], after: readonly string[]): DiffLine[] {
  if ((before.length + 1) * (after.length + 1) > limits.lineDiffPlaces) {
    return [
      ...before.map((line) => ({ sign: '-', line }) as const),
      ...after.map((line) => ({ sign: '+', line }) as const),
    ];
  }
  const width = after.length + 1;
  /** How many lines the ends of both have in common, from each pair of lines on. */
  const common = new Uint16Array((before.length + 1) * width);
  for (let left = before.length - 1; left >= 0; left--) {
    for (let right = after.length - 1; right >= 0; right--) {
      const at = left * width + right;
      common[at] =
        before[left] === after[right]
          ? (common[at + width + 1] ?? 0) + 1
          : Math.max(common[at + width] ?? 0, common[at + 1] ?? 0);
    }
  }
  const lines: DiffLine[] = [];
  let [left, right] = [0, 0];
  while (left < before.length || right < after.length) {
    const [old, next] = [before[left], after[right]];
    const at = left * width + right;
    if (old !== undefined && old === next) {
      lines.push({ sign: ' ', line: old });
      left += 1;
      right += 1;
    } else if (
      old !== undefined &&
      (next === undefined || (common[at + width] ?? 0) >= (common[at + 1] ?? 0))
    ) {
      lines.push({ sign: '-', line: old });
      left += 1;
    } else if (next !== undefined) {
      lines.push({ sign: '+', line: next });
      right += 1;
    }
  }
  return lines;
}
