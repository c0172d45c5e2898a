import type { ProblemCode } from '../base/problem-codes.ts';

/** The place of each is its number in a receipt: new ones come at the end. */
export const failureCodes = [
  /** The sender has less than the operation moves. */
  'transaction/insufficient-balance',
  /** The record belongs to somebody else. */
  'transaction/not-owner',
  /** There is no record to delete or give. */
  'transaction/no-such-record',
  /** Too few of the new keys signed, and it was not forced. */
  'transaction/unproven-keys',
  /** The record is not there in that version. */
  'condition/record-version',
  'condition/record-absent',
  'condition/record-exists',
  /** The record is not there with that value. */
  'condition/record-hash',
  'condition/balance-at-least',
  'condition/height-at-most',
  'condition/time-at-most',
  /** The reservation is to end before the block that would make it. */
  'transaction/reservation-past',
  /** It is to end further ahead than `limits.maxReservationAhead`. */
  'transaction/reservation-too-far',
  /** As many reservations end at that height as may; another height has room. */
  'transaction/reservations-full',
  /** There is no such reservation, or it ended long ago. */
  'transaction/no-such-reservation',
  /** The reservation is for somebody else. */
  'transaction/not-recipient',
  /** Its last height is past, and it went back to its sender. */
  'transaction/reservation-expired',
  /** It was posted or voided before. */
  'transaction/reservation-settled',
  /** Less was reserved than is to be taken. */
  'transaction/above-reserved',
  /** Whoever proposes or approves is no validator of the set in force. */
  'change/not-a-validator',
  /** The proposal was made for another set of validators, or the next set is decided. */
  'change/other-validators',
  /** Raft: its members change by the engine. */
  'change/members',
  /** Raft: its members are between two configurations. */
  'change/members-changing',
  /** The proposal's expiry height is past, or too far ahead. */
  'change/wrong-expiry',
  /** The sender has an open proposal. */
  'change/proposal-open',
  'change/unknown-proposal',
  'change/decided',
  'change/expired',
  'change/already-approved',
  /** It is to count from a height at which it may still be approved. */
  'change/height-not-ahead',
  'change/version-not-above',
  /** The sender has less than the fee that it wants everybody to pay. */
  'change/fee-not-payable',
  /** The limits are beyond their bounds. */
  'change/limits',
  'change/nothing-changes',
  'change/no-validators',
  'change/repeated-validator',
  /** The key's namespace, or the one to be changed, was never opened. */
  'transaction/no-such-namespace',
  'transaction/namespace-taken',
  /** Whoever would change the namespace's rules does not own it. */
  'transaction/not-namespace-owner',
  /** Only its writers write in the namespace. */
  'transaction/not-writer',
  /** The namespace is append-only: neither a record there changes, nor that mode. */
  'transaction/append-only',
  /** Mode and writers would not fit each other. */
  'transaction/namespace-writers',
] as const satisfies readonly ProblemCode[];

/** Why a transaction that stands in a block did nothing but pay its fee. */
export type FailureCode = (typeof failureCodes)[number];
