import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { isAdmitted } from '../../src/network/admission.ts';
import type { Link } from '../../src/network/link.ts';

/** Links of one peer, with whether another one of it is let in, and which of them are dropped for that. */
function admitted(
  old: readonly { readonly session: string; readonly acceptedAt: number }[],
  greeting: { readonly session: string; readonly links: number },
): { readonly stays: boolean; readonly dropped: readonly number[] } {
  const linkOf = (session: string, acceptedAt: number): Link =>
    ({ peer: 'peer', session, acceptedAt, status: 'accepted', member: 'key', invited: false }) as Link;
  let present = old.map(({ session, acceptedAt }) => linkOf(session, acceptedAt));
  const all = [...present];
  const dropped: number[] = [];
  const link = linkOf(greeting.session, 0);
  const stays = isAdmitted(
    link,
    { ...greeting, hello: new Uint8Array() },
    {
      peers: { linksOf: () => present },
      links: new Map(present.map((one, index) => [String(index), one])),
      handshakeMs: 100,
      lotOf: () => 0,
      now: 1_000,
      drop: (one) => {
        dropped.push(all.indexOf(one));
        present = present.filter((other) => other !== one);
      },
    },
  );
  return { stays, dropped };
}

test('a restarted peer leaves dead links behind, and so does one that says that it has none', () => {
  const before = { session: 'before', acceptedAt: 990 };
  const long = { session: 'now', acceptedAt: 700 };
  const fresh = { session: 'now', acceptedAt: 900 };
  assert.deepEqual(admitted([before], { session: 'now', links: 1 }), { stays: true, dropped: [0] });
  assert.deepEqual(admitted([long, fresh], { session: 'now', links: 0 }), { stays: true, dropped: [0] });
  assert.deepEqual(admitted([long, fresh], { session: 'now', links: 2 }), { stays: true, dropped: [] });
});

test('a peer has only so many links', () => {
  const fresh = { session: 'now', acceptedAt: 900 };
  const full = Array.from({ length: limits.linksPerPeer }, () => fresh);
  // The newcomer itself, which is none of them.
  assert.deepEqual(admitted(full, { session: 'now', links: 3 }), { stays: false, dropped: [-1] });
});
