import { decode, encode } from '../../base/codec.ts';
import { Problem } from '../../base/problem.ts';
import type { BlockHeader } from '../../ledger/block.ts';
import { decodeBlock, encodeBlock } from '../../ledger/block-body.ts';
import { type BlocksResponse, blocksResponseCodec } from '../../node/peers/wire.ts';
import type { Liar, LiarTools } from './liar.ts';

/**
 * In the place of a block it serves a sibling, as valid as that: the same parent and transactions, a moment
 * later. What proves the one is beside the other.
 */
export function siblings(tools: LiarTools): Liar {
  const { chance } = tools;
  return {
    serves: ({ protocol }, response, respond) => {
      if (response === null || !chance.happens(0.7)) return respond(response);
      if (protocol === 'candidate') {
        tools.lied();
        return respond(siblingOf(response));
      }
      respond(protocol === 'blocks' ? withSibling(response) : response);
    },
  };

  function withSibling(response: Uint8Array): Uint8Array {
    const answer = decode(blocksResponseCodec, response, 'blocks response');
    if (answer instanceof Problem || answer.blocks.length === 0) return response;
    tools.lied();
    // The last one has no block after it that would name another parent.
    const end = chance.happens(0.5) ? answer.blocks.length : chance.between(1, answer.blocks.length);
    const blocks = answer.blocks.slice(0, end);
    const last = blocks.pop();
    if (last !== undefined) blocks.push(siblingOf(last));
    // The true headers above it lead to the certificate, and do not stand on it.
    const above = answer.blocks.slice(end).flatMap(headerOf);
    const forged: BlocksResponse = { ...answer, blocks, headers: [...above, ...answer.headers] };
    return encode(blocksResponseCodec, forged);
  }
}

function headerOf(bytes: Uint8Array): BlockHeader[] {
  const block = decodeBlock(bytes);
  return block instanceof Problem ? [] : [block.header];
}

function siblingOf(bytes: Uint8Array): Uint8Array {
  const block = decodeBlock(bytes);
  if (block instanceof Problem) return bytes;
  return encodeBlock({ ...block, header: { ...block.header, timestamp: block.header.timestamp + 1 } });
}
