/**
 * The library's door. What is not exported here may change without notice. For the client alone,
 * there is `quorate/client`.
 */
export * from './client-in-node.ts';
export { initDirectory } from './node/process/config.ts';
export { type RunningNode, startNode, type StartNodeOptions } from './node/node.ts';
