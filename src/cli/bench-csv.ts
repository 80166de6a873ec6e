// octette bench --csv: what was measured as rows, in the units and under the names of --json.

import type { BenchFacts, MeasuredModel } from "./bench";

/** A field as RFC 4180 has it: in quotes where it has a comma, a quote or a line break. */
const field = (value: string | number | undefined): string => {
  const text = `${value ?? ""}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const csv = (
  header: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): string[] => [header, ...rows].map((row) => row.map(field).join());

/** A row for each model; with a profile, one for each step. */
export function benchCsv(facts: BenchFacts): string[] {
  const { profile, against, engine } = facts;
  if (profile) {
    const names = ["node", "kernel", "microseconds", "share", "macs", "gmacsPerSecond", "ofCeiling"] as const;
    return csv(
      names,
      profile.steps.map((step) => names.map((name) => step[name])),
    );
  }
  const columns: readonly (readonly [name: string, of: (one: MeasuredModel) => string | number])[] = [
    ["model", ({ model }) => model],
    ["engineClass", () => engine.engineClass],
    ["threads", () => engine.threads],
    ["loadMs", ({ start }) => start.loadMs],
    ["firstRunMs", ({ start }) => start.firstRunMs],
    ...(["min", "p10", "median", "p90", "p95", "p99", "max"] as const).map(
      (name) => [`${name}Microseconds`, ({ microseconds }: MeasuredModel) => microseconds[name]] as const,
    ),
    ["runsPerSecond", ({ runsPerSecond }) => runsPerSecond],
    ["macs", ({ macs }) => macs],
    ["gmacsPerSecond", ({ gmacsPerSecond }) => gmacsPerSecond],
    ["wasmBytes", ({ memory }) => memory.wasm],
    ["peakBytes", ({ memory }) => memory.peak],
  ];
  return csv(
    columns.map(([name]) => name),
    [facts, ...(against ? [against] : [])].map((one) => columns.map(([, of]) => of(one))),
  );
}
