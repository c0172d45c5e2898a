/** A number of a chart with as many digits as somebody wants to read. */
export function shortNumber(value: number): string {
  const digits =
    Math.abs(value) < 10
      ? { maximumSignificantDigits: 2 }
      : { maximumFractionDigits: Math.abs(value) < 1_000 ? 1 : 0 };
  return value.toLocaleString('en-US', digits);
}

export function withUnit(value: number, unit: string): string {
  return unit === '' ? shortNumber(value) : `${shortNumber(value)} ${unit}`;
}
