// What octette inspect and octette bench say of a language model.

import { bytesPerElement, sizeOf } from "../graph/tensor";
import type { LanguageModel } from "../text/index";
import type { Context } from "./command";
import { measureFootprint } from "./footprint";
import { loadLanguage, noteLanguageThreads } from "./language";
import { formatBytes, formatMicroseconds, formatRate } from "./terminal";

const TASKS: Readonly<Record<LanguageModel["facts"]["task"], string>> = {
  "next-token": "generates text",
  "every-token": "logits of every token",
  hidden: "hidden states of every token",
  embedding: "embeddings",
  classes: "classes",
};

/** What a language model is, and the memory it takes. */
export async function inspectLanguage(path: string, context: Context): Promise<void> {
  using model = await loadLanguage(path, { maxBytes: Infinity }, context);
  const { facts, maxTokens, vocabulary, hasTokenizer, memory, graph, hash } = model;
  const bytesByType: Record<string, number> = {};
  let parameters = 0;
  for (const { dtype, shape } of graph.constants.values()) {
    parameters += sizeOf(shape);
    bytesByType[dtype] = (bytesByType[dtype] ?? 0) + sizeOf(shape) * bytesPerElement[dtype];
  }
  const found = {
    file: path,
    ...facts,
    maxTokens,
    vocabulary,
    hasTokenizer,
    parameters,
    constantBytes: bytesByType,
    memory,
    hash,
    provenance: graph.provenance,
  };
  context.print(found, () =>
    context.pairs([
      ["model", path],
      ["task", TASKS[facts.task]],
      ["family", `${graph.provenance.family ?? "–"}`],
      ["positions", `${facts.maxPositions}, loaded for ${maxTokens}`],
      ...(vocabulary > 0 ? [["vocabulary", `${vocabulary}`]] : []),
      ...(facts.labels ? [["classes", facts.labels.join(", ")]] : []),
      ["tokenizer", hasTokenizer ? "yes" : "none: takes tokens"],
      ["numbers", `${parameters}: ${listed(bytesByType)}`],
      ...memoryRows(model),
      ["hash", hash],
    ]),
  );
}

/** How fast a language model reads and generates. */
export async function benchLanguage(
  path: string,
  options: {
    readonly threads: number | undefined;
    readonly maxBytes: number | undefined;
    readonly seconds: number | undefined;
  },
  context: Context,
): Promise<void> {
  const { threads, maxBytes, seconds } = options;
  // First, so that there are never two of the model in memory.
  const { peak } = await measureFootprint(
    path,
    undefined,
    { language: { threads, maxBytes } },
    context.signal,
  );
  const begin = performance.now();
  using model = await loadLanguage(path, { threads, maxBytes }, context);
  const loadMilliseconds = performance.now() - begin;
  const { measureLanguageSpeed } = await import("../text/speed");
  const speed = await measureLanguageSpeed(model, { seconds, ...context.longCall });
  context.progress.end();
  noteLanguageThreads(model, threads, context);
  const { engine, memory } = model;
  context.print({ model: path, engine, loadMilliseconds, ...speed, memory, peak }, () =>
    context.pairs([
      ["model", path],
      ["engine", `${engine.engineClass}: ${engine.reason}`],
      ["threads", `${engine.threads}`],
      ["load", formatMicroseconds(1000 * loadMilliseconds)],
      ["prefill", `${formatRate(speed.prefill)} tokens/s, ${speed.promptTokens} tokens`],
      ["first token", formatMicroseconds(1000 * speed.firstTokenMilliseconds)],
      [
        "decode",
        `${formatRate(speed.decode)} tokens/s, ${speed.generatedTokens} tokens a round, ${speed.rounds} rounds`,
      ],
      ...memoryRows(model),
      ["peak", `${formatBytes(peak)} resident, of a process that loads and runs it`],
    ]),
  );
}

const listed = (bytes: Readonly<Record<string, number>>): string =>
  Object.entries(bytes)
    .sort(([, a], [, b]) => b - a)
    .map(([name, n]) => `${formatBytes(n)} ${name}`)
    .join(", ");

const memoryRows = ({ memory, maxTokens }: LanguageModel): string[][] => [
  ["weights", `${formatBytes(memory.weights)}, as they are packed`],
  ...(memory.cache > 0
    ? [
        [
          "cache",
          `${formatBytes(memory.cache)} for ${maxTokens} tokens, ${formatBytes(memory.cachePerToken)} a token`,
        ],
      ]
    : []),
  ["arena", formatBytes(memory.arena)],
  ["wasm memory", formatBytes(memory.total)],
];
