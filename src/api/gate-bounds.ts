import { limits } from '../base/limits.ts';

/** What the gate lets in, and for how long; `limits` says why. Tests have tighter ones. */
export interface GateBounds {
  readonly connections: number;
  readonly reservedConnections: number;
  readonly pipelined: number;
  readonly requests: number;
  readonly requestsPerClient: number;
  readonly places: number;
  readonly placesPerClient: number;
  readonly waitingPerClient: number;
  readonly asideBytes: number;
  readonly slowMs: number;
  readonly stalledMs: number;
}

export const defaultBounds: GateBounds = {
  connections: limits.httpConnections,
  reservedConnections: limits.httpReservedConnections,
  pipelined: limits.httpPipelined,
  requests: limits.httpRequests,
  requestsPerClient: limits.httpRequestsPerClient,
  places: limits.httpPlaces,
  placesPerClient: limits.httpPlacesPerClient,
  waitingPerClient: limits.httpWaitingRequestsPerClient,
  asideBytes: limits.httpAsideBytes,
  slowMs: limits.httpSlowMs,
  stalledMs: limits.httpStalledMs,
};
