// octette footprint: what memory a model takes, measured in a process that does nothing else.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { OctetteError, save } from "../index";
import { type Context, defineCommand } from "./command";
import type { Footprint, Usage } from "./footprint-process";
import { askedMaxima, type ModelFile, openModel } from "./open-model";
import { MAX_BYTES, wholeNumber } from "./options";
import { formatBytes } from "./terminal";

export const footprintCommand = defineCommand({
  name: "footprint",
  summary: "measure the memory of a model, step by step",
  arguments: "MODEL [--batch N] [--max-bytes SIZE]",
  positionals: ["MODEL"],
  options: {
    batch: wholeNumber(1, "largest batch it is loaded for (default 1)"),
    "max-bytes": MAX_BYTES,
  },
  notes: [
    "Weights and arena lie in one wasm memory, whose size is known before anything is allocated: a model that --max-bytes refuses is told what would fit. Below it what the process takes, a fresh one with nothing in it but Node and octette/runtime: resident memory (RSS), on Linux also with pages that processes share counted in parts (PSS), and the JavaScript heap.",
    "In JSON, in bytes: bytes (weights, arena, memory, wasm), steps (rss, pss and heap of node, octette, loaded, ran, disposed) and peak.",
  ],
  examples: [
    "octette footprint digits.octette",
    "octette footprint digits.octette --batch 64 --max-bytes 8MB",
  ],
  async run([path = ""], values, context) {
    const maxBytes = values["max-bytes"];
    const file = await openModel(path, context);
    const maxima = askedMaxima(file, values.batch);
    const footprint = await measure(file, { maxima, maxBytes }, context.signal);
    const facts = { model: path, format: file.format, symbols: maxima, ...footprint };
    context.print(facts, () => factsText(facts, context));
  },
});

interface Facts extends Footprint {
  readonly model: string;
  readonly symbols: Readonly<Record<string, number>>;
}

/** Runs footprint-process.ts; a model in ONNX format is given to it as an artifact. */
function measure(
  { path, format, graph }: ModelFile,
  options: { readonly maxima: Readonly<Record<string, number>>; readonly maxBytes: number | undefined },
  signal: AbortSignal,
): Promise<Footprint> {
  const script = fileURLToPath(new URL("footprint.js", import.meta.url));
  const isFile = format === "octette";
  // Before there is a process that waits for it.
  const artifact = isFile ? undefined : save(graph, { maxBytes: options.maxBytes });
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
