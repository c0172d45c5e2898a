import type { limits } from './limits.ts';

type Widened<T> = T extends number ? number : { readonly [K in keyof T]: Widened<T[K]> };
/** The table of bounds, with any numbers. */
export type Limits = Widened<typeof limits>;

const KiB = 1024;

/**
 * Bytes of what is signed, stored and sent, as far as bounds depend on it. Tests
 * compare them with the codecs.
 */
export const encodedBytes = {
  hash: 32,
  header: 3 * 6 + 2 + 7 * 32,
  /** A signer's index and the signature. */
  vote: 2 + 64,
  /** What stands beside the votes of a certificate. */
  certificateFrame: 64,
  /** What stands beside the two certificates of a view change, and beside the view changes of a new view. */
  messageFrame: 80,
  /** An account's entry in a snapshot, the smallest. */
  smallestEntry: 50,
};

/** 2f + 1 of 3f + 1, and its like for other numbers. */
function quorum(validators: number): number {
  return Math.ceil((validators + Math.floor((validators - 1) / 3) + 1) / 2);
}

export function largestCertificate(validators: number): number {
  return encodedBytes.certificateFrame + quorum(validators) * encodedBytes.vote;
}

/**
 * The largest message that a validator may have to relay: a quorum of view changes,
 * each with two certificates.
 */
export function largestNewView(validators: number): number {
  const { messageFrame } = encodedBytes;
  return messageFrame + quorum(validators) * (messageFrame + 2 * largestCertificate(validators));
}

/** A header with the hashes of a full block, signed. */
export function largestProposal(of: Pick<Limits, 'maxBlockTransactions'>): number {
  const { header, hash, vote, messageFrame } = encodedBytes;
  return messageFrame + header + vote + of.maxBlockTransactions * hash;
}

interface Relation {
  /** What has to be true, as a sentence. */
  readonly promise: string;
  readonly holds: boolean;
}

/**
 * What the bounds must keep among themselves. A new bound that fits only beside others gets its line here.
 */
