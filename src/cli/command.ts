// What a command of the tool is: options with their help, from which `--help`, parsing and the errors of wrong usage
// are all made, so that none of them can say something else than the others.

import { parseArgs } from "node:util";
import type { LongCallOptions } from "../long-call";
import { nearest } from "../options";
import { flag, type OptionSpec, UsageError } from "./options";
import { type ProgressBar, wrap } from "./terminal";

/** A line, or several. Control characters in them, such as those of a name in a hostile file, reach no terminal. */
export type Lines = string | readonly string[];

/** Where a command writes, and what stops it. */
export interface Context {
  /** Results: what was found as one object for --json, or as lines for people. */
  readonly print: (facts: object, lines: () => Lines) => void;
  /** Results for programs, such as CSV. */
  readonly printRows: (rows: readonly string[]) => void;
  /** Text for people as it comes, of which line breaks alone are obeyed: to standard output; with --json nowhere. */
  readonly stream: (text: string) => void;
  /** All else: standard error. */
  readonly log: (...lines: string[]) => void;
  readonly warn: (warnings: readonly string[]) => void;
  /** A table that fits the terminal; `align` has an l or r for each column. */
  readonly table: (
    header: readonly string[],
    rows: readonly (readonly string[])[],
    align?: string,
  ) => string[];
  /** Names and what they are, side by side, cut to the terminal. */
  readonly pairs: (rows: readonly (readonly string[])[]) => string[];
  readonly progress: ProgressBar;
  readonly signal: AbortSignal;
  /** What long calls are given: the bar shows how far they are, and Ctrl-C stops them. */
  readonly longCall: LongCallOptions;
  /** Throws, before long work, where a file could not be written at its end, or is an input and --force is not given. */
  readonly checkOutput: (path: string) => Promise<void>;
  /** Writes a file, whole: throws where it is an input and --force is not given. Commands have no other way to. */
  readonly write: (path: string, bytes: Uint8Array, signal?: AbortSignal) => Promise<void>;
}

type Options = Readonly<Record<string, OptionSpec>>;
type Value<O> =
  O extends OptionSpec<infer T> ? (O extends { readonly multiple: true } ? readonly T[] : T) : never;
/** What options were given; those that are needed always are. */
export type Values<S extends Options> = { readonly [K in keyof S]?: Value<S[K]> } & {
  readonly [K in keyof S as S[K] extends { readonly needed: string } ? K : never]: Value<S[K]>;
};

export interface Command<S extends Options = Options> {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** After the name, in the usage line. */
  readonly arguments: string;
  /** Names of the positional arguments, all of them needed. */
  readonly positionals: readonly string[];
  /** Whether the last of them may come several times. */
  readonly isRepeated?: boolean;
  readonly options: S;
  /** Paragraphs below the options. */
  readonly notes?: readonly string[];
  readonly examples: readonly string[];
  run(
    positionals: readonly string[],
    values: Values<S> & { readonly force?: boolean; readonly json?: boolean },
    context: Context,
  ): Promise<void>;
}

const common = {
  json: flag("one JSON object on standard output; everything else goes to standard error"),
  help: { ...flag("show this help"), short: "h" },
};

const force = flag("write even over a file that the command reads");

/** Its own options and those of all commands; what writes can be told to write over its inputs. */
const allOptions = ({ options }: Command): Options => ({
  ...options,
  ...("output" in options && !("force" in options) ? { force } : {}),
  ...common,
});

/** A command whose option types follow from its table. */
export const defineCommand = <const S extends Options>(command: Command<S>) => command as unknown as Command;

/** Columns of help, and of whatever else is wrapped for a terminal. */
export const COLUMNS = 80;

