import type { CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { Problem } from '../base/problem.ts';
import { wholeText } from '../base/strict-text.ts';
import { parseUrl } from './node-url.ts';

/** Options whose value may be left out, and what a value of theirs looks like. */
const optionalValue: ReadonlyMap<string, RegExp> = new Map([['--wait', /^\d+(\.\d+)?$/]]);

/**
 * The command line as it is meant. An option whose value may be left out takes the next word only
 * when that can be its value; and what the system could not hand over as text is refused, because it
 * would name something else.
 */
export function readArguments(words: readonly string[], environment: NodeJS.ProcessEnv = {}): string[] {
  for (const [name, value = ''] of Object.entries(environment)) {
    // Passwords and tokens are judged where they are needed.
    if (!/^QUORATE_(?:KEYS|NODE)$/.test(name)) continue;
    if (value === '') {
      throw new Problem('cli/usage', `the environment variable ${name} is empty`, {
        remedy: 'Set it to something, or unset it.',
        details: { variable: name },
      });
    }
    if ('fault' in wholeText(value)) {
      throw new Problem('cli/usage', `the environment variable ${name} is not UTF-8 text`, {
        remedy: 'Set the terminal to UTF-8, and set the variable again.',
        details: { variable: name },
      });
    }
    // Where it counts, whoever reads that it is wrong looks for an option of that name otherwise.
    if (name === 'QUORATE_NODE' && !words.some((word) => /^--node(?:=|$)/.test(word))) parseUrl(value, name);
  }
  const end = words.indexOf('--');
  return words.map((word, index) => {
    if ('fault' in wholeText(word)) {
      throw new Problem('cli/usage', `argument ${index + 1} is not UTF-8 text`, {
        remedy: 'Set the terminal to UTF-8. Values of other bytes can be given with --hex or --file.',
        details: { argument: index + 1 },
      });
    }
    const shape = optionalValue.get(word);
    if (shape === undefined || (end >= 0 && index > end)) return word;
    const next = words[index + 1];
    return next === undefined || shape.test(next) || next.startsWith('-') ? word : `${word}=`;
  });
}

/**
 * Refuses an option whose value was forgotten, so that the next option would be taken for it: whoever writes
 * `--node --json` means no node called `--json`, and `--data "$DIR"` without a DIR is not the current
 * directory.
 */
export function refuseForgottenValues(words: readonly string[], program: CommandUnknownOpts): void {
  const options = commandsOf(program).flatMap(({ options }) => options);
  const known = new Set(['--help', '-h', ...options.flatMap(({ long, short }) => [long, short])]);
  const takesValue = new Set(options.filter(({ required }) => required).map(({ long }) => long));
  const places = new Map(
    options.flatMap(({ flags }) => {
      const [, long, place] = /(--[a-z-]+) <(directory|file|path)>/.exec(flags) ?? [];
      return long === undefined ? [] : [[long, place === 'directory' ? place : 'file'] as const];
    }),
  );
  const end = words.indexOf('--');
  for (const [index, word] of words.slice(0, end < 0 ? undefined : end).entries()) {
    const next = words[index + 1];
    const [option = '', given = next] = word.split('=', 2);
    const place = places.get(option);
    if (place !== undefined && given === '') {
      throw new Problem('cli/usage', `${option} names no ${place}`, {
        remedy: `Give the name of a ${place}, or leave it out where it may be missing. Nothing was tried.`,
        details: { option },
      });
    }
    if (next === undefined || !takesValue.has(word) || !known.has(next)) continue;
    throw new Problem('cli/usage', `${word} needs a value, and ${next} follows it`, {
      remedy: `Give it one. If ${next} is the value, write ${word}=${next}`,
      details: { option: word, next },
    });
  }
}

/** Refuses an option that is given twice, unless all of its values count: the first would be thrown away. */
export function refuseRepeatedOptions(program: CommandUnknownOpts): void {
  watchOptions(program, ({ long, required, optional, variadic, argChoices, parseArg }) => {
    // A parser of two arguments gets what the option had before.
    const isCollected =
      variadic || (argChoices === undefined && parseArg !== undefined && parseArg.length > 1);
    if (isCollected || !(required || optional)) return undefined;
    let isGiven = false;
    return () => {
      if (isGiven) {
        throw new Problem('cli/usage', `${long} is given twice`, {
          remedy: 'Give it once. Nothing was tried.',
          details: { option: long ?? null },
        });
      }
      isGiven = true;
    };
  });
}

/** The value of a record may be empty, and so may what all keys begin with. */
const emptyArguments: ReadonlySet<string> = new Set(['value', 'prefix']);
/** The same value in hex; and a note, which is empty unless given. */
const mayBeEmpty = ({ long, defaultValue }: Option): boolean => long === '--hex' || defaultValue === '';

/**
 * Refuses arguments and values of options that are no text, as `"$KEY"` without a KEY: no key, name or
 * account is empty, and the path of an API without one is another path.
 */
export function refuseEmptyValues(program: CommandUnknownOpts): void {
  program.hook('preAction', (_, { registeredArguments, args }) => {
    for (const [index, argument] of registeredArguments.entries()) {
      const given = argument.variadic ? args.slice(index) : args.slice(index, index + 1);
      if (given.includes('') && !emptyArguments.has(argument.name())) throw empty(`<${argument.name()}>`);
    }
  });
  watchOptions(program, (option) =>
    !option.required || mayBeEmpty(option)
      ? undefined
      : (value) => {
          if (value === '') throw empty(option.long ?? option.flags);
        },
  );
}

/** Tells of each value that is given to an option, of the command or one below it. */
function watchOptions(
  program: CommandUnknownOpts,
  watcherFor: (option: Option) => ((value: unknown) => void) | undefined,
): void {
  for (const command of commandsOf(program)) {
    for (const option of command.options) {
      const watcher = watcherFor(option);
      if (watcher !== undefined) command.on(`option:${option.name()}`, watcher);
    }
  }
}

function empty(what: string): Problem {
  return new Problem('cli/usage', `${what} is empty`, {
    remedy: 'Give it a value: a variable of the shell may not be set. Nothing was tried.',
    details: { what },
  });
}

/** A command and all below it. */
function commandsOf(command: CommandUnknownOpts): CommandUnknownOpts[] {
  return [command, ...command.commands.flatMap(commandsOf)];
}
