/**
 * Every code that a problem, a receipt or a penalty may have, and what it means: one meaning each, the same
 * wherever it is met. A code is part of the interface: it never gets another meaning, and another meaning
 * gets another code. [`problems.md`](../problems.md) is the table for people, with what to do about each.
 */
export const problemCodes = {
  // Asked over HTTP, or answered over it.
  'api/address': 'What was given as the address of a node’s API is not one',
  'api/answer': 'What answered is not a node, or one of another version',
  'api/bad-path': 'The path or the query is not percent-encoded UTF-8',
  'api/bad-request': 'What came is not a readable HTTP request',
  'api/body-too-large': 'The body of the request is larger than any that is taken',
  'api/busy': 'The node has as many requests under way as it takes',
  'api/client-gone': 'The client closed its connection before the answer',
  'api/content-encoding': 'The body of the request is compressed, and only plain bodies are taken',
  'api/cursor-ahead': 'The stream cannot begin at a height that the chain has not reached',
  'api/headers-too-large': 'The head of the request is too large',
  'api/held-back': 'Something between the client and the node holds the stream of events back',
  'api/history-too-long': 'The value of a record was written too many changes before the height asked for',
  'api/internal': 'The node failed to answer, by a fault of its own',
  'api/invalid-request': 'A field of the request is missing, unknown, or not what it may be',
  'api/invalid-utf8': 'The body is not UTF-8',
  'api/json-too-deep': 'The JSON is nested too deep',
  'api/json-too-many': 'The JSON has more values than any request needs',
  'api/listen': 'The API cannot listen on the address of its settings',
  'api/malformed-json': 'The body is not JSON',
  'api/media-type': 'The path takes no bodies of this media type',
  'api/method-not-allowed': 'The path takes no requests by this method',
  'api/no-explorer': 'The node has no build of the explorer to serve',
  'api/no-such-block': 'This node has no such final block',
  'api/no-such-reservation': 'The node knows of no such reservation, or it ended long ago',
  'api/no-such-namespace': 'The namespace was never opened',
  'api/no-such-record': 'There is no such record at the height that was read',
  'api/not-final': 'The transaction was not seen to be final in the time that was given',
  'api/not-found': 'There is nothing at this path',
  'api/operators-only': 'Only operators may ask this, and the node has no token that would identify them',
  'api/other-chain': 'The node is on another chain than the one that was meant or read before',
  'api/path-too-long': 'The path of the request is too long',
  'api/port-in-use': 'Another program listens on the port of the API',
  'api/request-timeout': 'The request took too long to arrive',
  'api/timeout': 'The node did not answer in the time that was given',
  'api/token-missing': 'Only operators may ask this, and no token came with it',
  'api/token-wrong': 'The operator’s token is not the one of this node',
  'api/too-many-connections': 'All connections of the API are in use',
  'api/too-many-pipelined': 'The connection has more unanswered requests than it may',
  'api/too-many-readers': 'The event stream has as many readers as it takes',
  'api/too-many-waiting': 'Too many requests wait for transactions to be final',
  'api/unreachable': 'The node cannot be reached, or the connection to it broke',
  'api/wrong-cursor': 'The cursor is of another list or chain, or of a block that this node does not have',

  // Why a block is not valid.
  'block/duplicate-transaction': 'The block holds a transaction twice',
  'block/execution': 'The block claims an outcome that its execution does not have',
  'block/height': 'The block is not one above its parent',
  'block/not-as-asked': 'A peer answered with a block that it was not asked for',
  'block/other-header': 'The proposal is not of the block that it names',
  'block/oversize': 'The block holds more than a block may hold',
  'block/parent': 'The block does not name the one below it as its parent',
  'block/timestamp': 'The block is not later than its parent',
  'block/transaction-root': 'The block holds other transactions than its header commits to',
  'block/validators': 'The block names other validators than its parent announced',

  'certificate/invalid': 'The certificate does not prove what it is for',
  'certificate/unknown-member': 'This node has not heard yet of the member that the certificate is of',

  // Why a change of the chain was not proposed or approved.
  'change/already-approved': 'The validator has approved the proposal before',
  'change/decided': 'The proposal is decided already',
  'change/expired': 'The proposal expired before it was approved',
  'change/fee-not-payable': 'A validator has less than the fee that it wants everybody to pay',
  'change/height-not-ahead': 'The change is to count from a height at which it may still be approved',
  'change/limits': 'The limits of a block are beyond the bounds that every node keeps',
  'change/members': 'The members of a Raft chain do not change by proposals',
  'change/members-changing': 'The members of a Raft chain are changing just now',
  'change/no-validators': 'The set of validators would be empty',
  'change/not-a-validator': 'Only validators of the set in force propose and approve changes of the chain',
  'change/nothing-changes': 'The chain is already as the change would make it',
  'change/other-validators': 'The proposal was made for another set of validators than the one in force',
  'change/proposal-open': 'The validator has an open proposal already',
  'change/repeated-validator': 'The set of validators names one of them twice',
  'change/unknown-proposal': 'There is no such proposal, or none any more',
  'change/version-not-above': 'The protocol version is not above the present one',
  'change/wrong-expiry': 'The expiry height of the proposal is past, or too far ahead',

  'chain/unknown-version': 'The chain goes on by rules that this program does not know',

  // Said by the command line.
  'cli/account-unknown': 'What was given as an account is neither an address nor a stored key',
  'cli/bench-refused': 'A node refused the load of a benchmark, and kept refusing it',
  'cli/bench-stalled': 'A benchmark waited in vain',
  'cli/byzantine': 'The node that was named cannot be made to lie',
  'cli/development-key': 'A development key is named on a chain that is not for development',
  'cli/file': 'A file that the command line names cannot be used',
  'cli/internal': 'A fault of this program',
  'cli/interrupted': 'The user stopped it before its end',
  'cli/key-exists': 'There is a key of that name already',
  'cli/key-missing': 'There is no key of that name to sign with',
  'cli/key-name': 'That cannot be the name of a key',
  'cli/not-found': 'What was to be shown is not there',
  'cli/other-chain': 'The node is on another chain than --chain-id names',
  'cli/password-file': 'The password file cannot be read',
  'cli/password-mismatch': 'The password was typed in two ways',
  'cli/password-missing': 'A password is needed, and there is none',
  'cli/password-text': 'The password is not one line of UTF-8 text',
  'cli/port': 'A port for the test network cannot be used',
  'cli/port-in-use': 'Another program uses a port of the test network',
  'cli/testnet-other': 'The data directory holds another test network',
  'cli/testnet-start': 'A node of the test network did not become ready',
  'cli/token': 'What was given as the operator’s token cannot be one',
  'cli/usage': 'The command line is wrong; nothing was tried',

  'codec/hex': 'The text is not bytes of that length in hex',
  'codec/malformed': 'The bytes are not an encoding of such a value',

  // Why a node does not start from its data directory.
  'config/development-key': 'The validator’s key is one that everybody knows',
  'config/exists': 'The directory holds a node already',
  'config/malformed': 'A setting of config.json is missing, unknown, or not what it may be',
  'config/unreadable': 'A file of the data directory is not UTF-8 text',
  'config/missing': 'A file of the data directory is missing',
  'config/missing-key': 'The validator has no key',

  // Conditions of transactions that did not hold.
  'condition/balance-at-least': 'The account has less than the transaction asks for',
  'condition/height-at-most': 'The block stands above the height that the transaction asks for',
  'condition/time-at-most': 'The block is later than the transaction asks for',
  'condition/record-absent': 'There is a record where the transaction asks for none',
  'condition/record-exists': 'There is no record where the transaction asks for one',
  'condition/record-hash': 'The record does not have the value that the transaction asks for',
  'condition/record-version': 'The record does not have the version that the transaction asks for',

  'consensus/busy': 'The leader has as much under way as it takes at once',
  'consensus/change-outcome-unknown': 'The lead was lost while a change of the members was on its way',
  'consensus/invalid-evidence': 'What is shown as evidence proves nothing',
  'consensus/invalid-message': 'The message is not one that a correct validator sends',
  'consensus/members': 'The change of the members cannot be made, whoever is asked',
  'consensus/no-transferee': 'There is no such voter to hand the lead to',
  'consensus/no-leader': 'No leader is known',
  'consensus/no-leases': 'This chain serves no lease reads',
  'consensus/not-caught-up': 'The member to become a voter lacks blocks',
  'consensus/not-leader': 'Only the leader does this, and this node does not lead',
  'consensus/outcome-unknown': 'The node cannot tell yet what becomes of the transaction that it took',
  'consensus/oversize': 'The message is larger than any that is sent',
  'consensus/quorum-loss': 'The change would leave too few voters that answer',
  'consensus/read-timeout': 'The leader could not confirm in time that it leads',
  'consensus/snapshot-members': 'The members that come with a snapshot do not fit what is known of them',
  'consensus/transfer-failed': 'The lead did not pass to the voter that was named',
  'consensus/unknown-relay': 'No validator handed the message to gossip',
  'consensus/unsupported': 'The engine of this chain does not do this',

  'crypto/native-verify': 'The native signature check was built, and cannot be used',
  'crypto/self-test': 'The signature check of this installation does not judge as it must',
  'crypto/signature': 'A signature on a message of a peer is wrong',

  // Why a genesis file is not valid.
  'genesis/development-key':
    'A key that everybody knows stands in the genesis of a chain that is not for development',
  'genesis/field': 'A field of the genesis file is missing, unknown, or not what it may be',
  'genesis/json': 'The genesis file is not JSON',
  'genesis/oversize': 'The genesis file is too large',

  'keys/address': 'What was given as an address is not one',
  'keys/forgeable': 'The address is of a key that anybody can sign for',
  'keys/malformed': 'The file is not a key file',
  'keys/off-curve': 'Nobody can have the key of this address: it is not a point of the curve',
  'keys/password-needed': 'The key file is encrypted',
  'keys/use-unknown': 'The file that says where a validator’s key was used cannot be read',
  'keys/used-elsewhere': 'Another process signs with the validator’s key',
  'keys/use-unwritable': 'The file that says where a validator’s key was used cannot be written',
  'keys/wrong-password': 'The password does not open the key file',

  // What became of a transaction in the pool of the node that is asked.
  'mempool/busy': 'More transactions wait to be checked than the node takes',
  'mempool/evicted': 'The node let go of the transaction: the pool was full, and others paid more',
  'mempool/expired': 'The expiry height is final, and no block holds the transaction: none can any more',
  'mempool/fee-not-payable':
    'The node let go of the transaction: its sender could not pay the fees of all that waited',
  'mempool/fee-too-low': 'The node let go of the transaction: the chain asks for a higher fee by now',
  'mempool/full': 'The pool is full of transactions that are worth at least as much',
  'mempool/nonce-gap': 'The nonce is too far above the next one of the sender',
  'mempool/outcome-pruned':
    'No new block can hold the transaction; one that this node does not have may hold it',
  'mempool/replaced': 'The node let go of the transaction: one with the same nonce and a higher fee came',
  'mempool/replacement-underpriced':
    'Another transaction with the same nonce waits, and this one does not pay enough more',
  'mempool/sender-full': 'The sender has as many transactions waiting as one may have',
  'mempool/superseded':
    'Another transaction with the same nonce is final: no block can hold this one any more',
  'mempool/wrong-signers': 'The node let go of the transaction: the keys of its sender changed',

  // Between nodes.
  'network/address': 'What was given as a multiaddr is not one that can be used here',
  'network/banned': 'Strangers from these addresses did too much wrong',
  'network/busy': 'Too many calls or requests are under way there',
  'network/certificate': 'The TLS certificate of the peer is not one that libp2p makes, or is not valid now',
  'network/false-hello': 'The peer claims a key that did not sign for it',
  'network/frame-empty': 'A frame of gossip holds no transactions',
  'network/frame-oversize': 'A frame of gossip is larger than any that is sent',
  'network/frame-twice': 'A frame of gossip holds a transaction twice',
  'network/hello-malformed': 'The hello of the peer cannot be read',
  'network/listen': 'The node cannot listen for peers on the addresses of its settings',
  'network/lost': 'The connection or the stream to the peer ended',
  'network/muxer': 'The peer breaks the rules of the stream muxer',
  'network/negotiation': 'The peer asks for one unknown protocol after the other',
  'network/no-evidence': 'What the peer sent as evidence proves nothing',
  'network/not-a-member': 'The peer’s key is neither a member’s nor listed',
  'network/not-as-asked': 'A peer answered with transactions that it was not asked for',
  'network/not-its-sender': 'The message was not made by the peer that it came from',
  'network/other-chain': 'The peer is on another chain',
  'network/other-engine': 'The peer runs another engine',
  'network/other-peer': 'The node that answers at the address is not the one that was meant',
  'network/other-version': 'The peer speaks another version of the protocol',
  'network/oversize': 'A frame is longer than the longest that is taken',
  'network/refused': 'The peer has no answer to the request',
  'network/refused-by-peer': 'The peer refused the hello of this node',
  'network/stopping': 'The node is stopping, and takes no more peers',
  'network/timeout': 'The peer did not answer in time',
  'network/too-much': 'The peer sent more on one connection than it may',

  'node/alone': 'The node is connected to no other',
  'node/behind': 'The node is catching up',
  'node/broken': 'The node broke a promise of its own, and stopped',
  'node/busy': 'The node has too much unfinished work to take on more',
  'node/machine': 'The operating system refused what was asked of it',
  'node/no-quorum': 'The node is not in contact with a quorum of the validators',
  'node/not-development': 'Only on a development chain may nodes be made to misbehave',
  'node/not-voting': 'The node is a validator, and may not vote yet',
  'node/stopping': 'The node is stopping',

  'simulator/plan': 'The file is not the plan of a simulated run',
  'simulator/promise-broken': 'A run found a promise of the protocol broken',

  'storage/access': 'The directory of the database cannot be used',
  'storage/consensus-log': 'The Raft log of a member is damaged',
  'storage/damaged': 'The database is damaged',
  'storage/foreign': 'The directory or the database holds what this program did not write',
  'storage/format': 'The database was written by another version of the program',
  'storage/in-use': 'Another process uses the database',
  'storage/missing': 'There is no database in the directory',
  'storage/not-indexed': 'The node keeps no indexes',
  'storage/other-chain': 'The database is of another chain',
  'storage/pruned': 'The node does not keep blocks of that height any more',
  'storage/read-failed': 'The database could not be read',
  'storage/write-failed': 'The database could not be written',

  'sync/snapshot-checksum': 'A part of a snapshot does not match its checksum',
  'sync/snapshot-head': 'The snapshot that a peer served is not of the block that was asked for',
  'sync/snapshot-offer': 'What a peer offered in the place of pruned blocks is not a snapshot of later ones',
  'sync/snapshot-part': 'A part of a snapshot does not go on from the one before',
  'sync/snapshot-root': 'Put together, the parts of a snapshot are not the state that was asked for',
  'sync/unproven': 'What a peer served as final comes without a proof of that',

  // What a proof that was checked offline does not prove.
  'proof/certificate': 'The certificate does not show that the block is final',
  'proof/headers': 'The headers do not lead from the block to its certificate',
  'proof/history': 'The versions of a record are not shown to be all that there were',
  'proof/malformed': 'What is given as a proof does not have the form of one',
  'proof/receipt': 'The receipt does not stand in the block that is named',
  'proof/transaction': 'The transaction does not stand in the block that is named',
  'proof/unknown-validators': 'Others signed than the validators that are known to be those of the chain',

  // In a browser.
  'keys/not-kept': 'The page does not keep this key',
  'playground/setting': 'The address of the playground names no setting',

  // Facts of a transaction. Those that a receipt may name are `FailureCode` in `ledger/failure-codes.ts`.
  'transaction/above-reserved': 'Less was reserved than the transaction wants to take',
  'transaction/append-only':
    'The namespace is append-only: its records stay as they are, and so does its mode',
  'transaction/content': 'What the transaction is to do is not written as operations and conditions',
  'transaction/duplicate': 'The transaction stands in the block already',
  'transaction/expired': 'The expiry height of the transaction is past',
  'transaction/expiry-too-far': 'The expiry height of the transaction is too far ahead',
  'transaction/fee-not-payable': 'The sender’s balance does not pay the fees',
  'transaction/fee-too-low': 'The fee is less than this chain asks for so many operations and signatures',
  'transaction/forgeable-key': 'The transaction names a key that anybody can sign for',
  'transaction/insufficient-balance': 'The sender has less than it wants to move',
  'transaction/later-version':
    'The transaction asks for what only a later protocol version of the chain does',
  'transaction/malformed': 'A field of the transaction is beyond what can be encoded',
  'transaction/namespace-name': 'No namespace can have such a name',
  'transaction/namespace-taken': 'The namespace is open already, and somebody owns it',
  'transaction/namespace-writers': 'The mode of the namespace and its writers do not fit each other',
  'transaction/no-such-namespace':
    'The namespace, which stands before the first "/" of a key, was never opened',
  'transaction/no-such-record': 'There is no record to delete or give',
  'transaction/no-such-reservation': 'There is no such reservation, or it ended long ago',
  'transaction/nonce-gap': 'A nonce before that of the transaction is missing',
  'transaction/nonce-used': 'The nonce of the transaction was used',
  'transaction/not-namespace-owner': 'The namespace belongs to another account',
  'transaction/not-owner': 'The record belongs to another account',
  'transaction/not-recipient': 'The reservation is for another account, which alone can post or void it',
  'transaction/not-writer': 'Only its writers write in the namespace, and the sender is none of them',
  'transaction/off-curve-key':
    'The transaction names a key that nobody can have: it is not a point of the curve',
  'transaction/oversize': 'The transaction is larger than any that is taken',
  'transaction/record-key': 'No record can have such a key',
  'transaction/reservation-expired': 'The last height of the reservation is past, and its sender has it back',
  'transaction/reservation-id': 'What was given as a reservation does not name one',
  'transaction/reservation-past': 'The reservation is to end at a height that is past',
  'transaction/reservation-settled': 'The reservation was posted or voided before',
  'transaction/reservation-too-far': 'The reservation is to end too far ahead: a lower height will do',
  'transaction/reservations-full':
    'As many reservations end at that height as may: one a little higher or lower has room',
  'transaction/unproven-keys': 'Too few of the new keys of the account signed, and it was not forced',
  'transaction/wrong-chain': 'The transaction is for another chain',
  'transaction/wrong-signature': 'The sender did not sign the transaction',
  'transaction/wrong-signers': 'The keys that signed the transaction are not those of its sender',
  'transaction/zero-amount': 'The transaction moves an amount of 0',
} as const satisfies Readonly<Record<`${string}/${string}`, string>>;

/** A code that this version makes. */
export type ProblemCode = keyof typeof problemCodes;

/** The codes of one part of the system. */
export type CodeOf<Area extends string> = Extract<ProblemCode, `${Area}/${string}`>;

/** A code as a newer node may answer it: those who read answers must take any. */
export type ReceivedCode = ProblemCode | (string & Record<never, never>);

/** What the code means, in a few words; undefined for one of another version. */
export function meaningOf(code: ReceivedCode): string | undefined {
  return Object.hasOwn(problemCodes, code) ? problemCodes[code as ProblemCode] : undefined;
}
