import { excessIn } from '../base/json-excess.ts';

/** What stands in a text as JSON, or why nothing is read from it. */
export function readJson(text: string): { readonly json: unknown } | { readonly fault: string } {
  const fault = excessIn(text);
  if (fault !== undefined) return { fault };
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return { fault: 'it is not JSON' };
  }
}
