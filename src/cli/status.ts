import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { harmless } from '../base/harmless.ts';
import { unwrap } from '../base/problem.ts';
import type { StatusAnswer } from '../client/answers.ts';
import { engineWords } from '../client/engine-words.ts';
import { grouped } from '../client/plain-words.ts';
import { connect, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { answer, duration, facts, moment, styled } from './terminal.ts';

function protocolText({
  protocolVersion,
  knownProtocolVersions,
  scheduledProtocolVersion: coming,
}: StatusAnswer): string {
  if (coming === null) return `version ${protocolVersion}`;
  const known = coming.version <= knownProtocolVersions.newest;
  const next = `version ${coming.version} from height ${grouped(coming.height)} on`;
  return `version ${protocolVersion}; ${known ? next : styled('red', `${next}, which this node does not know: it stops before it`)}`;
}

export function statusCommand(): CommandUnknownOpts {
  return new Command('status')
    .description('show what a node knows of the chain and of itself')
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (options) => {
      const status = unwrap(await connect(options).status());
      const behind = Math.max(0, status.highestKnown - status.finalHeight);
      answer(options.json, status, () =>
        facts([
          ['node', `${options.node}, ${harmless(status.version)}, up ${duration(status.uptimeMs)}`],
          ['chain', `${harmless(status.chainName)}${status.development ? ' (development)' : ''}`],
          ['chain id', status.chainId],
          ['engine', status.engine],
          ['protocol', protocolText(status)],
          ['validator', status.validator === null ? 'no, an observer' : String(status.validator.index)],
          ['ready', status.ready ? styled('green', 'yes') : styled('yellow', 'no (ask "quorate why")')],
          [
            'final block',
            `${grouped(status.finalHeight)}${behind > 0 ? styled('yellow', `, ${grouped(behind)} behind`) : ''}`,
          ],
          ['  hash', status.finalHash],
          ['  state root', status.stateRoot],
          ['  proposed', moment(status.finalTimestamp)],
          [
            engineWords[status.engine].period,
            `${status.view}, ${status.primary === null ? 'no leader is known here' : `validator ${status.primary} leads`}${
              status.leaderApi === null ? '' : ` (${harmless(status.leaderApi)})`
            }`,
          ],
          ['in flight', `${grouped(status.inFlight)} blocks`],
          [
            'mempool',
            `${grouped(status.mempool.transactions)} transactions, ${grouped(status.mempool.bytes)} bytes`,
          ],
          ['peers', grouped(status.peers)],
          ['signatures', `checked by ${harmless(status.signatureCheck)}`],
        ]),
      );
    });
}
