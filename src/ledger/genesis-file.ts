import * as z from 'zod/mini';
import { utf8 } from '../base/bytes.ts';
import { parseForeignJson } from '../base/json-excess.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { parseAddress } from '../crypto/address.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { isNamespaceName, namespaceModes } from './namespace.ts';
import { newestProtocolVersion } from './protocol-version.ts';

/**
 * The form of a genesis file. Each error text says what the field must be: it ends the sentence "…
 * must be" and is the remedy too. Fields that nobody asked for are refused, so that a misspelt one
 * is not silently ignored.
 */
const maxTime = 2 ** 48 - 1;
const minute = 60_000;
const maxCoins = 2n ** 64n - 1n;

const whole = (min: number, max: number, meaning: string) => {
  const expected = `a whole number from ${min} to ${max} (${meaning})`;
  return z.int(expected).check(z.minimum(min, expected), z.maximum(max, expected));
};

const nameText = `up to ${limits.maxNameLength} of a-z, 0-9, ".", "_" and "-", with a letter or digit first`;
const name = z
  .string(nameText)
  .check(z.regex(new RegExp(`^[a-z0-9][a-z0-9._-]{0,${limits.maxNameLength - 1}}$`), nameText));

const engineText = '"pbft" or "raft"';
const keyText = 'an address (qr1…) or a public key as 64 characters of hex';
const publicKey = z.pipe(
  z.string(keyText),
  z.transform((text, context): PublicKey => {
    const key = text.length > 128 ? undefined : parseAddress(text);
    if (typeof key === 'string') return key;
    const message = keyText;
    const why = key?.message;
    context.issues.push({ code: 'custom', message, input: text, params: { why } });
    return z.NEVER;
  }),
);

const balanceText = `a whole number of coins' smallest units from 1 to ${maxCoins}, in quotes`;
// One rule for all of it, because zod runs later checks even when an earlier one failed.
const isBalance = (text: string): boolean => /^[1-9][0-9]{0,19}$/.test(text) && BigInt(text) <= maxCoins;
const balance = z.pipe(
  z.string(balanceText).check(z.refine(isBalance, balanceText)),
  z.transform((text: string) => BigInt(text)),
);

const feeText = `a whole number of coins' smallest units from 0 to ${maxCoins}, in quotes`;
const isFee = (text: string): boolean => /^(?:0|[1-9][0-9]{0,19})$/.test(text) && BigInt(text) <= maxCoins;
const fee = z.pipe(
  z.string(feeText).check(z.refine(isFee, feeText)),
  z.transform((text: string) => BigInt(text)),
);

const pbft = z.strictObject({
  engine: z.literal('pbft'),
  window: whole(1, limits.maxPbftWindow, 'blocks in flight above the last final one'),
  viewTimeoutMs: whole(10, 10 * minute, 'ms'),
  viewTimeoutCapMs: whole(10, 60 * minute, 'ms'),
  blocksPerPrimary: whole(0, 1_000_000, 'blocks of one primary in a row; 0 for no rotation'),
  heartbeatMs: whole(0, 24 * 60 * minute, 'ms between blocks while idle; 0 for none'),
  censorshipMs: whole(10, 60 * minute, 'ms'),
  blockIntervalMs: whole(0, minute, 'ms'),
});

/** The words for which members of a Raft chain check a transaction's signatures. */
export const signatureChecks = ['entry', 'all'] as const;

const raft = z.strictObject({
  engine: z.literal('raft'),
  heartbeatMs: whole(1, minute, 'ms'),
  electionTimeoutMs: whole(10, 10 * minute, 'ms'),
  blockIntervalMs: whole(0, minute, 'ms'),
  leaseReads: z.boolean('true or false'),
  checkSignatures: z._default(z.enum(signatureChecks, '"entry" or "all"'), 'all'),
});

const listOf = <Item extends z.core.$ZodType>(item: Item, max: number, what: string) => {
  const expected = `a list of 1 to ${max} ${what}`;
  return z.array(item, expected).check(z.minLength(1, expected), z.maxLength(max, expected));
};

const namespaceText = `up to ${limits.maxNamespaceNameBytes} bytes of text without "/", and not empty, "." or ".."`;
const fitsKeys = (text: string): boolean =>
  isNamespaceName(text) && text.isWellFormed() && utf8(text).length <= limits.maxNamespaceNameBytes;
