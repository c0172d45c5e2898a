import { decode, encode } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import { decodeBlock } from '../../ledger/block-body.ts';
import { type BlocksResponse, blocksResponseCodec } from '../../node/peers/wire.ts';
import type { Liar, LiarTools } from './liar.ts';

/** This much before whoever asked would give up. */
const justInTimeMs = 100;

/**
 * Serves what is true, as little of it as will do and as late as it may: one block just
 * before each request times out.
 */
export function drip(tools: LiarTools): Liar {
  return {
    serves: ({ protocol }, response, respond) => {
      if (response === null || protocol === 'snapshot') return respond(response);
      tools.lied();
      const answer = protocol === 'blocks' ? firstBlockOf(response) : response;
      tools.after(limits.requestTimeoutMs - justInTimeMs, () => respond(answer));
    },
  };
}

/** The first block alone, proven by the certificate of the last. */
function firstBlockOf(response: Uint8Array): Uint8Array {
  const answer = decode(blocksResponseCodec, response, 'blocks response');
  if (answer instanceof Problem || answer.blocks.length < 2) return response;
  const headers = answer.blocks.slice(1).flatMap((bytes) => {
    const block = decodeBlock(bytes);
    return block instanceof Problem ? [] : [block.header];
  });
  const first: BlocksResponse = {
    ...answer,
    blocks: answer.blocks.slice(0, 1),
    headers: [...headers, ...answer.headers].slice(0, limits.syncProofHeaders),
  };
  return encode(blocksResponseCodec, first);
}
