/**
 * The newest version of the rules that this program knows; it knows all before it too. What a version brought
 * is said in `../versions.md`.
 */
export const newestProtocolVersion = 1;

/** The oldest of them. */
export const oldestProtocolVersion = 1;
