#!/usr/bin/env node
// The command line: finds the command, and turns what happened into an exit code. 0 is ok, 1 failed, 2 wrong
// usage, 130 stopped by Ctrl-C.

import { version } from "../../package.json";
import { checkWritable, writeFileWhole } from "../files/write-file";
import { nearest } from "../options";
import { visible } from "../visible";
import { COLUMNS, type Context, helpOf, type Lines, parseCommand } from "./command";
import { commandNames, loadCommand, loadCommands } from "./commands";
import type { Inputs } from "./inputs";
import { UsageError } from "./options";
import { createProgress, formatPairs, formatTable, wrapParagraph } from "./terminal";

const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

async function help(): Promise<string[]> {
  const commands = await loadCommands();
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    `octette ${version}: quantize, fine-tune and run neural networks`,
    "",
    "  octette COMMAND --help    says more about a command",
    "  octette --version",
    "",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "Example:",
    "  octette quantize model.onnx --calibrate train.npz -o model.octette",
    "",
    "Exit codes: 0 ok, 1 failed, 2 wrong usage, 130 interrupted.",
    "OCTETTE_DEBUG=1 shows where an error came from.",
  ];
}

/** What a command is given to write with. */
type Output = Pick<Context, "checkOutput" | "write" | "print" | "stream">;

/** Writes no file that the command reads, unless it is told to. What they are is found when it first writes one. */
function guarded(inputs: () => Promise<Inputs>, force: boolean): Omit<Output, "print" | "stream"> {
  let known: Promise<Inputs> | undefined;
  const check = async (path: string) => {
    if (!force) await (await (known ??= inputs())).check(path);
  };
  return {
    async checkOutput(path) {
      await check(path);
      await checkWritable(path);
    },
    async write(path, bytes, signal) {
      await check(path);
      await writeFileWhole(path, bytes, signal);
    },
  };
}

async function main(args: readonly string[]): Promise<void> {
  const [name, ...rest] = args;
  if (name === "--version" || name === "-V") return print(version);
  if (name === "--help" || name === "-h" || (name === "help" && rest.length === 0))
    return print(await help());
  if (name === undefined) throw new UsageError(["no command given", "", ...(await help())].join("\n"));
  const wanted = (name === "help" ? rest[0] : name)!;
  const command = await loadCommand(wanted);
  if (!command) {
    const near = nearest(wanted, commandNames);
    throw new UsageError(
      `unknown command "${wanted}"${near ? `; did you mean ${near}?` : "."} See: octette --help`,
    );
  }
  const { values, positionals } = parseCommand(command, name === "help" ? ["--help"] : rest);
  if (values.help) return print(helpOf(command));
  const inputs = async () => (await import("./inputs")).Inputs.of(command, positionals, values);
  await command.run(positionals, values, {
    ...context,
    ...guarded(inputs, values.force ?? false),
    // JSON has no number for no noise at all: it becomes null.
    print: (facts, lines) =>
      values.json ? print(JSON.stringify(facts, undefined, 2).split("\n")) : print(lines(), width),
    stream(text) {
      if (!values.json) process.stdout.write(text.split("\n").map(visible).join("\n"));
    },
  });
}

/** Errors in the width of other lines for people; the way there only when asked for. */
function report(error: unknown): number {
  context.progress.end();
  if (controller.signal.aborted) {
    context.log("octette: interrupted");
    return EXIT.interrupted;
  }
  if (error instanceof UsageError) {
    context.log(...`octette: ${error.message}`.split("\n"));
    return EXIT.usage;
  }
  const { message, stack } = error as Error;
  const isDebugged = process.env.OCTETTE_DEBUG && stack;
  context.log(...(isDebugged ? stack.split("\n") : [`octette: ${message.replace(/\s*\n\s*/g, "; ")}`]));
  return EXIT.failed;
}

const controller = new AbortController();
process.once("SIGINT", () => controller.abort(new Error("interrupted")));
process.stdout.on("error", (error: { code?: string }) => {
  // Whoever read our output has seen enough, as `head` does.
  if (error.code === "EPIPE") process.exit(EXIT.ok);
});

/** Lines for programs, such as JSON, are never broken; those for people are where a width is known. */
const print = (lines: Lines, columns = Infinity) => {
  for (const line of [lines].flat().flatMap((text) => wrapParagraph(visible(text), columns)))
    process.stdout.write(`${line}\n`);
};
const { signal } = controller;
const progress = createProgress(process.stderr);
/** Fewer columns have no room for names and what they are. */
const LEAST_COLUMNS = 20;
/** COLUMNS says it for what is no terminal; what is no width, or too narrow for words, says nothing. */
const columnsTold = Number(process.env.COLUMNS);
const told = Number.isInteger(columnsTold) && columnsTold >= LEAST_COLUMNS ? columnsTold : undefined;
const width = process.stdout.columns || told;
/** Where a width is known, lines for people are broken between words. */
const errorWidth = process.stderr.columns || told;
const logWidth = errorWidth ? Math.min(errorWidth, COLUMNS) : Infinity;
const log = (...lines: string[]) => {
  for (const line of lines.map(visible)) progress.log(wrapParagraph(line, logWidth).join("\n"));
};
const context: Omit<Context, keyof Output> = {
  printRows: (rows) => print(rows),
  log,
  warn: (warnings) => log(...warnings.map((warning) => `warning: ${warning}`)),
  table: (header, rows, align) => formatTable(header, rows, { width, align }).split("\n"),
  pairs: (rows) => formatPairs(rows, width),
  progress,
  signal,
  longCall: { signal, onProgress: ({ stage, done, total }) => progress.update(stage, done, total) },
};

// What the engine warns of, such as numbers far outside a model's range, in the words and the width of this terminal.
console.warn = (text) => context.warn([`${text}`.replace(/^octette: /, "")]);

process.exitCode = await main(process.argv.slice(2)).then(() => EXIT.ok, report);
