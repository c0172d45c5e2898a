import { limits } from '../../src/base/limits.ts';
import { domains } from './domains.ts';
import { chapters, formats, primitives } from './formats.ts';
import { describeFormat, type Names, sizeOf } from './layouts.ts';

/** The specification as a page: layouts and sizes from the codecs, and prose for what they do not say. */

/** What stands behind the first byte of a state key, and which format the value has. */
export const stateKinds: readonly (readonly [kind: number, rest: string, format: string])[] = [
  [1, 'key (32) of an account', 'account entry'],
  [2, 'the record’s key in UTF-8', 'record entry'],
  [3, 'the name of a namespace in UTF-8', 'namespace entry'],
  [5, 'reservation id', 'reservation entry'],
  [6, 'height (u48)', 'ending entry'],
  [7, 'nothing', 'chain parameters'],
  [8, 'the proposal’s id (32), or nothing', 'change proposal, or change proposals'],
];

/** The same of the store. The first cell is the number in `src/storage/keys.ts`. */
export const storeKinds: readonly (readonly [kind: number, rest: string, value: string])[] = [
  [1, '`chain` in UTF-8', 'chain record'],
  [1, '`final`', 'final record'],
  [1, '`pruned`, where old blocks were deleted', 'pruned record'],
  [1, '`indexed`, where indexes are kept', 'indexed record'],
  [1, '`sweeping`, while index entries of no use are removed', 'sweeping record'],
  [2, 'height (u48)', 'header'],
  [3, 'height', 'finality; none where a block above it shows that it is final'],
  [4, 'height', 'receipts'],
  [5, 'hash of a block', 'block'],
  [6, 'hash of a block that is stored and not final', 'nothing'],
  [7, 'hash of a transaction', 'transaction place'],
  [8, 'key of the consensus log in UTF-8', 'a record of the log'],
  [9, 'state key', 'the entry; of a namespace the rules alone'],
  [10, 'number (u48), from 0', 'stored evidence'],
  [11, 'number, from 0', 'snapshot head (0), snapshot part'],
  [12, 'key of an account, height', 'transactions index'],
  [13, 'size (u8) and reference, height', 'transactions index'],
  [14, 'size (u8) and record key, height', 'versions index'],
  [15, 'height', 'validator keys, from above that height on'],
];

const names: Names = new Map(
  [...formats.filter(({ codec }) => codec.layout.type !== 'integer'), ...primitives].map(
    ({ name, codec }) => [codec.layout, name],
  ),
);

const without = (name: string): Names => new Map([...names].filter(([, other]) => other !== name));

function sizeText([least, most]: readonly [number, number]): string {
  const count = (bytes: number): string => bytes.toLocaleString('en-US');
  if (least === most) return `${count(least)} bytes`;
  return Number.isFinite(most) ? `${count(least)} to ${count(most)} bytes` : `${count(least)} bytes or more`;
}

