// octette bench: how fast a model runs here, and where the time goes.

import { seededFeeds } from "../engine/self-test";
import { nodesIn } from "../graph/bodies";
import { type EngineInfo, type Graph, load } from "../index";
import { type Benchmark, benchmark, type Profile, type Speed, type StepSpeed } from "../report/index";
import { benchCsv } from "./bench-csv";
import { type Context, defineCommand } from "./command";
import { footprintOf } from "./footprint";
import { isLanguageModel } from "./language";
import { benchLanguage } from "./language-reports";
import { askedMaxima, type ModelFile, noteThreads, openModel } from "./open-model";
import { flag, MAX_BYTES, positiveNumber, THREADS, text, UsageError, wholeNumber } from "./options";
import { formatBytes, formatMicroseconds, formatPercent, formatRate } from "./terminal";

const SEED = 1;

export const benchCommand = defineCommand({
  name: "bench",
  summary: "measure the speed of a model and of its steps",
  arguments: "MODEL [--against MODEL] [--batch N] [--threads N] [--profile] [--seconds N] [--csv]",
  positionals: ["MODEL"],
  options: {
    against: { ...text("MODEL", "a second model, measured in turns with the first"), reads: true },
    batch: wholeNumber(1, "samples a run (default 1)"),
    profile: flag("also every step, and how near it comes to the engine's multiply-adds"),
    threads: THREADS,
    "max-bytes": MAX_BYTES,
    seconds: positiveNumber("N", "how long to measure, after the warm-up (default 2)"),
    csv: flag("CSV on standard output: a row for each model, or with --profile for each step"),
  },
  notes: [
    "Random inputs from a fixed seed. p50, p95 and p99 are percentiles of calls after a warm-up; load and first are the time until the model is there and that of its first run, which nothing has optimised. In the profile, steps are timed one by one on one thread; the ceiling is a loop of the same multiply-adds, all sums in registers, timed between them. Both are lower deciles, which other work on the machine disturbs least.",
    "peak is the most memory that was ever resident of a process of its own, Node with octette/runtime, which loads the model and runs it once, as octette footprint measures it.",
    "Of a language model: tokens read and generated a second, the time to the first token, and memory; --against, --batch, --profile and --csv are for others.",
    "In JSON: microseconds (min, p10, median, p90, p95, p99, max), start (loadMs, firstRunMs), memory (wasm, peak, in bytes), runsPerSecond, macs, gmacsPerSecond, byOp, profile and against; share and ofCeiling are percentages.",
  ],
  examples: ["octette bench digits.octette --against digits.onnx", "octette bench digits.octette --profile"],
  async run([path = ""], values, context) {
    const { batch, threads, seconds, profile } = values;
    if (values.csv && values.json) throw new UsageError("--csv and --json: standard output has one of them");
    if (await isLanguageModel(path)) {
      if (batch !== undefined || profile || values.csv || values.against !== undefined)
        throw new UsageError("--against, --batch, --profile and --csv are not for language models");
      return benchLanguage(path, { threads, seconds, maxBytes: values["max-bytes"] }, context);
    }
    const file = await openModel(path, context);
    const otherFile = values.against === undefined ? undefined : await openModel(values.against, context);
    const options = { batch, threads, maxBytes: values["max-bytes"] };
    const start = (one: ModelFile) => started(one, options, context.signal);
    const [first, other] = [await start(file), otherFile && (await start(otherFile))];
    const { model } = first;
    try {
      const { against, ...result } = await benchmark(model, {
        feeds: first.feeds,
        against: other?.model,
        againstFeeds: other?.feeds,
        seconds,
        profile,
        ...context.longCall,
      });
      context.progress.end();
      noteThreads(model, threads, context);
      const facts = {
        model: path,
        format: file.format,
        engine: model.engine,
        symbols: first.maxima,
        start: first.start,
        memory: first.memory,
        ...result,
        ...(result.profile ? { byOp: byOp(file.graph, result.profile) } : {}),
        ...(against && other
          ? { against: { model: values.against!, start: other.start, memory: other.memory, ...against } }
          : {}),
      };
      if (values.csv) context.printRows(benchCsv(facts));
      else context.print(facts, () => factsText(facts, context));
    } finally {
      model.dispose();
      other?.model.dispose();
    }
  },
});

/** Milliseconds until a model is there, and those of its first run, when nothing is optimised yet. */
interface Start {
  readonly loadMs: number;
  readonly firstRunMs: number;
}

/** Bytes that a model takes. */
interface Memory {
  /** Of wasm: weights and the values of a run. */
  readonly wasm: number;
  /** Most that was ever resident of a process that loads it and runs it once. */
  readonly peak: number;
}

interface StartOptions {
  readonly batch?: number | undefined;
  readonly threads?: number | undefined;
  readonly maxBytes?: number | undefined;
}

/** Measures the memory of a model, loads it and runs it once. */
async function started(file: ModelFile, { batch, threads, maxBytes }: StartOptions, signal: AbortSignal) {
  const maxima = askedMaxima(file, batch);
  const { bytes, peak } = await footprintOf(file, { maxima, threads, maxBytes }, signal);
  const memory: Memory = { wasm: bytes.memory, peak };
  const from = performance.now();
  const model = await load(file.format === "octette" ? file.bytes : file.graph, {
    maxima,
    threads,
    maxBytes,
  });
  const loaded = performance.now();
  const feeds = seededFeeds(file.graph.inputs, SEED, { ...maxima, ...model.sizes });
  const begun = performance.now();
  model.runSync(feeds);
  const start: Start = { loadMs: loaded - from, firstRunMs: performance.now() - begun };
  return { model, feeds, maxima, start, memory };
}

