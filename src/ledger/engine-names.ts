/**
 * The ways in which the validators of a chain may agree. In a file of their own, so that a module that needs
 * a name does not load the reader of genesis files.
 */
export const engineNames = ['pbft', 'raft'] as const;
export type EngineName = (typeof engineNames)[number];