export function relationsOf(of: Limits): readonly Relation[] {
  const newView = largestNewView(of.maxValidators);
  const { hash, header, smallestEntry } = encodedBytes;
  const block = header + 2 + of.maxBlockTransactions * 2 + of.maxBlockBytes;
  const proof = of.syncProofHeaders * header + largestCertificate(of.maxValidators);
  const busyOfClient =
    2 * (of.httpRequestsPerClient + of.httpWaitingRequestsPerClient) + of.httpEventReadersPerClient;
  return [
    fits('a new view of the largest committee', newView, 'gossipMessageBytes', of.gossipMessageBytes),
    fits('a new view of the largest committee', newView, 'consensusMessageBytes', of.consensusMessageBytes),
    fits('a proposal of a full block', largestProposal(of), 'gossipMessageBytes', of.gossipMessageBytes),
    fits('a gossip message', of.gossipMessageBytes, 'consensusMessageBytes', of.consensusMessageBytes),
    fits(
      'a frame of transactions',
      of.gossipFrameBytes + of.gossipFrameOverheadBytes,
      'gossipMessageBytes',
      of.gossipMessageBytes,
    ),
    fits('a version of a record, by its key', of.maxRecordKeyBytes + 9, 'storeKeyBytes', of.storeKeyBytes),
    fits('what waits makes blocks', of.waitingBlockMs, 'regossipMs', of.regossipMs),
    fits('a consensus message', of.consensusMessageBytes, 'peerSendQueueBytes', of.peerSendQueueBytes),
    fits('the largest block with its proof', block + proof + KiB, 'responseBytes', of.responseBytes),
    fits(
      'the largest part of a snapshot',
      of.snapshotPartBytes + of.maxTransactionBytes,
      'responseBytes',
      of.responseBytes,
    ),
    fits(
      'the smallest entries of a snapshot’s part',
      of.snapshotPartEntries * (smallestEntry - 20),
      'snapshotPartBytes',
      of.snapshotPartBytes,
    ),
    fits(
      'a request for every transaction of a block',
      hash + 2 + 2 * of.maxBlockTransactions,
      'requestBytes',
      of.requestBytes,
    ),
    fits('a transaction', of.maxTransactionBytes, 'maxBlockBytes', of.maxBlockBytes),
    fits(
      'a record with its fixed fields',
      of.maxRecordKeyBytes + of.maxRecordValueBytes + 256,
      'maxTransactionBytes',
      of.maxTransactionBytes,
    ),
    fits('a full block', of.maxBlockTransactions, 'mempoolTransactions', of.mempoolTransactions),
    fits('a full block', of.maxBlockBytes, 'mempoolBytes', of.mempoolBytes),
    fits('what one sender has waiting', 4 * of.mempoolBytesPerSender, 'mempoolBytes', of.mempoolBytes),
    fits(
      'the widest window, above what waits for the disk',
      of.maxPbftWindow + of.pbftUnstored,
      'ancestorWalk',
      of.ancestorWalk,
    ),
    fits(
      'a window of the largest blocks',
      of.pbftWindow * largestBlock(of),
      'candidateBytes',
      of.candidateBytes,
    ),
    fits(
      'the largest proposal of each validator',
      of.maxValidators * of.maxBlockTransactions,
      'pbftBufferedHashes',
      of.pbftBufferedHashes,
    ),
    fits(
      'a new view for each of the largest committee',
      of.maxValidators * newView,
      'receivingBytes.members',
      of.receivingBytes.members,
    ),
    fits(
      'a message of each stranger',
      of.strangerConnections * of.gossipFrameBytes,
      'receivingBytes.strangers',
      of.receivingBytes.strangers,
    ),
    fits(
      'four proposals of full blocks for each validator',
      4 * of.maxValidators * largestProposal(of),
      'sendQueuesBytes',
      of.sendQueuesBytes,
    ),
    fits(
      'answers for four peers',
      4 * of.requestsPerPeer * of.responseBytes,
      'answersBytes',
      of.answersBytes,
    ),
    fits(
      'what waits under one connection',
      of.underMuxerBytes,
      'untakenBytes.strangers',
      of.untakenBytes.strangers,
    ),
    fits(
      'what strangers do not take',
      of.untakenBytes.strangers,
      'untakenBytes.members',
      of.untakenBytes.members,
    ),
    fits('transactions of the usual size', of.intakeTransactions * 512, 'intakeBytes', of.intakeBytes),
    fits('blocks that wait for the disk', of.commitBlocks, 'pbftUnstored', of.pbftUnstored),
    fits(
      'some windows and two answers of sync',
      4 * of.pbftWindow + 2 * of.syncBlocks,
      'candidateBlocks',
      of.candidateBlocks,
    ),
    fits(
      'signatures at the verifier',
      of.consensusHanded + of.patientHanded,
      'verifierQueue',
      of.verifierQueue,
    ),
    fits('signatures of a transaction', of.maxSigners, 'consensusHanded', of.consensusHanded),
    fits('signatures of a transaction', of.maxSigners, 'patientHanded', of.patientHanded),
    fits('a part of a message', of.claimsAtOnce, 'verifyingClaims', of.verifyingClaims),
    fits(
      'signatures inside a new view of the largest committee',
      quorum(of.maxValidators) * (1 + 2 * quorum(of.maxValidators)),
      'memberClaims.rate.burst',
      of.memberClaims.rate.burst,
    ),
    fits(
      'claims of all strangers',
      2 * of.strangersClaims.underWay,
      'memberClaims.underWay',
      of.memberClaims.underWay,
    ),
    fits(
      'claims of all strangers and one member',
      of.strangersClaims.underWay + of.memberClaims.underWay,
      'verifyingClaims',
      of.verifyingClaims,
    ),
    fits('two frames in a row', 2 * of.gossipFlushMostMs, 'gossipGraceMs', of.gossipGraceMs),
    fits('a transaction', of.maxTransactionBytes + 64, 'gossipFrameBytes', of.gossipFrameBytes),
    fits('claims of a few members', 4 * of.memberClaims.underWay, 'verifyingClaims', of.verifyingClaims),
    fits(
      'claims of one block of strangers',
      of.strangerClaims.underWay,
      'strangersClaims',
      of.strangersClaims.underWay,
    ),
    fits(
      'transactions of all strangers',
      2 * of.strangersTransactions.underWay,
      'memberTransactions.underWay',
      of.memberTransactions.underWay,
    ),
    fits(
      'transactions of a few members',
      4 * of.memberTransactions.underWay,
      'intakeTransactions',
      of.intakeTransactions,
    ),
    fits('a relayed message', of.gossipMessageBytes, 'strangerBytes.burst', of.strangerBytes.burst),
    fits('a response', of.responseBytes, 'strangerServed.bytes.burst', of.strangerServed.bytes.burst),
    fits(
      'strangers of one block',
      of.strangerServed.bytes.perSecond,
      'strangersServed',
      of.strangersServed.bytes.perSecond,
    ),
    fits('time that a request waits', 2 * of.servedWaitMs, 'requestTimeoutMs', of.requestTimeoutMs),
    fits(
      'requests and answers of a second',
      2 * of.requestsPerSecond,
      'line.stranger.streams',
      of.line.stranger.streams.perSecond,
    ),
    fits(
      'requests and answers of a second',
      2 * of.requestsPerSecond,
      'line.member.streams',
      of.line.member.streams.perSecond,
    ),
    fits(
      'a full queue and a response',
      of.peerSendQueueBytes + of.responseBytes,
      'line.member.bytes.burst',
      of.line.member.bytes.burst,
    ),
    fits(
      'a relayed message and a request',
      of.gossipMessageBytes + of.requestBytes,
      'line.stranger.bytes.burst',
      of.line.stranger.bytes.burst,
    ),
    fits(
      'two connections of each validator, and strangers',
      2 * of.maxValidators + of.strangerConnections,
      'maxConnections',
      of.maxConnections,
    ),
    fits('handshakes of strangers at once', of.callers.strangers.burst, 'callers.places', of.callers.places),
    fits(
      'members and listed observers',
      of.raftMembers + of.listedObservers,
      'peersRemembered',
      of.peersRemembered,
    ),
    fits('connections', of.maxConnections, 'peersRemembered', of.peersRemembered),
    fits(
      'a pause before a second peer is asked',
      of.fetchHedgeMs * of.fetchParallel,
      'requestTimeoutMs',
      of.requestTimeoutMs,
    ),
    fits('one batch of a client', of.httpBatch, 'submittedTransactions', of.submittedTransactions),
    fits('one batch of a client', of.httpBodyBytes, 'submittedBytes', of.submittedBytes),
    fits('a frame of transactions', of.gossipFrameBytes, 'intakeBytes', of.intakeBytes),
    fits('a batch in binary', 2 + of.httpBatch * 2, 'httpBodyBytes', of.httpBodyBytes),
    fits('all that one client can keep busy', busyOfClient + 1, 'httpConnections', of.httpConnections),
    fits(
      'a few connections of each of many',
      16 * of.httpConnectionsFew,
      'httpConnections',
      of.httpConnections,
    ),
    fits('a few bodies of one client', 8 * of.httpBodyBytes, 'httpAsideBytes', of.httpAsideBytes / 2),
    fits('a client that sends nothing', of.httpStalledMs, 'httpSlowMs', of.httpSlowMs),
    fits('requests that are worked at', of.httpPlaces, 'httpRequests', of.httpRequests),
    fits('the places of one client', of.httpPlacesPerClient + 1, 'httpPlaces', of.httpPlaces),
    fits('the requests of one client', of.httpRequestsPerClient + 1, 'httpRequests', of.httpRequests),
    fits('the waits of one client', of.httpWaitingPerClient + 1, 'httpWaiting', of.httpWaiting),
    fits('the waits of one client', of.httpWaitingRequestsPerClient + 1, 'httpWaits', of.httpWaits),
    fits(
      'connections that wait for blocks',
      of.httpWaits + of.httpEventReaders,
      'httpConnections',
      0.75 * of.httpConnections,
    ),
    fits(
      'connections that do not give way',
      of.httpWaits + of.httpEventReaders + of.httpRequests,
      'httpConnections',
      of.httpConnections,
    ),
    fits(
      'the readers of one client',
      of.httpEventReadersPerClient + 1,
      'httpEventReaders',
      of.httpEventReaders,
    ),
    fits('a batch of a client that waits', of.httpBatch, 'httpWaitingPerClient', of.httpWaitingPerClient),
    fits('a load balancer’s idle minute', 60_001, 'httpKeepAliveMs', of.httpKeepAliveMs),
    fits('all that others can fill', totalBytes(memoryOf(of)), 'floodBytes', of.floodBytes),
  ];
}