function formatText({ name, codec, about }: (typeof formats)[number]): string {
  const size = sizeText(sizeOf(codec.layout));
  return [
    `### ${name}\n`,
    `${[about, `${size} by its layout.`].filter((text) => text !== '').join(' ')}\n`,
    '```',
    ...describeFormat(codec.layout, without(name)),
    '```\n',
  ].join('\n');
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [
    '<!-- prettier-ignore -->',
    `| ${head.join(' | ')} |`,
    `| ${head.map(() => '---').join(' | ')} |`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
  ].join('\n');

const introductions: Readonly<Record<string, string>> = {
  Transactions: `What a node refuses beyond the form, and what each operation does, is said [by the ledger](ledger/README.md#two-kinds-of-wrong).
A signer signs \`transaction body\` as it is encoded, so nobody can add or take away a signer.`,
  Receipts: 'What each block did is said by its receipts, one for each transaction.',
  Blocks: `Block 0 is made of the genesis file and is signed by nobody: its parent hash is the chain id, its proposer 32 zero bytes, its Merkle roots are those of nothing.`,
  'State entries': `The state is a set of entries. The first byte of a **state key** says what it is of:

${table(
  ['kind', 'then', 'value'],
  stateKinds.map(([kind, rest, value]) => [`${kind}`, rest, value]),
)}
The **state tree** is binary. The path of an entry is the hash of its key, read from its highest bit on: 0 is left. An entry stands where no other shares its path so far; a
branch is SHA-256 over its two children, without a domain; an empty subtree is 32 zero bytes; the root is \`stateRoot\`. A record whose key has a \`/\` stands
in the tree of its namespace instead, which is made in the same way, and whose root is in the namespace's entry.`,
  Proofs: `A **Merkle tree** over hashes in order pairs them from the left, level by level, with SHA-256 over the 64 bytes of each pair; the last of an odd number goes up as it is. The root
is made of what is left and the number of leaves. How each proof is checked, and why it says one thing only, stands [with the ledger](ledger/README.md#the-state-tree).`,
  'PBFT messages': `When each is sent, and what it obliges to, is said [by the engine](consensus/README.md#messages). A view change inside another message has no kind in front. A message has at most ${limits.consensusMessageBytes} bytes.`,
  'Raft messages': 'When each is sent is said [by the engine](consensus/raft/README.md).',
  'Between nodes': `Protocols, frames, the greeting around the hello, and the byte in front of each response: [network](network/README.md#what-goes-over-the-wire). Gossip is
gossipsub without signatures of its own; a message's id is the first 20 bytes of the SHA-256 of its data, with 1 (\`transactions\`), 2 (\`blocks\`) or 3 (\`consensus\`) added to the first by exclusive or.`,
  'HTTP bodies': 'Everything else of the HTTP API is JSON; `/v1/openapi.json` describes it.',
  'Records of the store': `The first byte of a key says what it is for; the layouts above and below are those of the values. Before each value stands a CRC-32 (IEEE), u32, over key and value. In which order batches are written stands
[with the store](storage/README.md#crash-rules), and so do [the keys of the consensus log](storage/README.md#the-consensus-log).

${table(
  ['kind', 'then', 'value'],
  storeKinds.map(([kind, rest, value]) => [`${kind}`, rest, value]),
)}`,
};

const notation = `| written | bytes |
| --- | --- |
| \`u8\`, \`u16\`, \`u32\`, \`u48\`, \`u64\` | an integer, big-endian |
| \`bool\` | one byte, 0 or 1 |
| \`32 bytes\` | exactly so many |
| \`bytes (u16, at most 300): X\` | their number, and then the bytes, which are the encoding of an X |
| \`text (u8, at most 64)\` | the same, of UTF-8 |
| \`list (u8, at most 16) of X\` | their number, and then one after the other |
| \`optional X\` | a byte 0; or a byte 1 and X |
| \`word: 0 a, 1 b\` | one byte |
| \`1  name\` in front of fields | a byte that says which case it is, and then the fields of that case |
| fields below each other | one after the other, with nothing between them |
| \`to the end: X\` | as many as the bytes hold |
| \`; rule\` | not everything of this form is a value |`;

export function specification(): string {
  return whole().replaceAll(/\n{3,}/g, '\n\n');
}

function whole(): string {
  return `# Specification of the bytes

From this page, the pages that it names and the [golden bytes](../test/golden/golden-bytes.json) a client or a validator can be written in another language. Layouts, limits and sizes
are written from the codecs of the sources by \`npm run specification\`. A test holds the page to them, reads every golden value by nothing but these layouts, and
computes the golden hashes as the table of domains says.

## Notation

${notation.replace('| written', '<!-- prettier-ignore -->\n| written')}

Each value has **one** encoding. A reader refuses everything else: bytes behind the end, a length above its limit, a bit or word that means nothing, UTF-8 that is not well formed.
Lengths are judged before anything of that length is read.

## Hashes and signatures

${primitives.map(({ name, codec, about }) => `- **${name}**: ${describeFormat(codec.layout, new Map()).join()}. ${about}`).join('\n')}

A hash is SHA-256, and a signature is Ed25519, over the name of a **domain**, a zero byte, and what the table says. Parts follow each other without anything between them. A signature is
valid when [ZIP-215](https://zips.z.cash/zip-0215) accepts it ([why](crypto/README.md#one-rule-several-speeds)).

${table(
  ['domain', 'makes', 'of', 'over'],
  Object.entries(domains).map(([domain, { makes, of, over }]) => [`\`${domain}\``, makes, of, over]),
)}
${Object.entries(chapters)
  .map(([chapter, list]) =>
    [`## ${chapter}\n`, `${introductions[chapter]}\n`, ...list.map(formatText)].join('\n'),
  )
  .join('\n')}
## Vectors

[\`golden-bytes.json\`](../test/golden/golden-bytes.json) has one value of each format, in hex, and hashes; [\`golden-fields.jsonl\`](../test/golden/golden-fields.jsonl) says of which format
each is, and what a reader of these layouts finds in it: numbers of eight bytes as decimal text, bytes in hex, what is absent as null. \`versions\` there are the wire version and the format of the store
that the bytes are of; which number is raised when is said [in one table](network/README.md#versions).
`;
}
