import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { harmless } from '../base/harmless.ts';
import { limits } from '../base/limits.ts';
import { Problem, unwrap } from '../base/problem.ts';
import type { EvidenceItem } from '../client/answers.ts';
import type { HttpClient } from '../client/http-client.ts';
import { ProofChecker } from '../client/proof-checker.ts';
import { exitCodes } from './exit-codes.ts';
import { connect, jsonOption, nodeOption, timeoutOption, wholeNumber } from './options.ts';
import { provenOption, trustedChain } from './proven-state.ts';
import { answer, styled, table } from './terminal.ts';

export function evidenceCommand(): CommandUnknownOpts {
  return new Command('evidence')
    .description('list proof that validators signed what no correct validator signs')
    .option('--offset <n>', 'how many to leave out', wholeNumber(0, 2 ** 47), 0)
    .option('--limit <n>', 'how many to list', wholeNumber(1, limits.httpPage), limits.httpPage)
    .addOption(provenOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (options) => {
      const { offset, limit } = options;
      const genesis = await trustedChain(options);
      const client = connect(options);
      const listed = unwrap(await client.evidence({ offset, limit }));
      if (genesis !== undefined) return showChecked(listed, new ProofChecker(genesis, client), options.json);
      answer(options.json, listed, () =>
        listed.evidence.length === 0
          ? noEvidence(offset)
          : table(
              ['#', 'validator', 'kind', 'address', 'size'],
              listed.evidence.map((one, index) => [
                String(offset + index),
                String(one.accused),
                harmless(one.kind),
                one.address,
                `${one.bytes.length / 2} bytes`,
              ]),
            ),
      );
    });
}

/** Each with what is proven by the two signatures in it, or why nothing is. */
async function showChecked(
  { evidence, ...listed }: Exclude<Awaited<ReturnType<HttpClient['evidence']>>, Problem>,
  checker: ProofChecker,
  json: true | undefined,
): Promise<void> {
  const checked: { readonly item: EvidenceItem; readonly proven: boolean | null; readonly says: string }[] =
    [];
  for (const item of evidence) {
    const found = await checker.contradiction(item);
    if (found === undefined)
      checked.push({ item, proven: null, says: 'this program cannot check that kind' });
    else if (found instanceof Problem) checked.push({ item, proven: false, says: found.message });
    else checked.push({ item, proven: true, says: found });
  }
  answer(json, { ...listed, evidence: checked.map(({ item, ...rest }) => ({ ...item, ...rest })) }, () =>
    checked.length === 0
      ? noEvidence(listed.offset)
      : table(
          ['#', 'kind', 'address', 'proven', 'what'],
          checked.map(({ item, proven, says }, index) => [
            String(listed.offset + index),
            harmless(item.kind),
            item.address,
            proven === null ? 'unknown' : proven ? styled('green', 'yes') : styled('red', 'no'),
            harmless(says),
          ]),
        ),
  );
  if (checked.some(({ proven }) => proven === false)) process.exitCode = exitCodes.problem;
}

function noEvidence(offset: number): string {
  return offset === 0 ? 'There is no evidence against anybody.' : `There is none from number ${offset} on.`;
}