export function helpOf(command: Command): string[] {
  const options = Object.entries(allOptions(command)).map(([name, { short, value, isOptional, help }]) => {
    const shown = isOptional ? `[${value}]` : value;
    const left = `${short ? `-${short}, ` : "    "}--${name}${shown ? ` ${shown}` : ""}`;
    return { left, help };
  });
  const width = Math.max(...options.map(({ left }) => left.length));
  const { name, summary, notes = [], examples } = command;
  return [
    ...wrap(`octette ${name}: ${summary}`, COLUMNS, "  "),
    "",
    ...wrap(`  octette ${name} ${command.arguments}`, COLUMNS, "      "),
    "",
    ...options.flatMap(({ left, help }) =>
      wrap(help, COLUMNS - width - 4).map((line, i) => `  ${(i === 0 ? left : "").padEnd(width)}  ${line}`),
    ),
    "",
    ...notes.flatMap((note) => [...wrap(note, COLUMNS), ""]),
    examples.length > 1 ? "Examples:" : "Example:",
    ...examples.flatMap((example) => wrap(`  ${example}`, COLUMNS, "      ", " \\")),
  ];
}

/** Positionals and option values of a command line. Throws a UsageError that names what is wrong. */
export function parseCommand(command: Command, args: readonly string[]) {
  const options = allOptions(command);
  const fail = (what: string) =>
    new UsageError(`${what}${what.endsWith("?") ? "" : "."} See: octette ${command.name} --help`);
  let parsed: { values: Record<string, string | boolean | string[] | undefined>; positionals: string[] };
  try {
    parsed = parseArgs({
      args: withOptional(args, options),
      options: Object.fromEntries(
        Object.entries(options).map(([name, { value, short, multiple = false }]) => [
          name,
          { type: value ? "string" : "boolean", multiple, ...(short ? { short } : {}) },
        ]),
      ),
      allowPositionals: true,
    }) as typeof parsed;
  } catch (error) {
    throw fail(wrongOption(error as Error, Object.keys(options)));
  }
  const { values: given, positionals } = parsed;
  const expected = command.positionals;
  if (!given.help && positionals.length < expected.length)
    throw fail(`${expected[positionals.length]} is missing`);
  if (positionals.length > expected.length && !command.isRepeated)
    throw fail(`unexpected argument "${positionals[expected.length]}"`);
  const values: Record<string, unknown> = {};
  for (const [name, { short, value, needed, parse }] of Object.entries(options)) {
    const text = given[name];
    if (text !== undefined)
      values[name] = Array.isArray(text) ? text.map((one) => parse(one, name)) : parse(`${text}`, name);
    else if (needed !== undefined && !given.help)
      throw fail(`${short ? `-${short}` : `--${name}`} ${value} is missing: ${needed}`);
  }
  return { values: values as Record<string, never>, positionals };
}

/** Arguments as Node's parser takes them: an option whose value is left out is given "". What follows is its value where it can be. */
function withOptional(args: readonly string[], options: Options): string[] {
  const end = args.indexOf("--");
  return args.map((arg, i) => {
    const option = arg.startsWith("--") && (end < 0 || i < end) ? options[arg.slice(2)] : undefined;
    if (!option?.isOptional) return arg;
    const next = args[i + 1];
    return next !== undefined && (option.looks ?? /^\d/).test(next) ? arg : `${arg}=`;
  });
}

/** What Node's parser found wrong, in our words. */
function wrongOption({ message }: Error, known: readonly string[]): string {
  const unknown = /Unknown option '(-{1,2}[^']+)'/.exec(message)?.[1];
  if (unknown) {
    const near = nearest(unknown.replace(/^-+/, ""), known);
    return `unknown option ${unknown}${near ? `; did you mean --${near}?` : ""}`;
  }
  const dashed = /^Option '(?:-\w, )?(--[\w-]+)[^']*' argument is ambiguous/.exec(message)?.[1];
  if (dashed)
    return `${dashed} is followed by another option; a value that begins with - is written ${dashed}=VALUE`;
  return message.split(/\.\s|\n/)[0]!.replace(/\.$/, "");
}
