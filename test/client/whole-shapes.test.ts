import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { misshapen } from '../../src/client/answer-shapes.ts';
import type { Answers } from '../../src/client/answers.ts';
import { HttpClient } from '../../src/client/http-client.ts';
import { defaultSurroundings } from '../../src/client/transport.ts';
import { wholeShapes } from '../../src/client/whole-shapes.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { alice, transfer } from '../api/fake-backend.ts';
import { start } from '../api/world.ts';

const key = 'shop/a';

/** An answer of a node for each kind that is asked for by a path. */
async function answersOf(t: Parameters<typeof start>[0]): Promise<Map<keyof Answers, object>> {
  const world = await start(t);
  world.backend.records.set(key, Uint8Array.of(1));
  world.backend.namespaces.push('shop');
  const sent = transfer(0);
  world.backend.makeBlock([sent]);
  const about = encodeAddress(alice);
  const paths: Partial<Record<keyof Answers, string>> = {
    status: 'status',
    account: `accounts/${about}`,
    transaction: `transactions/${sent.hash}`,
    block: 'blocks/1?full=true',
    finality: 'blocks/1/finality',
    stateReading: `proofs/accounts/${about}`,
    headers: 'headers?from=1',
    epochs: 'epochs',
    genesis: 'genesis',
    reservation: `reservations/${about}:0:1`,
    record: `records?key=${key}`,
    records: 'records/list?prefix=shop',
    namespace: 'namespaces/shop',
    namespaces: 'namespaces?prefix=',
    chainParameters: 'chain/parameters',
    chainProposals: 'chain/proposals',
    validators: 'validators',
    members: 'members',
    why: 'why',
    evidence: 'evidence',
    samples: 'telemetry/samples',
    viewChanges: 'telemetry/views',
    votes: 'telemetry/votes',
    health: 'health',
    ready: 'ready',
  };
  const answers = new Map<keyof Answers, object>();
  for (const [kind, path] of Object.entries(paths)) {
    const response = await fetch(`${world.api.address}/v1/${path}`);
    const answer = (await response.json()) as object;
    assert.equal(response.status, 200, `${path}: ${JSON.stringify(answer)}`);
    answers.set(kind as keyof Answers, answer);
  }
  return answers;
}

interface Damaged {
  readonly at: string;
  readonly json: unknown;
  /** Whether the value was taken away. */
  readonly isAbsent: boolean;
}

/** The same with each of its values taken away, or another one in its place; with the path to it. */
function* damaged(value: unknown, at = ''): Generator<Damaged, void> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    const path = `${at}.${name}`;
    const others: unknown[] = inner === null ? [{}] : typeof inner === 'object' ? [7] : [{}, [inner]];
    if (!Array.isArray(value)) others.push(undefined);
    for (const other of others) {
      const json = Array.isArray(value) ? value.with(Number(name), other) : { ...value, [name]: other };
      yield { at: path, json, isAbsent: other === undefined };
    }
    for (const deep of damaged(inner, path)) {
      const json = Array.isArray(value)
        ? value.with(Number(name), deep.json)
        : { ...value, [name]: deep.json };
      yield { ...deep, json };
    }
  }
}

/** What answers did not always have. */
const later = /\.(?:heard|strangers|contradiction)$/;

test('all that an answer is promised to have is looked at, wherever it stands', async (t) => {
  const answers = await answersOf(t);
  let count = 0;
  for (const [kind, answer] of answers) {
    const look = (json: unknown) => misshapen(json, [wholeShapes[kind]], 'http://x');
    assert.equal(look(answer)?.message, undefined, kind);
    for (const { at, json, isAbsent } of damaged(answer)) {
      if (isAbsent && later.test(at)) continue;
      // What may be of any kind, or absent.
      if (
        /\.(?:counters|details)\.|\.missing|\.unreached$|change\.height$|^\.(?:transactions|receipts)$/.test(
          at,
        )
      )
        continue;
      const problem = look(json);
      assert.ok(problem instanceof Problem, `${kind}: ${at} of ${JSON.stringify(json)}`);
      assert.doesNotMatch(problem.message, /undefined/);
      count += 1;
    }
  }
  assert.ok(count > 500, `${count} damaged answers`);
});

/** What people write, which is made harmless where it is shown; and the bytes of a genesis file. */
const written =
  /\.(?:chainName|version|signatureCheck|leaderApi|name|key|prefix|next|memo|why|reason|detail|remedy|api|address|genesis|type|engine|status)$/;

test('what machines make as a name holds nothing that a terminal or a shell obeys', async (t) => {
  let count = 0;
  const named = new Set<string>();
  for (const [kind, answer] of await answersOf(t)) {
    const look = (json: unknown) => misshapen(json, [wholeShapes[kind]], 'http://x');
    for (const { at, json } of texts(answer)) {
      const problem = look(json);
      if (problem === undefined) named.add(`${kind}${at}`);
      count += 1;
    }
  }
  const free = [...named].filter((at) => !written.test(at) || at.endsWith('.address'));
  assert.deepEqual(
    free.filter((at) => !/\.(?:counters|details)\./.test(at)),
    [],
  );
  assert.ok(count > 100, `${count} texts`);
});

/** The same with each of its texts lengthened. */
function* texts(value: unknown, at = ''): Generator<{ readonly at: string; readonly json: unknown }, void> {
  if (typeof value === 'string') yield { at, json: `${value}; \u001b[2J` };
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    for (const deep of texts(inner, `${at}.${name}`)) {
      const json = Array.isArray(value)
        ? value.with(Number(name), deep.json)
        : { ...value, [name]: deep.json };
      yield { at: deep.at, json };
    }
  }
}

test('kinds that a newer node knows are let through, and missing receipts are not', async (t) => {
  const answers = await answersOf(t);
  const block = answers.get('block') as Answers['block'];
  const [transaction] = block.transactions ?? [];
  const look = (json: unknown) => misshapen(json, [wholeShapes.block], 'http://x');
  const newer = { ...transaction, operations: [{ type: 'burn', amount: 7 }] };
  assert.equal(look({ ...block, transactions: [newer] }), undefined);
  assert.match(look({ ...block, receipts: [] })?.message ?? '', /not one receipt for each transaction/);
});

test('who shows answers has them looked at; who goes on by them is served by other versions, too', async (t) => {
  const world = await start(t);
  const baseUrl = world.api.address;
  const surroundings = {
    ...defaultSurroundings,
    fetch: async (...request: Parameters<typeof fetch>) => {
      const { signatureCheck: _, ...older } = (await (await fetch(...request)).json()) as Answers['status'];
      return Response.json(older);
    },
  };
  const lenient = await new HttpClient({ baseUrl, surroundings }).status();
  assert.ok(!(lenient instanceof Problem));
  const strict = await new HttpClient({ baseUrl, surroundings, shapes: wholeShapes }).status();
  assert.ok(strict instanceof Problem);
  assert.match(strict.message, /signatureCheck is no text/);
});
