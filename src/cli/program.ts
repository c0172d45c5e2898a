import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import packageJson from '../../package.json' with { type: 'json' };
import { exitCodesHelp } from './exit-codes.ts';

/**
 * One file per command. Each is loaded only when needed, because the commands that start a node load much
 * more than those that ask one.
 */
const commands: Readonly<Record<string, () => Promise<CommandUnknownOpts>>> = {
  testnet: async () => (await import('./testnet.ts')).testnetCommand(),
  keys: async () => (await import('./keys.ts')).keysCommand(),
  init: async () => (await import('./init.ts')).initCommand(),
  start: async () => (await import('./start.ts')).startCommand(),
  tx: async () => (await import('./tx.ts')).txCommand(),
  get: async () => (await import('./get.ts')).getCommand(),
  reservation: async () => (await import('./reservation.ts')).reservationCommand(),
  list: async () => (await import('./list.ts')).listCommand(),
  namespace: async () => (await import('./namespace.ts')).namespaceCommand(),
  history: async () => (await import('./history.ts')).historyCommand(),
  diff: async () => (await import('./diff.ts')).diffCommand(),
  account: async () => (await import('./account.ts')).accountCommand(),
  block: async () => (await import('./block.ts')).blockCommand(),
  watch: async () => (await import('./watch.ts')).watchCommand(),
  verify: async () => (await import('./verify.ts')).verifyCommand(),
  status: async () => (await import('./status.ts')).statusCommand(),
  why: async () => (await import('./why.ts')).whyCommand(),
  validators: async () => (await import('./validators.ts')).validatorsCommand(),
  chain: async () => (await import('./chain.ts')).chainCommand(),
  members: async () => (await import('./members.ts')).membersCommand(),
  leader: async () => (await import('./leader.ts')).leaderCommand(),
  evidence: async () => (await import('./evidence.ts')).evidenceCommand(),
  bench: async () => (await import('./bench.ts')).benchCommand(),
  simulate: async () => (await import('./simulate.ts')).simulateCommand(),
};

/**
 * The whole command line; with `wanted` only what that command needs. Errors in it are thrown, and
 * nothing here ends the process.
 */
export async function createProgram(wanted?: string): Promise<Command> {
  const program = new Command('quorate')
    .description('A Byzantine-tolerant ledger node, and the tools to use one.')
    // Options after a command's name are that command's: `bench` and what is below it have some of one name.
    .enablePositionalOptions()
    .version(packageJson.version)
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('after', exitCodesHelp);
  const one = wanted !== undefined && Object.hasOwn(commands, wanted) ? commands[wanted] : undefined;
  for (const load of one === undefined ? Object.values(commands) : [one]) program.addCommand(await load());
  return program;
}
