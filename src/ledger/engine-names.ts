/**
 * The ways in which the validators of a chain may agree. By themselves, so that who asks for a name loads
 * no genesis file's reader.
 */
export const engineNames = ['pbft', 'raft'] as const;
export type EngineName = (typeof engineNames)[number];
