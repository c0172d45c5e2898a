import type { JSX } from 'preact';
import { harmless } from '../../base/harmless.ts';
import { engineWords } from '../../client/engine-words.ts';
import { EvidenceList } from '../evidence-list.tsx';
import { status, validators } from '../node.ts';
import { AccountLink, Rows, Title } from '../parts.tsx';
import { SeenHere } from '../seen-here.tsx';
import { ViewTimeline } from '../view-timeline.tsx';
import { VoteMatrix } from '../vote-matrix.tsx';

/** Who agrees on blocks, how they do, and who was caught. */
export function ValidatorsPage(): JSX.Element {
  const { value: now } = status;
  const leader = now === undefined ? '' : engineWords[now.engine].leader;
  return (
    <>
      <Title>Validators</Title>
      <Rows head={['#', 'name', 'account', 'connection', 'role']}>
        {validators.value.map((one) => (
          <tr key={one.address}>
            <td class="number">{one.index}</td>
            <td>{harmless(one.name)}</td>
            <td>
              <AccountLink address={one.address} />
            </td>
            <td>{one.self ? 'this node' : one.connected ? 'connected' : 'none'}</td>
            <td>{one.primary ? leader : ''}</td>
          </tr>
        ))}
      </Rows>
      <SeenHere />
      <VoteMatrix />
      <ViewTimeline />
      <EvidenceList />
    </>
  );
}
