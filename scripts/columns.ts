/** A column's heading and its width; below zero: to the right. */
export type Column = readonly [heading: string, width: number];

/** Cells under their columns, each as wide as that says, or as it is. */
export function line(columns: readonly Column[], cells: readonly string[]): string {
  return cells
    .map((cell, index) => {
      const [, width] = columns[index] ?? ['', 0];
      return width < 0 ? cell.padStart(-width) : cell.padEnd(width);
    })
    .join('  ')
    .trimEnd();
}