export interface BenchFacts extends Omit<Benchmark, "against"> {
  readonly model: string;
  readonly format: string;
  readonly engine: EngineInfo;
  readonly symbols: Readonly<Record<string, number>>;
  readonly start: Start;
  readonly memory: Memory;
  readonly byOp?: readonly OpTime[];
  readonly against?: NonNullable<Benchmark["against"]> & Pick<BenchFacts, "model" | "start" | "memory">;
}

/** What is measured of each model. */
export type MeasuredModel = Speed & Pick<BenchFacts, "model" | "start" | "memory">;

function factsText(facts: BenchFacts, context: Context): string[] {
  const { rounds, profile, against } = facts;
  const row = ({ model, start, memory, microseconds, ...speed }: MeasuredModel) => [
    model,
    formatMicroseconds(1000 * start.loadMs),
    formatMicroseconds(1000 * start.firstRunMs),
    ...[microseconds.median, microseconds.p95, microseconds.p99].map(formatMicroseconds),
    formatRate(speed.runsPerSecond),
    formatRate(speed.gmacsPerSecond),
    formatBytes(memory.peak),
  ];
  const rows = [facts, ...(against ? [against] : [])].map(row);
  return [
    ...context.pairs([
      ["engine", `${facts.engine.engineClass}: ${facts.engine.reason}`],
      ["threads", `${facts.engine.threads}`],
      ...Object.entries(facts.symbols).map(([symbol, value]) => [symbol, `${value}`]),
      ["rounds", `${rounds}`],
      ...(profile ? profileRows(profile) : []),
    ]),
    "",
    ...context.table(
      ["model", "load", "first", "p50", "p95", "p99", "runs/s", "GMAC/s", "peak"],
      rows,
      "lrrrrrrrr",
    ),
    ...(against ? ["", ratioText(facts.model, against.model, against.ratio)] : []),
    ...(profile ? ["", ...opTable(facts.byOp!, context), "", ...profileTable(profile, context)] : []),
  ];
}

const ratioText = (model: string, other: string, ratio: number): string =>
  ratio >= 1
    ? `${model} is ${ratio.toFixed(2)} times as fast as ${other}.`
    : `${model} takes ${(1 / ratio).toFixed(2)} times as long as ${other}.`;

/** What all steps of one operator take together. */
interface OpTime {
  readonly op: string;
  readonly nodes: number;
  readonly microseconds: number;
  /** Percentage of all steps' time. */
  readonly share: number;
  readonly macs: number;
}

/** Time by operator, the longest first. */
function byOp(graph: Graph, { steps }: Profile): OpTime[] {
  const ops = new Map(nodesIn(graph).map(({ name, op }) => [name, op]));
  const groups = new Map<string, StepSpeed[]>();
  for (const step of steps) {
    const op = ops.get(step.node) ?? "between layers";
    groups.set(op, [...(groups.get(op) ?? []), step]);
  }
  const sum = (of: readonly StepSpeed[], key: "microseconds" | "share" | "macs") =>
    of.reduce((total, step) => total + step[key], 0);
  return [...groups]
    .map(([op, own]) => ({
      op,
      nodes: new Set(own.map(({ node }) => node)).size,
      microseconds: sum(own, "microseconds"),
      share: sum(own, "share"),
      macs: sum(own, "macs"),
    }))
    .sort((a, b) => b.microseconds - a.microseconds);
}

const opTable = (ops: readonly OpTime[], { table }: Context): string[] =>
  table(
    ["op", "nodes", "time", "share", "GMAC/s"],
    ops.map(({ op, nodes, microseconds, share, macs }) => [
      op,
      `${nodes}`,
      formatMicroseconds(microseconds),
      formatPercent(share, 1),
      macs === 0 ? "–" : formatRate(macs / microseconds / 1000),
    ]),
    "lrrrr",
  );

const profileRows = ({ steps, ceilings }: Profile): string[][] => [
  ["steps", `${formatMicroseconds(steps.reduce((sum, s) => sum + s.microseconds, 0))} of a run`],
  ["ceiling", `${formatRate(ceilings.int8)} GMAC/s int8, ${formatRate(ceilings.f32)} GMAC/s f32`],
];

/** Calls of one kernel for one node, such as those for each group of a convolution, as one. */
function joined(steps: readonly StepSpeed[]) {
  const groups: StepSpeed[][] = [];
  for (const step of steps) {
    const last = groups.at(-1) ?? [];
    if (last[0]?.node === step.node && last[0].kernel === step.kernel) last.push(step);
    else groups.push([step]);
  }
  return groups.map((group) => {
    const sum = (of: (step: StepSpeed) => number) => group.reduce((n, step) => n + of(step), 0);
    const microseconds = sum((step) => step.microseconds);
    const mean = (key: "gmacsPerSecond" | "ofCeiling") =>
      group[0]![key] && sum((step) => step[key]! * step.microseconds) / microseconds;
    const [gmacsPerSecond, ofCeiling] = [mean("gmacsPerSecond"), mean("ofCeiling")];
    const { node, kernel } = group[0]!;
    const share = sum((step) => step.share);
    return { node, kernel, count: group.length, microseconds, share, gmacsPerSecond, ofCeiling };
  });
}

const profileTable = ({ steps }: Profile, { table }: Context): string[] =>
  table(
    ["node", "kernel", "time", "share", "GMAC/s", "of ceiling"],
    joined(steps).map((step) => [
      step.node,
      step.count > 1 ? `${step.kernel} × ${step.count}` : step.kernel,
      formatMicroseconds(step.microseconds),
      formatPercent(step.share, 1),
      formatRate(step.gmacsPerSecond),
      formatPercent(step.ofCeiling, 0),
    ]),
    "llrrrr",
  );
