/**
 * What an operator is to do about what a peer did. The node has done its part by then: these stand in its
 * log.
 */
export const peerAtFault =
  'This node refused it, and disconnects who goes on. Where the log names a validator with it, tell its operator: the program there is another one, or it lies.';

/** What an operator is to do about a peer that did not help. */
export const othersAreAsked =
  'Nothing is to be done: this node asks another peer, or tries again, by itself.';
