// octette footprint: what memory a model takes, measured in a process that does nothing else.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type ModelOptions, OctetteError, preload, save } from "../index";
import { type Context, defineCommand } from "./command";
import type { Footprint, FootprintOptions, Usage } from "./footprint-process";
import { isLanguageModel, LOADING } from "./language";
import { askedMaxima, type ModelFile, openModel } from "./open-model";
import { MAX_BYTES, UsageError, wholeNumber } from "./options";
import { formatBytes } from "./terminal";

export const footprintCommand = defineCommand({
  name: "footprint",
  summary: "measure the memory of a model, step by step",
  arguments: "MODEL [--batch N | --context N] [--max-bytes SIZE]",
  positionals: ["MODEL"],
  options: {
    batch: wholeNumber(1, "largest batch it is loaded for (default 1)"),
    context: LOADING.context,
    "max-bytes": MAX_BYTES,
  },
  notes: [
    "Weights and arena lie in one wasm memory, whose size is known before anything is allocated: a model that --max-bytes refuses is told what would fit. Below it what the process takes, a fresh one with nothing in it but Node and octette/runtime: resident memory (RSS), on Linux also with pages that processes share counted in parts (PSS), and the JavaScript heap.",
    "Of a language model: with a cache for as many tokens as --context says, and a run that reads a chunk of them and generates.",
    "In JSON, in bytes: bytes (weights, cache, arena, memory, wasm), steps (rss, pss and heap of node, octette, loaded, ran, disposed) and peak.",
  ],
  examples: [
    "octette footprint digits.octette",
    "octette footprint digits.octette --batch 64 --max-bytes 8MB",
  ],
  async run([path = ""], values, context) {
    const maxBytes = values["max-bytes"];
    if (await isLanguageModel(path)) {
      if (values.batch !== undefined) throw new UsageError("--batch is not for language models");
      const options = { maxBytes, ...(values.context !== undefined && { maxTokens: values.context }) };
      const footprint = await measureFootprint(path, undefined, { language: options }, context.signal);
      const facts = { model: path, symbols: {}, ...footprint };
      return context.print(facts, () => factsText(facts, context));
    }
    if (values.context !== undefined) throw new UsageError("--context is for language models");
    const file = await openModel(path, context);
    const maxima = askedMaxima(file, values.batch);
    const footprint = await footprintOf(file, { maxima, maxBytes }, context.signal);
    const facts = { model: path, format: file.format, symbols: maxima, ...footprint };
    context.print(facts, () => factsText(facts, context));
  },
});

interface Facts extends Footprint {
  readonly model: string;
  readonly symbols: Readonly<Record<string, number>>;
}

/** What a model takes in a process of its own. */
export async function footprintOf(
  { path, format, graph }: ModelFile,
  options: ModelOptions,
  signal: AbortSignal,
): Promise<Footprint> {
  // Before there is a process that waits for it.
  await preload();
  const artifact = format === "octette" ? undefined : save(graph, { maxBytes: options.maxBytes });
  return measureFootprint(path, artifact, options, signal);
}

/** Runs footprint-process.ts on a file, or on an artifact where there is no file of it. */
export function measureFootprint(
  path: string,
  artifact: Uint8Array | undefined,
  options: FootprintOptions,
  signal: AbortSignal,
): Promise<Footprint> {
  const script = fileURLToPath(new URL("footprint.js", import.meta.url));
  const isFile = artifact === undefined;
  return new Promise((resolve, reject) => {
    const args = ["--expose-gc", script, isFile ? path : "-", JSON.stringify(options)];
    const child = spawn(process.execPath, args, {
      signal,
      stdio: [isFile ? "ignore" : "pipe", "pipe", "pipe"],
    });
    let [out, err] = ["", ""];
    child.stdout!.on("data", (chunk) => (out += chunk));
    child.stderr!.on("data", (chunk) => (err += chunk));
    child.stdin?.on("error", () => {}).end(artifact);
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(out) as Footprint);
      else reject(new OctetteError(err.trim(), { code: "limit" }));
    });
  });
}

const steps: Readonly<Record<keyof Footprint["steps"], string>> = {
  node: "Node alone",
  octette: "octette/runtime imported",
  loaded: "model loaded",
  ran: "run once",
  disposed: "disposed",
};

function factsText({ model, symbols, engineClass, bytes, steps: measured, peak }: Facts, { table }: Context) {
  const asked = Object.entries(symbols).map(([symbol, value]) => `, ${symbol} ${value}`);
  const planned = [
    ["weights", formatBytes(bytes.weights), "packed for this engine"],
    ...(bytes.cache === undefined
      ? []
      : [["cache", formatBytes(bytes.cache), "keys and values of all tokens"]]),
    ["arena", formatBytes(bytes.arena), "values of a run, and room to pack"],
    ["wasm memory", formatBytes(bytes.memory), "both, as planned: 64 KiB pages"],
    ["wasm code", formatBytes(bytes.wasm), "bytes of its modules"],
  ];
  const row = (name: string, { rss, pss, heap }: Usage) => [
    name,
    formatBytes(rss),
    pss === undefined ? "–" : formatBytes(pss),
    formatBytes(heap),
  ];
  const rows = Object.entries(steps).map(([step, name]) => row(name, measured[step as keyof typeof steps]));
  return [
    `${model} (${engineClass}${asked.join("")})`,
    ...planned.map(([name, size, what]) => `${name!.padEnd(12)}${size!.padStart(8)}  ${what}`),
    "",
    ...table(["process", "RSS", "PSS", "JS heap"], [...rows, ["peak", formatBytes(peak), "", ""]]),
  ];
}
