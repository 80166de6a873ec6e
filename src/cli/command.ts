// What a command of the tool is: options with their help, from which `--help`, parsing and the errors of wrong usage
// are all made, so that none of them can say something else than the others.

import { parseArgs } from "node:util";
import { parseBytes } from "../bytes";
import { nearest } from "../options";
import type { Progress } from "../report/index";

/** Wrong usage: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface OptionSpec {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in help, such as FILE. */
  readonly value?: string;
  /** The value names files that the command reads, which it must not replace. */
  readonly reads?: true;
  readonly help: string;
}

/** A line, or several. Control characters in them, such as those of a name in a hostile file, reach no terminal. */
export type Lines = string | readonly string[];

/** Where a command writes, and what stops it. */
export interface Context {
  /** Results: standard output. */
  readonly print: (lines: Lines) => void;
  /** All else: standard error. */
  readonly log: (lines: Lines) => void;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Columns of the terminal, when there is one. */
  readonly width?: number;
  /** Throws, before long work, where a file could not be written at its end, or is an input and --force is not given. */
  readonly checkOutput: (path: string) => Promise<void>;
  /** Writes a file, whole: throws where it is an input and --force is not given. Commands have no other way to. */
  readonly write: (path: string, bytes: Uint8Array, signal?: AbortSignal) => Promise<void>;
}

type Values<S extends Readonly<Record<string, OptionSpec>>> = {
  readonly [K in keyof S]?: S[K]["type"] extends "boolean"
    ? boolean
    : S[K]["multiple"] extends true
      ? readonly string[]
      : string;
};

export interface Command<S extends Readonly<Record<string, OptionSpec>> = Record<string, OptionSpec>> {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** After the name, in the usage line. */
  readonly arguments: string;
  /** Names of the positional arguments, all of them needed. */
  readonly positionals: readonly string[];
  readonly options: S;
  /** Paragraphs below the options. */
  readonly notes?: readonly string[];
  readonly examples: readonly string[];
  run(positionals: readonly string[], values: Values<S> & CommonValues, context: Context): Promise<void>;
}

interface CommonValues {
  readonly json?: boolean;
  readonly force?: boolean;
}

const common: Readonly<Record<string, OptionSpec>> = {
  json: {
    type: "boolean",
    help: "one JSON object on standard output; everything else goes to standard error",
  },
  help: { type: "boolean", short: "h", help: "show this help" },
};

const force: OptionSpec = { type: "boolean", help: "write even over a file that the command reads" };

/** Its own options and those of all commands; what writes can be told to write over its inputs. */
const allOptions = ({ options }: Command): Readonly<Record<string, OptionSpec>> => ({
  ...("output" in options ? { force } : {}),
  ...options,
  ...common,
});

/** A command whose option types follow from its table. */
export const defineCommand = <const S extends Readonly<Record<string, OptionSpec>>>(command: Command<S>) =>
  command as unknown as Command;

export const DATA_HELP = [
  "DATA is a .npz with arrays named like the model's inputs (and labels), an IDX or .npy file (labels beside it,",
  "or as IMAGES,LABELS), or a CSV with an optional label column. Any of them may be gzipped.",
];

/** For commands that run a model. */
export const THREADS_OPTION = {
  type: "string",
  value: "N",
  help: "share large steps among N threads; the results are the same",
} as const;

/** For commands that make a model of a file. */
export const MAX_BYTES_OPTION = {
  type: "string",
  value: "SIZE",
  help: "most memory of a model, such as 64MB (default 1GiB): one that takes more is refused",
} as const;

export function helpOf(command: Command): string[] {
  const options = allOptions(command);
  const lines = Object.entries(options).map(([name, o]) => [
    `${o.short ? `-${o.short}, ` : "    "}--${name}${o.value ? ` ${o.value}` : ""}`,
    o.help,
  ]);
  const width = Math.max(...lines.map(([left]) => left!.length));
  return [
    `octette ${command.name}: ${command.summary}`,
    "",
    `  octette ${command.name} ${command.arguments}`,
    "",
    ...lines.map(([left, right]) => `  ${left!.padEnd(width)}  ${right}`),
    "",
    ...(command.notes ? [...command.notes, ""] : []),
    command.examples.length > 1 ? "Examples:" : "Example:",
    ...command.examples.map((e) => `  ${e}`),
  ];
}

/** Positionals and option values of a command line. Throws a UsageError that names what is wrong. */
export function parseCommand(command: Command, args: readonly string[]) {
  const options = allOptions(command);
  const fail = (what: string) =>
    new UsageError(`${what}${what.endsWith("?") ? "" : "."} See: octette ${command.name} --help`);
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({
      args: [...args],
      options: Object.fromEntries(
        Object.entries(options).map(([name, { type, short, multiple }]) => [
          name,
          { type, ...(short ? { short } : {}), ...(multiple ? { multiple } : {}) },
        ]),
      ),
      allowPositionals: true,
    });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    const unknown = /Unknown option '(-{1,2}[^']+)'/.exec(message)?.[1];
    if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION" && unknown)
      throw fail(unknownOption(unknown, Object.keys(options)));
    const dashed = /^Option '(?:-\w, )?(--[\w-]+)[^']*' argument is ambiguous/.exec(message)?.[1];
    if (dashed)
      throw fail(
        `${dashed} is followed by another option; a value that begins with - is written ${dashed}=VALUE`,
      );
    const sentence = message.split(/\.\s|\n/)[0]!.replace(/\.$/, "");
    throw fail(sentence);
  }
  const { values, positionals } = parsed;
  const expected = command.positionals;
  if (!values.help && positionals.length < expected.length)
    throw fail(`${expected[positionals.length]} is missing`);
  if (positionals.length > expected.length)
    throw fail(`unexpected argument "${positionals[expected.length]}"`);
  return { values: values as Record<string, never>, positionals };
}

function unknownOption(option: string, known: readonly string[]): string {
  const near = nearest(option.replace(/^-+/, ""), known);
  return `unknown option ${option}${near ? `; did you mean --${near}?` : ""}`;
}

/** One of a few words. */
export function choice<T extends string>(
  option: string,
  value: string | undefined,
  words: readonly T[],
): T | undefined {
  if (value === undefined || (words as readonly string[]).includes(value)) return value as T | undefined;
  throw new UsageError(`--${option} must be one of ${words.join(", ")}, got "${value}"`);
}

/** A whole number of at least `least`. */
export function wholeNumber(option: string, value: string | undefined, least: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < least || value.trim() === "")
    throw new UsageError(`--${option} must be a whole number from ${least}, got "${value}"`);
  return number;
}

/** A number above 0. */
export function positiveNumber(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (number > 0 && number < Infinity) return number;
  throw new UsageError(`--${option} must be a number above 0, got "${value}"`);
}

/** A size such as 64MB, 1.5 GiB or 4096. */
export function byteCount(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const bytes = parseBytes(value);
  if (bytes !== undefined) return bytes;
  throw new UsageError(`--${option} must be a size such as 64MB or 4096, got "${value}"`);
}

/** JSON on one object; what JSON cannot say (no noise at all) becomes null. */
export const toJson = (value: unknown): Lines => linesOf(JSON.stringify(value, undefined, 2));

/** The lines of a text whose names hold no line breaks, such as a table. */
export const linesOf = (text: string): string[] => text.split("\n");