/** What others can make a node keep in memory, and who. */
interface MemoryShare {
  readonly what: string;
  /** Who has to want it: any client, any peer, or validators that lie. */
  readonly filledBy: 'clients' | 'peers' | 'validators';
  /** The most that it takes, in bytes. */
  readonly bytes: number;
}

/**
 * What an object in memory takes beside the bytes of what it stands for: fields,
 * strings, and its places in maps. A transfer of 195 bytes has 680 bytes of these, measured, and keeps up to
 * 701 of others in memory (`sharedBytes`); the only one of its sender takes 400 more while it is pending.
 */
const perTransaction = 1.35 * KiB;
const perPending = 1.75 * KiB;
const perSmallThing = 256;
const perHash = 96;

/** What a block takes in memory: its bytes, and each of its transactions as an object. */
export function blockWeight(bytes: number, transactions: number): number {
  return bytes + transactions * perTransaction;
}

function largestBlock(of: Limits): number {
  return blockWeight(of.maxBlockBytes, of.maxBlockTransactions);
}

/**
 * Everything that peers and clients can fill, each at its bound: that all are full at once takes many
 * liars, and then still no more than `floodBytes`. What grows with the chain itself (the state, the
 * database's caches) is not in it.
 */
export function memoryOf(of: Limits): readonly MemoryShare[] {
  const connections = of.httpConnections + of.httpReservedConnections;
  const liars = Math.floor((of.maxValidators - 1) / 3);
  const share = (
    filledBy: MemoryShare['filledBy'],
    what: string,
    count: number,
    each: number,
  ): MemoryShare => ({
    what,
    filledBy,
    bytes: count * each,
  });
  return [
    share('clients', 'bodies that are being read', of.httpPlaces, of.httpBodyBytes),
    share('clients', 'blocks that are being shown whole', of.httpPlaces, largestBlock(of)),
    share('clients', 'bytes of connections that wait to be read', connections, 2 * of.httpReadBytes),
    share('clients', 'answers to readers of events', of.httpEventReaders, 2 * of.httpEventBufferBytes),
    share('clients', 'those who wait for transactions', of.httpWaiting, perSmallThing),
    // With the bytes that are read from them.
    share('clients', 'transactions of requests that wait', 1.5, of.httpAsideBytes),
    share('clients', 'those transactions while they are checked', of.submittedTransactions, perTransaction),
    share(
      'clients',
      'receipts for those who wait',
      of.httpFinalBlocks * of.maxBlockTransactions,
      perSmallThing,
    ),
    share('clients', 'addresses as they are shown', of.addressesRemembered, perSmallThing),
    share('peers', 'bytes of transactions under check', 1, of.intakeBytes),
    share('peers', 'transactions under check', of.intakeTransactions, perTransaction),
    share('peers', 'pending transactions', 1, of.mempoolBytes),
    share('peers', 'places of pending transactions', of.mempoolTransactions, perPending),
    share('peers', 'why transactions left', of.droppedRemembered, 2 * perSmallThing),
    // By the intake; and by the pool, what left it as final and what may come back.
    share('peers', 'transactions that were passed on or left', 3 * of.mempoolTransactions, perHash),
    share('peers', 'gossip that was seen', of.gossipRemembered, perSmallThing),
    share('peers', 'what became of gossip', of.gossipUndecided.count, 2 * perSmallThing),
    share('peers', 'gossip that waits for a verdict', 1, of.gossipUndecided.bytes),
    share('peers', 'gossip that is not taken', 1, of.gossipOut.all),
    share('peers', 'what callers say before the hello', of.callers.places, of.line.greeting.bytes.burst),
    share('peers', 'messages of strangers that are being received', 1, of.receivingBytes.strangers),
    share('peers', 'requests of strangers that wait', of.servedWaiting, of.requestBytes),
    share('peers', 'answers that are not taken', 1, of.answersBytes),
    share('peers', 'what strangers do not take off the line', 1, of.untakenBytes.strangers),
    share(
      'peers',
      'signatures and messages found good',
      of.verifiedClaims + of.verifiedMessages,
      perSmallThing,
    ),
    share('peers', 'what is known of peers', of.peersRemembered, 8 * perSmallThing),
    share('validators', 'messages of members that are being received', 1, of.receivingBytes.members),
    share('validators', 'requests of liars that wait', liars * of.requestsPerPeer, of.requestBytes),
    share('validators', 'answers of sync', of.fetchParallel, of.responseBytes),
    share('validators', 'blocks that are not final, and not on disk', 1, of.candidateBytes),
    share(
      'validators',
      'blocks on disk that are not final',
      of.pbftStoredWindows * of.pbftWindow,
      largestBlock(of),
    ),
    share('validators', 'final blocks on their way to disk', of.pbftUnstored, largestBlock(of)),
    share('validators', 'what members do not take off the line', 1, of.untakenBytes.members),
    share('validators', 'messages that wait for them', 1, of.sendQueuesBytes),
    share('validators', 'signatures of messages under check', of.verifyingClaims, 2 * perSmallThing),
    share('validators', 'when each proposed and voted', 2 * of.watchedBlocks * of.maxValidators, 2 * perHash),
    share('validators', 'proposals of liars ahead of the window', of.pbftBufferedHashes, perHash),
    // Of each kind; the largest has a view change in it, and the three others two votes.
    share(
      'validators',
      'what convicts liars',
      liars * of.evidencePerKind,
      2 * largestCertificate(of.maxValidators) + 4 * 2 * perSmallThing,
    ),
  ];
}

function totalBytes(shares: readonly MemoryShare[]): number {
  return shares.reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * Throws an error that names what does not fit. No node starts with a table of bounds
 * that contradict each other.
 */
export function checkRelations(of: Limits): void {
  const broken = relationsOf(of).filter(({ holds }) => !holds);
  if (broken.length === 0) return;
  throw new Error(
    `bounds that do not go together: ${broken.map(({ promise }) => `not true: ${promise}`).join('; ')}`,
  );
}

function fits(what: string, size: number, bound: string, limit: number): Relation {
  return { promise: `${what} (${size}) is within ${bound} (${limit})`, holds: size <= limit };
}
