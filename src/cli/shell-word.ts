/** A name as it can be typed or pasted into a shell (POSIX, Shell Command Language, section 2.2.2). */
export function shellWord(name: string): string {
  return /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name.replaceAll("'", String.raw`'\''`)}'`;
}
