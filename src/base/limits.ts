/**
 * Every bound in the system, in one place, each with its reason. Units are in the names. What they must
 * keep among themselves, and how much memory all of them allow together, is in `limit-relations.ts`, which
 * a node checks before it starts. A bound that is part of validity (marked "consensus") must be the same
 * on every node of a chain.
 */
const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /**
   * V8's young generation: one of its two halves. Left alone a half grows to 64 MiB in a
   * flood, and stays so large.
   */
  youngSpaceMiB: 16,
  /**
   * V8's old generation, in which state, pool and blocks live: room for millions of accounts beside a flood.
   */
  oldSpaceMiB: 4_096,
  /**
   * How far the old generation may grow with garbage before it is searched, in per cent of what lives in it.
   * Left alone that is 300, and what a flood took is kept until then. Measured with 120 MB that live and much
   * that dies: 703 MB of RSS without these bounds, 334 MB with 100 here. Under load, with 60 MB that live, 60
   * is 25 MB less than 100, and what a transaction costs cannot be told apart.
   */
  oldSpaceGrowthPercent: 60,
  /**
   * Calls of a function before V8's last compiler makes it anew: thirty times as many as V8 would wait for.
   * In a new process under load that compiler took a tenth of the time, for code that the one before it had
   * made nearly as fast. Without it at all the state tree takes twice as long.
   */
  lastCompilerCalls: 100_000,
  /**
   * Pieces that glibc cuts its memory in, so that threads do not wait for each other; each keeps what was
   * given back to it. By itself it takes eight for each processor: 50 MB more under load, and nothing faster.
   * (One: nothing less at full load, and 5 % slower.)
   */
  mallocArenas: 2,
  /**
   * All that peers and clients can fill together, at worst. Raise it only with the sum of `memoryOf` in view.
   */
  floodBytes: 1_248 * MiB,

  /**
   * Consensus. Signatures per certificate and votes per height grow with it; quorum
   * arithmetic is tested to 100.
   */
  maxValidators: 100,

  /** A genesis file's size. It is read whole. */
  maxGenesisBytes: 16 * MiB,
  /** Consensus. Accounts that a genesis funds: this many are built and hashed within a second or two. */
  maxGenesisAccounts: 100_000,
  /** Consensus. Characters of the chain's name, or of a validator's. */
  maxNameLength: 63,
  /** Consensus. The largest PBFT window that a genesis may ask for: bounds blocks and votes in memory. */
  maxPbftWindow: 64,

  /** Consensus. Text of a transfer's memo, UTF-8. */
  maxMemoBytes: 128,
  /** Consensus. A record's key, UTF-8: long enough for a path or a UUID with a prefix. */
  maxRecordKeyBytes: 128,
  /** Consensus. A namespace's name, UTF-8: the first segment of a key that has at least one more. */
  maxNamespaceNameBytes: 126,
  /**
   * Consensus. Who may write in a namespace: they stand in its entry, which is hashed by each block that
   * writes there.
   */
  maxNamespaceWriters: 32,
  /** Consensus. Namespaces that a genesis opens. Later ones are opened by transactions. */
  maxGenesisNamespaces: 1_000,
  /**
   * Consensus. A record's value: documents of any kind belong elsewhere, their hash and
   * a small description here.
   */
  maxRecordValueBytes: 4 * KiB,
  /** Consensus. The largest encoded transaction: some full records, or 256 transfers, at a time. */
  maxTransactionBytes: 32 * KiB,
  /** Consensus. Operations of one transaction: what one signature may do at a time. */
  maxOperations: 256,
  /** Consensus. Conditions of one transaction. Each costs a look into the state. */
  maxConditions: 16,
  /**
   * Consensus. Keys of an account, and signatures of a transaction. Each signature
   * costs a check on every node.
   */
  maxSigners: 16,
  /** Consensus. A transaction's reference: a UUID, a hash. */
  maxReferenceBytes: 32,
  /**
   * Consensus. How far ahead of the current height a transaction's expiry may lie: bounds
   * how long it is remembered.
   */
  maxExpiryAhead: 100_000,

  /**
   * Consensus. How far ahead of its block a reservation may end: as far as a transaction's expiry, so that
   * coins are not locked for ever by a slip of the finger.
   */
  maxReservationAhead: 100_000,
  /**
   * Consensus. Reservations that end at one height: as many are released in the block after it, each for some
   * microseconds.
   */
  maxReservationsEnding: 256,
  /**
   * Consensus. This many blocks past its last height a reservation can still be looked up, with what became
   * of it; then its entry goes.
   */
  reservationAfterlife: 1_000,

  /**
   * Consensus. Transactions per block: a node executes a full block in one turn of its event loop, and all
   * else waits for as long. More, or more operations, only make the turn longer: blocks follow each other
   * while others are voted on.
   */
  maxBlockTransactions: 1_024,
  /**
   * Consensus. Operations per block, in all its transactions, for the same reason: each costs about 10 µs.
   */
  maxBlockOperations: 2_048,
  /**
   * Consensus. Encoded transactions per block: one sync message can carry any block
   * (libp2p sends at most 4 MiB).
   */
  maxBlockBytes: 2 * MiB,
  /**
   * Consensus. How far a block's timestamp may lie ahead of a validator's clock, unless it is one
   * millisecond after its parent's.
   */
  maxClockAheadMs: 10_000,

  /** A clock that goes back by less is corrected little by little, and was not set back. */
  clockSetBackMs: 1_000,
  /** A clock that is wrong is warned of this often: each block and each proposal shows it. */
  clockWarningMs: 60_000,

  /**
   * While transactions wait for a nonce that is missing, and nothing else becomes final for this long, an
   * empty block is made, so that they come to their expiry heights. However many wait, it is one block: 26 MB
   * a day with four validators. Shorter than `regossipMs`.
   */
  waitingBlockMs: 2_000,

  /** Pending transactions of one sender: a wallet's burst, and no more of the pool for one key. */
  mempoolPerSender: 4_096,
  /** Encoded bytes of those: a quarter of the pool. */
  mempoolBytesPerSender: 16 * MiB,
  /** Pending transactions in all: bounds the map overhead when they are tiny. */
  mempoolTransactions: 49_152,
  /** Encoded bytes of all pending transactions, with what follows. */
  mempoolBytes: 64 * MiB,
  /**
   * What each operation past the first counts besides, and each condition: as an object it takes so much,
   * 246 bytes measured where all of it are 9.
   */
  partBytes: 256,
  /** The same of each key past the first of those that sign, and of those that operations name: as text. */
  keyBytes: 96,
  /**
   * Small transactions share memory, four transfers that came together: all of it stays for as long as one of
   * them.
   */
  sharedBytes: 896,
  /**
   * How far above the account's nonce a waiting transaction may be: a gap that will never
   * fill keeps only this many.
   */
  mempoolNonceGap: 4_096,
  /**
   * A replacement must pay this much more than what it replaces, in per cent: makes
   * flooding by replacement cost.
   */
  mempoolReplacementPercent: 10,
  /**
   * How long an executable transaction may wait before a full block without it is unfair, unless the genesis
   * file says so (PBFT, `censorshipMs`).
   */
  mempoolPatienceMs: 10_000,
  /** Transactions of a block that are taken because they waited longest, before the dearest: a sixteenth. */
  mempoolAgedShare: 64,
  /**
   * Transactions of one sender before all other senders had their turn: 64 senders at
   * least share a full block.
   */
  mempoolSenderShare: 16,

  /**
   * So many more full blocks without most of those that waited too long than with them are no accident: pools
   * differ for a moment.
   */
  mempoolUnfairBlocks: 8,
  /**
   * Blocks that passed over a transaction and are remembered. More would say nothing new: the oldest counts.
   */
  mempoolPassedOver: 32,
  /**
   * Transactions gossiped in one frame, in bytes: large enough to share the cost of a delivery, small
   * enough to relay at once.
   */
  gossipFrameBytes: 64 * KiB,
  /**
   * Frames leave so far apart for each transaction in the last one, unless they are full: the first at once,
   * and those of a node that gets one now and then hardly wait.
   */
  gossipFlushMs: 5,
  /** And no farther: well within `gossipGraceMs`, after which others ask for what a block names. */
  gossipFlushMostMs: 25,
  /**
   * Gossip of a member, of a stranger, and of all strangers together, however small: each delivery counts,
   * and each message in it. A node with a heavy load of its own sends 200 a second, and a hub relays those of
   * others; each costs about 20 µs before the node sees it. From a stranger so many (`quiet`) are taken
   * whatever the others send: what it listens to is in them, and a few of what it has to say each second.
   */
  gossipMessages: {
    member: { perSecond: 4_000, burst: 16_000 },
    stranger: { perSecond: 600, burst: 2_400 },
    strangers: { perSecond: 2_000, burst: 8_000 },
    quiet: { perSecond: 16, burst: 32 },
  },
  /**
   * A node with no more members to talk to relays all gossip to all of them: as many as are in a mesh of
   * members in any case, and in a network of few links each may be the only way.
   */
  gossipFewMembers: 4,
  /**
   * A validator's frame of transactions is passed on after this long where no link between validators seems
   * to be missing, if something in it still waits then. The others had it from its sender, most likely; on a
   * quiet chain it is final by then, and each copy that is not sent spares both sides a message.
   */
  frameRelayMs: 50,
  /**
   * To how many members a node relays gossip by its own choice, besides those that asked for it: each copy
   * that comes in vain costs as much as a delivery.
   */
  gossipMesh: 2,
  /**
   * A node passes all gossip on to a member that asked for it, for this long. Whoever hears a validator
   * through others only asks those who bring its messages, so many of them at once, twice as often: an
   * honest network has some copies more, and a liar who hides behind others costs no more than that.
   */
  gossipAskedMs: 10_000,
  gossipAsked: 4,
  /** Strangers to whom a node relays gossip that has no member to talk to. */
  gossipMeshStrangers: 3,
  /**
   * Gossip messages that are remembered, so that none is taken twice: some minutes of an honest
   * network, and 30 MB at most.
   */
  gossipRemembered: 131_072,
  /** And for how long, in milliseconds. Until then the same bytes are not published again, either. */
  gossipSeenMs: 60_000,
  /** What is added to that for their lengths and number: four bytes for each of the smallest. */
  gossipFrameOverheadBytes: 2 * KiB,
  /**
   * The largest gossip message accepted: a consensus message that had to be relayed, of which a
   * new-view is the largest.
   */
  gossipMessageBytes: 640 * KiB,

  /**
   * The largest consensus message: a pre-prepare of a full block is 4,096 hashes of 32 bytes; a
   * new-view carries q view changes.
   */
  consensusMessageBytes: 2 * MiB,
  /**
   * Gossip that waits for a verdict, past which new one is not looked at. One peer may have a quarter of it.
   */
  gossipUndecided: { count: 8_192, bytes: 16 * MiB },
  /**
   * Gossip that one peer has not taken before its stream is given up, and of all peers: streams of those who
   * take the least go first.
   */
  gossipOut: { stream: 4 * MiB, all: 32 * MiB },
  /**
   * What has come of messages that are not whole yet, of all members and of all strangers: a few of the
   * largest each, for whoever is in the middle of one. When it is full, those who hold the most are cut off:
   * never who holds no more than a new view, with 100 validators.
   */
  receivingBytes: { members: 64 * MiB, strangers: 16 * MiB },
  /**
   * Messages that wait for all peers together: when it is full, the longest queue loses its oldest. One
   * block's hashes for 99 peers take 13 MiB.
   */
  sendQueuesBytes: 64 * MiB,
  /**
   * Answers that peers have not taken, for all of them: when it is full, the oldest of whoever
   * holds the most is given up.
   */
  answersBytes: 48 * MiB,
  /**
   * Bytes waiting for one peer on its consensus stream before the oldest are dropped;
   * Status repairs the loss.
   */
  peerSendQueueBytes: 8 * MiB,
  /**
   * Bytes of urgent messages (about 100 each) waiting for one peer before the oldest are dropped: a third of
   * the reads that may wait at once.
   */
  peerUrgentQueueBytes: 256 * KiB,
  /**
   * The largest response of a request/response protocol: one full block with its
   * certificate, or many small ones.
   */
  responseBytes: 3 * MiB,
  /** Of those, room for the proof and the lengths. */
  responseProofBytes: 128 * KiB,
  /** The largest request. */
  requestBytes: 160 * KiB,
  /** How long a request may take before the next peer is asked. */
  requestTimeoutMs: 5_000,
  /** Blocks per sync response; the response's size bounds it first when blocks are large. */
  syncBlocks: 128,
  /**
   * Bytes and time of the main thread in which a member's requests are served: as fast as a good line takes
   * them, so that who was away comes back soon, and never most of the time.
   */
  memberServed: {
    bytes: { perSecond: 32 * MiB, burst: 64 * MiB },
    busyMs: { perSecond: 300, burst: 1_000 },
  },
  /**
   * The same for the strangers of one address block: a response in one go, then as fast as an observer of a
   * busy chain needs to catch up.
   */
  strangerServed: { bytes: { perSecond: MiB, burst: 4 * MiB }, busyMs: { perSecond: 30, burst: 200 } },
  /** And for all strangers together. */
  strangersServed: {
    bytes: { perSecond: 4 * MiB, burst: 16 * MiB },
    busyMs: { perSecond: 100, burst: 500 },
  },
  /**
   * What the strangers of one block are served of what is left by members, whatever other strangers ask: an
   * answer of the largest a minute, or what it takes to follow a chain that has little to do.
   */
  strangerServedFirst: {
    bytes: { perSecond: 64 * KiB, burst: 64 * KiB },
    busyMs: { perSecond: 1, burst: 10 },
  },
  /**
   * Time for all requests of all peers, however many members ask for all that is theirs; strangers are served
   * only while half of what may come in one go is left.
   */
  servedBusyMs: { perSecond: 400, burst: 1_000 },
  /**
   * Time in which a member is served whatever others take: what a validator lacks of a block now and then,
   * and a piece of the chain.
   */
  memberServedFirst: { perSecond: 10, burst: 200 },
  /** What a request counts besides its answer, in bytes: its stream, its place in the queue. */
  servedRequestBytes: 2 * KiB,
  /**
   * A request waits for its turn this long, and is refused when that is not enough: well
   * below `requestTimeoutMs`.
   */
  servedWaitMs: 2_000,
  /** Requests of strangers that wait at once: each may hold `requestBytes`. */
  servedWaiting: 64,
  /** Requests served at once for one peer. */
  requestsPerPeer: 4,
  /**
   * Bytes that a peer may send on one stream before we took them: what a fast line holds on its way. A longer
   * frame is refused at its header.
   */
  streamWindowBytes: 1 * MiB,
  /** The other side hears that it may send more when this share of the window was used. */
  windowUpdateShare: 1 / 8,
  /**
   * What one connection may send below the streams; past it the connection ends. Costs, measured on one core:
   * a frame of the muxer 5 µs (a ping, which is answered), a stream opened and reset 140 µs, a MiB 6 ms. A
   * frame that comes in pieces counts once more for each piece. Messages are what our protocols and gossip
   * cut streams into: one may be of a byte, and costs 2 µs where nobody looks at it.
   */
  line: {
    /**
     * Before the hello. An honest node sends some 20 frames, 2 streams and half a KiB; the rest is room for
     * streams that the other side opens a moment early.
     */
    greeting: {
      frames: { perSecond: 10, burst: 100 },
      messages: { perSecond: 10, burst: 100 },
      streams: { perSecond: 1, burst: 8 },
      bytes: { perSecond: 1 * KiB, burst: 32 * KiB },
    },
    /**
     * Of anybody. An observer sends what it relays, and requests: measured at 1,800 transactions a second,
     * 205 frames and 1.2 MB a second. It opens a stream for its hello, if it dialled, one for its messages,
     * one for gossip, and one for each request: `requestsPerSecond` is half of the streams.
     */
    stranger: {
      frames: { perSecond: 2_000, burst: 4_000 },
      messages: { perSecond: 4_000, burst: 16_000 },
      streams: { perSecond: 100, burst: 200 },
      bytes: { perSecond: 8 * MiB, burst: 32 * MiB },
    },
    /**
     * Of all strangers together: 4, 3, 6 and 10 % of a core, and twice that at most while those who had to go
     * come back. Past it those go who send the most, and nobody who sends no more than an equal part.
     */
    strangers: {
      frames: { perSecond: 8_000, burst: 16_000 },
      messages: { perSecond: 16_000, burst: 64_000 },
      streams: { perSecond: 400, burst: 800 },
      bytes: { perSecond: 16 * MiB, burst: 64 * MiB },
    },
    /**
     * Of a key that we know. Its bytes: what a fast machine executes in a second, in
     * the largest transactions.
     */
    member: {
      frames: { perSecond: 10_000, burst: 20_000 },
      messages: { perSecond: 20_000, burst: 80_000 },
      streams: { perSecond: 100, burst: 200 },
      bytes: { perSecond: 64 * MiB, burst: 128 * MiB },
    },
  },
  /** Half of what a stranger sent is forgotten in this time, when it is asked who sends the most. */
  recentUseMs: 1_000,
  /** Requests sent to one peer in a second, the others wait: 50 snapshot parts are 12 MiB. */
  requestsPerSecond: 50,
  /**
   * Callers until their hello is accepted. One that says hello costs 6 ms, most of it before we know
   * who it is; so known addresses (those of configured peers and of members met before) may have 60 ms
   * of a second each, and strangers as much in all. The burst of a known one lets a network of many
   * nodes start on one machine.
   */
  callers: {
    /** Connections without a hello. Past it the caller who has shown least gives way. */
    places: 128,
    known: { perSecond: 10, burst: 64 },
    /** Of one address block that nobody known is in. */
    block: { perSecond: 2, burst: 20 },
    /** Of all those together. */
    strangers: { perSecond: 10, burst: 40 },
    /**
     * And of those among them whose block had one not longer ago than `againMs`: or six blocks that call all
     * the time would keep everybody else out. So it takes 240.
     */
    again: { perSecond: 6, burst: 24 },
    againMs: 60_000,
    /**
     * The same for connections of TCP, whatever comes on them: a few hundred of those that are let in can be
     * had a second beside all else, and one that is not costs a socket and nothing more.
     */
    calls: {
      known: { perSecond: 50, burst: 512 },
      block: { perSecond: 10, burst: 256 },
      strangers: { perSecond: 200, burst: 1_024 },
      again: { perSecond: 120, burst: 512 },
    },
  },
  /**
   * Connections whose hello was accepted: two for each of the largest committee, those of strangers, and
   * room for listed observers.
   */
  maxConnections: 288,
  /** Those of strangers. When there is no other place for a member, one of them goes. */
  strangerConnections: 64,
  /**
   * Of those the ones that are here longest, who stay: the others may lose their place by lot to newcomers
   * from elsewhere, and lots are drawn anew this often, in milliseconds.
   */
  strangersStay: 32,
  lotMs: 10 * 60 * 1_000,
  /**
   * Connections of one member's key: two when both dialled, and as many of a process that
   * takes the place of another.
   */
  linksPerMember: 4,
  /** Connections of one peer at once: two when both dialled, and one that replaces a dying one. */
  linksPerPeer: 3,
  /**
   * After this many breaks of the consensus stream with no calm between them the whole connection is given
   * up.
   */
  streamReopens: 5,
  /** A stream that lived this long clears the count of breaks. */
  streamCalmMs: 10_000,
  /** How long a peer may take to open the consensus stream. */
  streamOpenTimeoutMs: 5_000,
  /**
   * Budgets of callers that are remembered, and hosts that are known. The one that was used longest ago is
   * forgotten first.
   */
  hostsRemembered: 1_024,
  /**
   * Peers with penalties that are remembered. The one that offended longest ago is forgotten first, so
   * identities made to order cost no memory.
   */
  penaltiesRemembered: 1_024,
  /** Frames that one side may send ahead of the other on a stream that is read one frame at a time. */
  framesAhead: 4,
  /** A hello with its envelope; the verdict is shorter. */
  helloFrameBytes: 4 * KiB,
  /**
   * Streams at once on one connection and in one direction: direct, gossip, hello, and requests both ways.
   */
  streamsPerConnection: 32,
  /** How long a refused peer may take to read the verdict. */
  verdictReadMs: 1_000,
  /**
   * What waits under the muxer of one connection: one frame of each stream at most, with windows of 1 MiB.
   */
  underMuxerBytes: 32 * MiB,
  /**
   * The same of all connections of strangers, and of members, with what TLS keeps of it twice. Past it those
   * go who hold the most.
   */
  untakenBytes: { strangers: 48 * MiB, members: 128 * MiB },
  /**
   * Names of protocols that we do not have and that are declined before there is nothing left to talk about:
   * more than any version asked for at once.
   */
  unknownProtocols: 4,
  /**
   * What TLS may take for itself on one connection. A node's handshake is 2.1 KiB, most of it a key that
   * outlives quantum computers, and its greeting may come in one piece with the end of that; each more
   * certificate in a chain may cost 2 ms. A record has some 22 bytes of its own, and what comes in small
   * pieces counts as many records. Hidden is what yields no data, in a row: a record that is not whole yet
   * has 16 KiB.
   */
  secureChannel: { handshakeBytes: 4 * KiB, recordBytes: 64, hiddenBytes: 32 * KiB },
  /** A peer's TLS certificate. Ours have 500 bytes. What is larger is not read. */
  certificateBytes: 2 * KiB,
  /** Requests of ours that wait for one peer beyond those on the way; past it new ones fail at once. */
  requestsWaiting: 64,
  /** Keys of observers in a node's settings. */
  listedObservers: 256,

  /** The address of an API that a node tells others: far more than any host and port need. */
  apiUrlBytes: 200,

  /** Transactions of one block whose waiting is looked at, spread over it. */
  waitsPerBlock: 64,
  /** Waits that one sample's percentiles are made from; of more, some evenly spread. */
  waitsPerSample: 4_096,
  /** How often this node takes a sample of what it measures, and how many are kept: ten minutes of them. */
  sampleMs: 2_000,
  samplesKept: 300,
  /** The same for a longer look back: twelve hours. */
  longSampleMs: 60_000,
  longSamplesKept: 720,
  /**
   * The size of the database is looked at so often, or when the last look has ended. It asks for each of the
   * files, which become more with the chain: so many at a time, which takes some 20 ms, and then it rests.
   */
  diskUsageMs: 30_000,
  diskUsageFiles: 1_000,
  /** Changes of the view that are kept with their reasons: more than a day of trouble has. */
  viewChangesKept: 256,
  /**
   * Final blocks for which it is kept who proposed and voted when; and how far above them what is said is
   * noted. Each has at most two notes of each validator.
   */
  watchedBlocks: 64,

  /** HTTP request body: a batch of transactions. */
  httpBodyBytes: 2 * MiB,
  /** Transactions in one HTTP submission. */
  httpBatch: 1_000,
  /**
   * The most that a client pays for each operation (and each signature after the first) when nobody told it a
   * fee: a node that lies about what the chain asks for costs no more. In the smallest unit.
   */
  unaskedFee: 1_000n,

  /** How long a client may take to send a request. */
  httpRequestTimeoutMs: 10_000,
  /** Items per page of a list. */
  /** Changes of the validators in one answer: each has a certificate, and this many keys. */
  httpEpochs: 20,
  httpPage: 100,
  /**
   * Keys that a list of records looks at for one page, however many of them are of deleted records: then the
   * page ends, and its cursor goes on.
   */
  listedKeys: 1_000,
  /** Entries of a proven page of a namespace, which ends before with the one that makes it so many bytes. */
  listingEntries: 100,
  listingBytes: 64 * KiB,
  /** Transactions that a client asks for at once when it follows the history of a record. */
  historyAtOnce: 8,
  /** How often a client begins to read a proven list that changed between two of its pages. */
  wholeListTries: 3,
  /** Items of a list that come unless more are asked for. */
  httpListPage: 20,
  /**
   * Listed transactions written as JSON in one turn of the loop: one of the largest takes about a
   * millisecond.
   */
  httpPieceListed: 8,
  /**
   * A batch of the command line, in bytes and in lines: what can be signed in some ten minutes, and read
   * whole.
   */
  batchBytes: 64 * MiB,
  batchLines: 100_000,
  /** What a batch signed, in hex: as much again for each byte, and what each transaction has besides. */
  batchJournalBytes: 256 * MiB,
  /**
   * HTTP connections at once: room for all that are waited for, read or answered, so that those beyond find
   * an idle one in whose place they come, or one of the reserved.
   */
  httpConnections: 576,
  /**
   * Connections of one client up to which clients are alike when idle ones have to give way: a browser's, or
   * the pool of a client library, and some more behind the same address.
   */
  httpConnectionsFew: 16,
  /**
   * HTTP connections beyond them, for health, readiness and metrics only: some probes of several watchers.
   */
  httpReservedConnections: 32,
  /**
   * Requests behind the one that is being answered on a connection: HTTP clients that
   * pipeline at all send a handful.
   */
  httpPipelined: 16,
  /**
   * Bytes that the HTTP parser gets at a time, and of one connection in one turn of the loop: a piece holds
   * some forty of the smallest requests, of which each costs 20 µs.
   */
  httpReadPieceBytes: 2 * KiB,
  httpReadBytes: 64 * KiB,
  /** And so much time: of the smallest chunks a piece takes about 1 ms. */
  httpReadMs: 1,
  /** What a body may have of frames of chunks beyond its own size: each costs 1 to 2 µs. */
  httpFrameBytes: 4 * KiB,
  /**
   * Requests that are being read or answered, or wait for that, in all and of one client, its reads and what
   * it submits apart; those behind them on a connection are not counted. Past all of them, who sends nothing
   * and who has more waiting than others gives way: two clients could have them all.
   */
  httpRequests: 256,
  httpRequestsPerClient: 64,
  /**
   * This many of these are read and answered at once, each with at most a request's body and a
   * piece of an answer in memory.
   */
  httpPlaces: 16,
  httpPlacesPerClient: 8,
  /**
   * A client that has had such a place for this long, and sends or takes nothing, goes when others wait: a
   * body takes a slow line that long.
   */
  httpSlowMs: 1_000,
  /** And so does who sends no more of its body for this long. */
  httpStalledMs: 250,
  /** Requests of one client that wait for others than us: the verifier, a leader, finality. */
  httpWaitingRequestsPerClient: 160,
  /**
   * Transactions of requests that wait for others, as they came, in all; half of it for one client: sixteen
   * of the largest batches in all.
   */
  httpAsideBytes: 32 * MiB,
  /**
   * How long reads rest after a piece of work, in multiples of it: they get a quarter of the loop at most.
   * Submissions have half of it.
   */
  httpRestPerRead: 3,
  /**
   * One piece of work for a client or a peer counts as this long at most. They take milliseconds: what looks
   * longer is a process that was stopped in one, and nobody has to wait for that once more.
   */
  pieceCountedMs: 250,
  /** Headers read from disk in one turn of the loop for a client: 0.1 to 0.3 ms each. */
  httpPieceHeaders: 8,
  /**
   * Transactions or receipts decoded, hashed or written as JSON in one turn of the loop for a
   * client: 0.01 to 0.03 ms each.
   */
  httpPieceTransactions: 64,
  /**
   * And of so many bytes, as many as the largest has: the keys that it can name take some 5 ms, each with a
   * look whether it is a point.
   */
  httpPieceBytes: 32 * KiB,
  /**
   * Characters of a long text written as JSON in one turn of the loop for a client: some 0.2 ms. A piece of a
   * list ends with the item that brings it there.
   */
  httpPieceCharacters: 64 * KiB,
  /**
   * How long an idle HTTP connection is kept: longer than a load balancer's usual 60 s,
   * so that it closes first.
   */
  httpKeepAliveMs: 65_000,
  /** A path parameter: a record's key with every byte percent-encoded. */
  httpParameterBytes: 3 * 128,
  /** Nesting of a JSON request; the deepest that we define has 3 levels. */
  httpJsonDepth: 8,
  /** The longest that a submission may ask to wait until it is final. */
  httpWaitMs: 60_000,
  /**
   * Submissions that are waited for at once, less than half of the connections: the others are for those who
   * submit and ask. Past it the longest wait of whoever has most of them is answered as things stand.
   */
  httpWaits: 256,
  /**
   * Transactions that clients wait for at once: bounds the table of who is to be told. One
   * client has at most half of it.
   */
  httpWaiting: 10_000,
  httpWaitingPerClient: 5_000,
  /**
   * Final blocks kept for those whose transactions are still being judged: a second's worth. What is older
   * is looked up in the store.
   */
  httpFinalBlocks: 16,
  /**
   * What waits behind missing nonces is looked up anew for those who ask why this often: it takes a
   * walk over the whole pool.
   */
  whyGapsMs: 500,
  /** Readers of the event stream at once, and of one client. */
  httpEventReaders: 64,
  httpEventReadersPerClient: 32,
  /**
   * Bytes waiting for one reader of the event stream before it is taken from live
   * events to reading the store.
   */
  httpEventBufferBytes: 64 * KiB,
  /** A reader of the event stream that takes nothing for this long is dropped. */
  httpEventStallMs: 15_000,
  /**
   * Silence on the event stream is broken by a comment this often, so that proxies keep it open
   * and a dead peer is noticed.
   */
  httpEventPingMs: 15_000,

  /** Client: text without an event. An event is a header; more than this is no event stream of ours. */
  clientEventBytes: 64 * KiB,
  /** Client: a stream without a new block in so much is left. Signs of life fill it in two months. */
  clientIdleStreamBytes: 1 * MiB,
  /** Client: what a node says instead of a stream. It is a problem, and small. */
  clientRefusalBytes: 64 * KiB,
  /** Client: one attempt, in ms. Timers count in 31 bits, and whatever is more ends at once. */
  clientAttemptMs: 2 ** 31 - 1,
  /** Client: an answer. The largest is a full block with its certificate in hex, which is far below this. */
  clientAnswerBytes: 32 * MiB,
  /**
   * Levels of JSON in a file or an answer. A list of transactions needs some ten; what walks through an
   * answer calls itself once for each.
   */
  jsonLevels: 32,
  /**
   * Values in it, lists and objects among them. A full block has some 100,000, the largest genesis 400,000.
   * However few bytes each takes on its way, it takes some 50 here.
   */
  jsonValues: 2 ** 20,
  /** Pairs of lines of two texts that are compared line by line: some 2,000 lines of each. */
  lineDiffPlaces: 4_000_000,
  /** A node's config.json, and its note of where its key was used. Each is read whole. */
  nodeFileBytes: 1 * MiB,
  /** The file that says what a store's directory is. It is read whole. */
  storeMarkerBytes: 4_096,
  /** A key file. It is read whole. */
  keyFileBytes: 4_096,
  /** A file that holds a password or a token and nothing else. It is read whole. */
  secretFileBytes: 4_096,
  /** A simulated run takes seconds. One that takes longer than this is given up: a step in it never ends. */
  simulatedRunMs: 600_000,
  /** The plan of a simulated run, as a file. It is read whole. */
  planFileBytes: 16 * MiB,
  /** The name of a key, UTF-8. It stands in the file, and in lists on a terminal. */
  keyNameBytes: 64,

  /** PBFT: blocks in flight above the last final one. */
  pbftWindow: 8,
  /**
   * PBFT: final blocks that may wait for the disk before this validator votes for no more: a
   * batch of `commitBlocks`.
   */
  pbftUnstored: 16,
  /** PBFT: windows of blocks that are on disk and not final: views that fail leave theirs behind. */
  pbftStoredWindows: 4,
  /**
   * PBFT: for this share of a view's time its primary waits for ViewChanges whose blocks it has, before it
   * begins with one that it has not.
   */
  pbftTipWaitShare: 1 / 4,
  /** PBFT: messages ahead of the window or view that are kept for one validator. */
  pbftBufferedPerValidator: 64,
  /** PBFT: how many views or windows ahead a message may be and still be worth keeping. */
  pbftFarAhead: 64,
  /**
   * PBFT: hashes in the proposals among them, of all validators: a full block's for each. Past it whoever has
   * the most loses its oldest proposal.
   */
  pbftBufferedHashes: 102_400,

  /**
   * Pieces of evidence kept for one validator and kind: one convicts, a few show a pattern, and a
   * liar must not fill the disk.
   */
  evidencePerKind: 16,

  /**
   * Signatures at the verifier. Whoever calls it hands over a few and keeps the rest, so nothing
   * that peers do gets here.
   */
  verifierQueue: 4_096,

  /** Raft: members ever, the removed included: an index is never given to another key. */
  raftMembers: 256,
  /** Raft: an encoded configuration, 33 bytes for each member and their count. */
  raftConfigurationBytes: 33 * 256 + 2,
  /** Raft: blocks that a leader has in flight above the last final one. */
  raftWindow: 16,
  /**
   * Raft: encoded transactions in blocks that are not final yet; past it a leader builds nothing and
   * submissions are told to wait.
   */
  raftUncommittedBytes: 16 * MiB,
  /** Raft: append messages on the way to one follower without an answer. */
  raftInFlightMessages: 16,
  /**
   * Raft: encoded proposals on the way to one follower without an answer: a slow link holds this
   * much memory and no more.
   */
  raftInFlightBytes: 2 * MiB,
  /** Raft: encoded proposals in one append message; one is always sent. */
  raftAppendBytes: 256 * KiB,
  /**
   * Raft: entries of an append message that are read: more than any leader sends, as the smallest proposal is
   * about 300 bytes.
   */
  raftAppendEntries: 4_096,
  /**
   * Raft: blocks below the final one whose proposals stay in memory for followers that are a little behind.
   */
  raftTail: 64,
  /** Raft: linearizable reads that wait at once; more get a retryable problem. */
  raftPendingReads: 10_000,
  /**
   * Raft: blocks in which a chain begins. A voter of an empty log that nobody knows anything of, and that
   * hears of more before it bound itself to anything, comes to a chain that runs. A leader makes one in its
   * first term, and members are started within minutes of each other, before clients come.
   */
  raftBeginning: 16,
  /** Raft: terms in which it led that a member remembers, to know its own blocks from another process's. */
  raftTermsLed: 1_024,

  /**
   * Entries of the state in one part of a snapshot, in bytes: a fraction of a response, and written
   * in one batch as it comes.
   */
  snapshotPartBytes: 256 * KiB,
  /** The same in number: the smallest entry, an account, takes 50 bytes. */
  snapshotPartEntries: 8_192,
  /**
   * Snapshots whose states are kept in memory to be served: the newest, and the one before, which
   * somebody may be fetching.
   */
  snapshotsServed: 2,
  /** Older ones that are kept because somebody is fetching them. */
  snapshotsFetched: 2,
  /**
   * This long after a part was asked for, somebody counts as fetching: longer than a try
   * takes that gets no answer.
   */
  snapshotFetchMs: 30_000,
  /**
   * And so long after there was a newer snapshot, whoever asks: a stranger's share brings 80 GiB in this
   * time, and blocks of a day more are stored meanwhile.
   */
  snapshotKeptMs: 24 * 60 * 60 * 1_000,
  /**
   * Peers may fail to give a part of a snapshot this often in a row before the fetch is given up
   * for now; what came is kept.
   */
  snapshotTries: 4,
  /**
   * Final blocks that wait for the disk and are written in one batch, where each has
   * a certificate of its own.
   */
  commitBlocks: 16,
  /**
   * What was written with a validator's key is noted beside it at most so late: two small syncs a second, and
   * a copy of the database that is older shows.
   */
  keyUseMs: 1_000,
  /**
   * Files of the database that are open at once: tables of 2 MiB, and ten others. LevelDB maps an open table
   * into memory, where all that was read of it counts as the node's; by itself it opens 990, and reading a
   * chain of 440 MB took 390 MB. These are the fewest that it allows. A read costs some 40 µs more.
   */
  storeOpenFiles: 74,
  /**
   * Bytes on disk of what was removed and lies in a range that each start reads: more is put away. They take
   * some 50 ms to read. LevelDB alone keeps traces of about a tenth of all that was ever there.
   */
  deadBytes: 4 * MiB,
  /** Final blocks after which a node that runs looks how many those are: each leaves some 50 bytes. */
  compactBlocks: 65_536,
  /** Blocks that are deleted in one batch. */
  pruneBlocks: 128,
  /** The same of blocks that a snapshot replaced, with each batch of final blocks: in a millisecond. */
  leftoverBlocks: 64,
  /** Entries of the indexes that are looked at for their removal with each batch of final blocks. */
  sweptEntries: 1_024,
  /** A key in the store, its kind included: a record's with the height, and all that stands between. */
  storeKeyBytes: 256,
  /**
   * Transactions whose entries in the indexes are deleted in one batch: each is decoded once more to know
   * them, which takes some 10 µs.
   */
  pruneTransactions: 512,
  /** A record's entry in the state: its value, and some hundred bytes beside it. */
  recordEntryBytes: 5 * KiB,
  /**
   * Entries of an index that are read to find the value that a record had at a height: each stands for a
   * block in which the record was only given to somebody else since its value was written.
   */
  historyWalk: 1_000,

  /** Time between two ticks of the engine: a tenth of the shortest timeout that makes sense. */
  tickMs: 20,
  /**
   * How far behind an engine's clock may be when it gets an input: two ticks. When the last one is
   * older, another comes first.
   */
  engineClockMs: 40,
  /**
   * Signatures found true that are remembered, by digest: votes seen again inside certificates then cost
   * nothing. The largest new-view of 100 validators has 9,045. Each takes 140 bytes.
   */
  verifiedClaims: 16_384,
  /**
   * So few signatures are checked where they are asked for, by the addon, while the thread that checks has
   * nothing to do: 50 µs for one, right or wrong. To send them over and wake two threads costs as much, and
   * takes longer. Two votes that come together have as many.
   */
  claimsAtHand: 4,
  /** Addresses that are remembered as text: 250 bytes each, and 4 µs to make one. */
  addressesRemembered: 8_192,
  /**
   * Messages with signatures inside that were found good and are remembered, by digest: relayed
   * again they cost one hash.
   */
  verifiedMessages: 4_096,
  /**
   * Signatures of consensus messages and certificates being checked, in all, past which new ones are dropped:
   * engines repeat themselves.
   */
  verifyingClaims: 32_768,
  /**
   * Signatures at the verifier at once, by the rule of consensus: what is more urgent waits
   * behind 20 ms of work at most.
   */
  consensusHanded: 256,
  /** The same of new transactions: a large batch at most, and what a block needs waits for few. */
  patientHanded: 256,
  /**
   * Signatures inside one message that are made and checked at once: the first wrong one spares us the rest.
   */
  claimsAtOnce: 256,
  /**
   * What a member (a validator, or a peer that the operator named) may have checked of signatures on messages
   * at once and each second, and in one go after a quiet time: a correct one sends a few for each block. The
   * same for what stands inside the messages that one validator signed, where a burst holds more than the
   * largest new-view: 9,045 with 100 validators.
   */
  memberClaims: { underWay: 2_048, rate: { perSecond: 4_096, burst: 16_384 } },
  /** The same for the strangers of one address block. They only relay, and identities cost nothing. */
  strangerClaims: { underWay: 128, rate: { perSecond: 256, burst: 512 } },
  /** And for all strangers together: a twelfth of what the verifier can do. */
  strangersClaims: { underWay: 512, rate: { perSecond: 1_024, burst: 2_048 } },
  /**
   * New transactions of a member that are being checked at once; how fast they come is
   * bounded by the verifier alone.
   */
  memberTransactions: { underWay: 8_192 },
  /** The same for the strangers of one address block, and for all strangers together. */
  strangerTransactions: { underWay: 1_024, rate: { perSecond: 1_024, burst: 2_048 } },
  strangersTransactions: { underWay: 2_048, rate: { perSecond: 2_048, burst: 4_096 } },
  /**
   * Bytes of messages and gossip of a member that are decoded: 1 MiB costs about 20 ms. The proposals of 100
   * validators, 20 blocks a second and a heavy load of transactions are a third of that.
   */
  memberBytes: { perSecond: 8 * MiB, burst: 32 * MiB },
  /** What a message counts besides its bytes there: the smallest costs 10 µs, too. */
  messageOverheadBytes: 512,
  /**
   * What a key counts there that a transaction names, past one in each: to see whether it is a point of the
   * curve takes 4 µs, which is 200 bytes of anything else. The largest transaction names 992.
   */
  namedKeyBytes: 200,
  /**
   * What an operation past the first counts there, and a condition: to read the smallest takes as long as 14
   * bytes of a transfer, and it has 4.
   */
  readPartBytes: 16,
  /** The same for the strangers of one address block, and for all of them. */
  strangerBytes: { perSecond: 256 * KiB, burst: MiB },
  strangersBytes: { perSecond: MiB, burst: 4 * MiB },
  /**
   * Faults of one member, or of the strangers of one address block, within `peerFaultWindowMs`, before it is
   * not listened to for `peerMuteMs`.
   */
  peerFaults: 8,
  peerFaultWindowMs: 10_000,
  peerMuteMs: 30_000,
  /** This many signatures checked in vain make a fault count once more: what costs more ends sooner. */
  claimsPerFault: 32,
  /** Peers whose faults are remembered: more than can be connected. */
  peersRemembered: 1_024,
  /**
   * Blocks above the final one in memory that are not on disk: some windows of them for views that
   * competed, and two responses of sync.
   */
  candidateBlocks: 320,
  /**
   * The same by what they take in memory: the largest block takes 7 MiB there. Some windows of
   * full blocks as they usually are; or two of the largest ones, where a genesis file makes them wider.
   */
  candidateBytes: 64 * MiB,
  /**
   * How far above the final block that is stored a block may be to be worth walking its ancestors: the widest
   * window, above final blocks that wait for the disk. A view may have to start there. Beyond it sync is
   * cheaper.
   */
  ancestorWalk: 80,
  /** Transactions of a proposal may still be on their way by gossip: fetched only after this long. */
  gossipGraceMs: 50,
  /**
   * An unanswered fetch is asked of the next peer too after this long, at most `fetchParallel` at once,
   * `fetchDeadlineMs` in all.
   */
  fetchHedgeMs: 400,
  fetchParallel: 3,
  fetchDeadlineMs: 6_000,
  /**
   * A validation, with all its fetches, that takes longer is answered as unavailable; what
   * it found so far is kept.
   */
  validateDeadlineMs: 10_000,
  /** Peers asked for one thing before it counts as unavailable. */
  fetchPeers: 16,
  /**
   * Bytes of transactions of fetched blocks that are decoded in one turn of the loop: as many as a frame of
   * gossip has. The keys that they can name take some 10 ms, each with a look whether it is a point; those of
   * a whole block a quarter of a second.
   */
  decodedBytes: 64 * KiB,
  /**
   * Headers between the last block of a sync response and the block of its certificate: a whole
   * response's run, and a window.
   */
  syncProofHeaders: 256,
  /** Synced blocks of which none became final for this long were given in vain: sync starts anew. */
  syncStallMs: 5_000,
  /**
   * Who hears of new blocks from nobody (an observer, a member without a leader) asks a
   * peer for them this often.
   */
  syncPollMs: 2_000,
  /**
   * How often a node asks for blocks because something is said to be of an epoch that it does not know:
   * anybody can say so, and each time costs each peer a small request.
   */
  laterEpochMs: 500,
  /**
   * Transactions judged at once (signatures under way), past which clients are told to
   * wait: some seconds of work.
   */
  submittedTransactions: 8_192,
  /** And of this many bytes together: that many of the usual size, and some of the largest. */
  submittedBytes: 16 * MiB,
  /**
   * The same for gossip of members, past which it is not looked at: more, because what is dropped
   * has to be fetched later.
   */
  intakeTransactions: 32_768,
  /** Their bytes: as many of the usual size. */
  intakeBytes: 16 * MiB,
  /**
   * When transactions handed in here are pending for this long, all that wait are gossiped again: the first
   * frame may have met nobody.
   */
  regossipMs: 3_000,
  /** How many are gossiped again at once. */
  regossipTransactions: 1_000,
  /**
   * A validator that gossip reaches anew has all of them gossiped again. After `regossipTransactions` it is
   * this long until that is done for it again, and in proportion after fewer: nobody restarts more often for
   * long, but in a test or a rolling upgrade two restarts may follow each other.
   */
  regossipToOneMs: 10_000,
  /** It begins after this time, since others may come too; and between two pieces there is as much. */
  regossipStepMs: 100,
  /** Contents that were signed without a record and are remembered, to tell a contradiction. */
  signedLooseRemembered: 4_096,
  /**
   * Transactions that left the mempool without becoming final, remembered so that those who ask learn why.
   */
  droppedRemembered: 16_384,
  /**
   * Blocks that a node may be behind the highest it knows of, and still call itself ready:
   * what a few windows hold.
   */
  readyBehind: 16,
  /**
   * What is kept of a log that cannot be written (a full disk, a reader that is slow); what
   * comes after that is left out.
   */
  logUnwrittenBytes: 65_536,
  /**
   * Lines of one kind about one peer in the log, and of one kind in all, within `logWindowMs`: the first few
   * tell what there is to tell.
   */
  logPerPeer: 4,
  logPerKind: 120,
  logWindowMs: 60_000,
  /**
   * While a validator cannot be reached directly and was not heard by gossip for `relayHeardMs`, one message
   * in this long is relayed to find it.
   */
  relayProbeMs: 1_000,
  /**
   * The same message is handed to gossip again after this long at the earliest: engines repeat themselves
   * less often, for each who lacks it.
   */
  relayRepeatMs: 200,
  /** Messages of which that is remembered. */
  relayedRemembered: 1_024,
  relayHeardMs: 10_000,
} as const;
