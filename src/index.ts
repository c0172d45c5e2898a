/** The library's door. What is not exported here may change without notice. */
export { Problem } from './base/problem.ts';
export { encodeAddress, parseAddress } from './crypto/address.ts';
export { generateKeyPair, type KeyPair, keyPairFromSeed, sign } from './crypto/keys.ts';
export type { Hash } from './crypto/hash.ts';
export type { PublicKey, Signature } from './crypto/signature.ts';
export { type Genesis, parseGenesis } from './ledger/genesis.ts';
export {
  decodeTransaction,
  type Payload,
  type Transaction,
  type TransactionBody,
} from './ledger/transaction.ts';
export { type FinalBlockEvent, finalBlocks, type FinalBlocksOptions } from './client/events.ts';
export { HttpClient } from './client/http-client.ts';
export { Wallet } from './client/wallet.ts';
export { initDirectory } from './node/config.ts';
export { type RunningNode, startNode, type StartNodeOptions } from './node/node.ts';