const namespaceName = z.string(namespaceText).check(z.refine(fitsKeys, namespaceText));

const writersText = `a list of at most ${limits.maxNamespaceWriters} writers`;
/** In the order in which the ledger keeps them. */
const writers = z.pipe(
  z.array(publicKey, writersText).check(z.maxLength(limits.maxNamespaceWriters, writersText)),
  z.transform((keys: PublicKey[]): readonly PublicKey[] => keys.toSorted()),
);
const namespace = z.strictObject(
  {
    name: namespaceName,
    owner: publicKey,
    mode: z.enum(namespaceModes, namespaceModes.map((mode) => JSON.stringify(mode)).join(', ')),
    writers: z._default(writers, []),
  },
  'an object',
);

const namespacesText = `a list of at most ${limits.maxGenesisNamespaces} namespaces`;

const genesisFile = z.strictObject(
  {
    name,
    development: z.boolean('true (a test network; its well-known keys may be used) or false'),
    timestamp: whole(0, maxTime, 'ms since 1970, UTC'),
    consensus: z.discriminatedUnion('engine', [pbft, raft], {
      error: ({ code }) => (code === 'invalid_union' ? engineText : `an object with "engine": ${engineText}`),
    }),
    feePerOperation: z.optional(fee),
    protocolVersion: z.optional(whole(1, newestProtocolVersion, 'of the rules that the chain starts with')),
    validators: listOf(z.strictObject({ name, publicKey }, 'an object'), limits.maxValidators, 'validators'),
    accounts: listOf(
      z.strictObject({ publicKey, balance }, 'an object'),
      limits.maxGenesisAccounts,
      'accounts',
    ),
    namespaces: z.optional(
      z.array(namespace, namespacesText).check(z.maxLength(limits.maxGenesisNamespaces, namespacesText)),
    ),
  },
  'an object',
);

/** What a genesis file says, before the rules that join its fields. */
type GenesisFile = Readonly<z.infer<typeof genesisFile>>;

/** The content of a genesis file in the right form, or the problem of its first field that is not. */
export function parseGenesisFile(json: string): GenesisFile | Problem {
  if (json.length > limits.maxGenesisBytes) {
    return new Problem('genesis/oversize', `the genesis file has ${json.length} characters`, {
      remedy: `Keep it below ${limits.maxGenesisBytes}: fund fewer accounts, and let them pay the others.`,
    });
  }
  let content: unknown;
  try {
    content = parseForeignJson(json);
  } catch (cause) {
    return new Problem(
      'genesis/json',
      `the genesis file cannot be read as JSON: ${(cause as Error).message}`,
      {
        remedy: 'Correct the JSON at the place named, or copy one of the files in genesis/ and change it.',
        cause,
      },
    );
  }
  const result = z.safeParse(genesisFile, content);
  return result.success ? result.data : fieldProblem(result.error.issues[0], content);
}

/** The problem of one field, which its path names. */
export function genesisProblem(path: string, why: string, remedy: string): Problem {
  return new Problem('genesis/field', `genesis: ${path} ${why}`, { remedy, details: { path } });
}

function fieldProblem(issue: z.core.$ZodIssue | undefined, content: unknown): Problem {
  const path = issue?.path ?? [];
  const where = pathText(path);
  if (issue?.code === 'unrecognized_keys') {
    const unknown = issue.keys.map((key) => pathText([...path, key])).join(', ');
    const remedy = `Remove it, or correct its spelling; genesis/README.md lists every field.`;
    return genesisProblem(unknown, issue.keys.length === 1 ? 'is unknown' : 'are unknown', remedy);
  }
  const expected = issue?.message ?? 'right';
  const missing = valueAt(content, path) === undefined;
  const why: unknown = issue?.code === 'custom' ? issue.params?.['why'] : undefined;
  const more = typeof why === 'string' ? `: ${why}` : '';
  return genesisProblem(
    where,
    missing ? `is missing; it must be ${expected}` : `must be ${expected}${more}`,
    `Write ${where} as ${expected}; genesis/README.md lists every field.`,
  );
}

function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? String(part) : `.${String(part)}`;
  }
  return text === '' ? 'the file' : text;
}

function valueAt(content: unknown, path: readonly PropertyKey[]): unknown {
  let value = content;
  for (const part of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[part];
  return value;
}
