/**
 * Node's HTTP server. An `import` of `node:http` would ask for each of its exports, and one of them loads
 * Node's client of HTTP and WebSockets: 2.4 MB and 60 ms of processor time in each node, for nothing.
 */
export const { createServer, METHODS } = process.getBuiltinModule('node:http');
