import { type Codec, encode, listOf, refine, struct, u16, u64 } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { type Height, heightCodec } from './block.ts';
import { type BlockLimits, blockLimitsCodec, type ChainChange, chainChangeCodec } from './chain-change.ts';
import { decodeStateValue } from './state-value.ts';
import { validatorKeysCodec } from './validators.ts';

/** A change that was decided, and counts from a height that the chain has not reached. */
export interface ScheduledChange {
  /** The first height that it counts for. */
  readonly height: Height;
  readonly change: ChainChange;
}

/**
 * What is the same for all transactions of a block, and what its validators can change: an entry of the
 * state, so that whoever has a state knows the rules of the next block.
 */
export interface ChainParameters {
  /** Of the rules, as the header names it. */
  readonly protocolVersion: number;
  /** The least fee for each of a transaction's units (`unitsOf`), in the smallest unit. */
  readonly feePerOperation: bigint;
  readonly limits: BlockLimits;
  /**
   * PBFT: who agrees on blocks, in the order that decides whose turn it is. Empty in Raft, whose members are
   * no matter of the ledger.
   */
  readonly validators: readonly PublicKey[];
  /** At most one of each type: a later decision takes the place of one that does not count yet. */
  readonly scheduled: readonly ScheduledChange[];
}

export const parametersKind = 7;
export const parametersStateKey: Uint8Array = Uint8Array.of(parametersKind);

/** What every node keeps whatever a chain decides. */
export const widestLimits: BlockLimits = {
  maxTransactions: limits.maxBlockTransactions,
  maxOperations: limits.maxBlockOperations,
  maxBytes: limits.maxBlockBytes,
};

/** For a state without such an entry, which belongs to no chain. */
export const noParameters: ChainParameters = Object.freeze({
  protocolVersion: 1,
  feePerOperation: 0n,
  limits: widestLimits,
  validators: [],
  scheduled: [],
});

const changeTypes = 4;

export const chainParametersCodec: Codec<ChainParameters> = struct<ChainParameters>({
  protocolVersion: u16,
  feePerOperation: u64,
  limits: blockLimitsCodec,
  validators: validatorKeysCodec,
  scheduled: refine(
    listOf(struct<ScheduledChange>({ height: heightCodec, change: chainChangeCodec }), changeTypes),
    'at most one of each type',
    (scheduled) => {
      const types = scheduled.map(({ change }) => change.type);
      if (new Set(types).size !== types.length) throw new Error('two changes of one type are scheduled');
      return scheduled;
    },
  ),
});

/** Those that count for a block at this height, given those after its parent. */
export function parametersAt(parameters: ChainParameters, height: Height): ChainParameters {
  // The common case.
  if (!parameters.scheduled.some((scheduled) => scheduled.height <= height)) return parameters;
  let next = parameters;
  for (const { change, height: from } of parameters.scheduled)
    if (from <= height) next = changed(next, change);
  return { ...next, scheduled: parameters.scheduled.filter((scheduled) => scheduled.height > height) };
}

function changed(parameters: ChainParameters, change: ChainChange): ChainParameters {
  switch (change.type) {
    case 'validators':
      return { ...parameters, validators: change.validators };
    case 'protocol-version':
      return { ...parameters, protocolVersion: change.version };
    case 'fee-floor':
      return { ...parameters, feePerOperation: change.feePerOperation };
    case 'limits':
      return { ...parameters, limits: change.limits };
  }
}

/** With one more change that was decided. */
export function withScheduled(parameters: ChainParameters, added: ScheduledChange): ChainParameters {
  const others = parameters.scheduled.filter(({ change }) => change.type !== added.change.type);
  return { ...parameters, scheduled: [...others, added] };
}

/** The change of this type that was decided and does not count yet. */
export function scheduledChange<Type extends ChainChange['type']>(
  parameters: Pick<ChainParameters, 'scheduled'>,
  type: Type,
): (ScheduledChange & { readonly change: Extract<ChainChange, { readonly type: Type }> }) | undefined {
  return parameters.scheduled.find(({ change }) => change.type === type) as never;
}

export function encodeParameters(parameters: ChainParameters): Uint8Array {
  return encode(chainParametersCodec, parameters);
}

/** The parameters in a state value. */
export function decodeParameters(value: Uint8Array): ChainParameters {
  return decodeStateValue(chainParametersCodec, value, 'chain parameters');
}
