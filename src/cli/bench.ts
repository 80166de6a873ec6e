// octette bench: how fast a model runs here, and where the time goes.

import { seededFeeds } from "../engine/self-test";
import { type EngineInfo, load } from "../index";
import { type Benchmark, benchmark, type Profile, type StepSpeed } from "../report/index";
import { type Context, defineCommand } from "./command";
import { isLanguageModel } from "./language";
import { benchLanguage } from "./language-reports";
import { askedMaxima, noteThreads, openModel } from "./open-model";
import { flag, MAX_BYTES, positiveNumber, THREADS, UsageError, wholeNumber } from "./options";
import { formatMicroseconds, formatPercent, formatRate } from "./terminal";

const SEED = 1;

export const benchCommand = defineCommand({
  name: "bench",
  summary: "measure the speed of a model and of its steps",
  arguments: "MODEL [--batch N] [--threads N] [--profile] [--seconds N]",
  positionals: ["MODEL"],
  options: {
    batch: wholeNumber(1, "samples a run (default 1)"),
    profile: flag("also every step, and how near it comes to the engine's multiply-adds"),
    threads: THREADS,
    "max-bytes": MAX_BYTES,
    seconds: positiveNumber("N", "how long to measure, after the warm-up (default 2)"),
  },
  notes: [
    "Random inputs from a fixed seed, median of calls after a warm-up. In the profile, steps are timed one by one on one thread; the ceiling is a loop of the same multiply-adds, all sums in registers, timed between them. Both are lower deciles, which other work on the machine disturbs least.",
    "Of a language model: tokens read and generated a second, and the time to the first token; --batch and --profile are for others.",
    "In JSON: microseconds (median, p10, p90), runsPerSecond, macs, gmacsPerSecond and profile; share and ofCeiling are percentages.",
  ],
  examples: ["octette bench digits.octette --profile"],
  async run([path = ""], values, context) {
    const { batch, threads, seconds, profile } = values;
    if (await isLanguageModel(path)) {
      if (batch !== undefined || profile)
        throw new UsageError("--batch and --profile are not for language models");
      return benchLanguage(path, { threads, seconds, maxBytes: values["max-bytes"] }, context);
    }
    const file = await openModel(path, context);
    const { graph, format } = file;
    const maxima = askedMaxima(file, batch);
    const model = await load(graph, { maxima, threads, maxBytes: values["max-bytes"] });
    try {
      const result = await benchmark(model, {
        feeds: seededFeeds(graph.inputs, SEED, { ...maxima, ...model.sizes }),
        seconds,
        profile,
        ...context.longCall,
      });
      context.progress.end();
      noteThreads(model, threads, context);
      const { engine } = model;
      const facts = { model: path, format, engine, symbols: maxima, ...result };
      context.print(facts, () => factsText(facts, context));
    } finally {
      model.dispose();
    }
  },
});

interface Facts extends Benchmark {
  readonly model: string;
  readonly format: string;
  readonly engine: EngineInfo;
  readonly symbols: Readonly<Record<string, number>>;
}

function factsText(facts: Facts, context: Context): string[] {
  const { microseconds, runsPerSecond, gmacsPerSecond, rounds, profile } = facts;
  const { median, p10, p90 } = microseconds;
  const rows = context.pairs([
    ["model", `${facts.model} (${facts.format})`],
    ["engine", `${facts.engine.engineClass}: ${facts.engine.reason}`],
    ["threads", `${facts.engine.threads}`],
    ...Object.entries(facts.symbols).map(([symbol, value]) => [symbol, `${value}`]),
    [
      "one run",
      `${formatMicroseconds(median)}, 80 % between ${formatMicroseconds(p10)} and ${formatMicroseconds(p90)}, ${rounds} rounds`,
    ],
    ["speed", `${formatRate(runsPerSecond)} runs/s, ${formatRate(gmacsPerSecond)} GMAC/s`],
    ...(profile ? profileRows(profile) : []),
  ]);
  return [...rows, ...(profile ? ["", ...profileTable(profile, context)] : [])];
}

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
