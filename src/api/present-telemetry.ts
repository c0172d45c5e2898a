import { encodeAddress } from '../crypto/address.ts';
import type { BlockVotesJson, SampleJson, ViewChangeJson } from './telemetry-schemas.ts';
import type { BlockVotesView, SampleView, ViewChangeView } from './telemetry-views.ts';

export function sampleJson({ votes, ms, latencyMs, ...rest }: SampleView): SampleJson {
  const { p50, p90, p99 } = latencyMs;
  return {
    ...rest,
    ms: rounded(ms),
    latencyMs: { p50: roundedIf(p50), p90: roundedIf(p90), p99: roundedIf(p99) },
    votes: votes.map((vote) => ({ validator: encodeAddress(vote.validator), ms: rounded(vote.ms) })),
  };
}

export function viewChangeJson({ leader, ...rest }: ViewChangeView): ViewChangeJson {
  return { ...rest, leader: leader === null ? null : encodeAddress(leader) };
}

export function blockVotesJson({ proposer, finalMs, votes, ...rest }: BlockVotesView): BlockVotesJson {
  return {
    ...rest,
    proposer: encodeAddress(proposer),
    finalMs: roundedIf(finalMs),
    votes: votes.map((vote) => ({ validator: encodeAddress(vote.validator), ms: roundedIf(vote.ms) })),
  };
}

/** Clocks tell more digits than mean anything. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function roundedIf(ms: number | null): number | null {
  return ms === null ? null : rounded(ms);
}
