// What a caller may ask of the quantizer, and which nodes it is asked of.

import { OctetteError } from "../errors";
import type { Graph, Node } from "../graph/graph";
import { LONG_CALL, type LongCallOptions } from "../long-call";
import type { ToolkitOps } from "../ops/infer";
import { checkOptions, type Names, nearest } from "../options";
import type { EqualizedPair } from "../passes/equalize";
import type { Batches } from "./calibrate";
import type { Histogram } from "./observer";
import { type ChosenRange, checkRangeChoice, type RangeChoice, type RangeMethod } from "./range";

/** Ranges of activations found by calibration (static), or at run time (dynamic). */
export type QuantizeMode = "static" | "dynamic";

/** What is different for the nodes whose name matches a pattern. */
export interface Override {
  /** Whether they stay float; default false. */
  readonly float?: boolean;
  /** How the range of the node's output (or of the input of that name) is found; default the option `range`. */
  readonly range?: RangeChoice;
  /** Bits of a code of the node's weights, 2 to 8; default the option `bits`. */
  readonly bits?: number;
}

/** Options of `quantize`. */
export interface QuantizeOptions extends LongCallOptions {
  /**
   * `static` (default): activations have ranges found by calibration, everything that can runs on integers. `dynamic`:
   * Linear, LSTM, GRU and RNN only, the range of every row found while running; needs no data.
   */
  readonly mode?: QuantizeMode | undefined;
  /** Inputs like those the model will meet, a few hundred samples in batches of any size. Static mode needs them and reads them once; default none. */
  readonly calibration?: Batches | undefined;
  /** How ranges of activations are found; default `auto`, the method with the least error for each value. */
  readonly range?: RangeChoice | undefined;
  /** What a quantizer without care does, to compare with: one scale a weight, min/max, no equalization, no bias correction. Default false. */
  readonly naive?: boolean | undefined;
  /** Operators that become int8, such as `Conv`, or `Linear`: a Gemm or MatMul of known weights; default all that can. Ops that only move codes follow their input. */
  readonly only?: readonly string[] | undefined;
  /** Names of nodes that stay float; `*` stands for any characters. Default none. */
  readonly skip?: readonly string[] | undefined;
  /** What is different for some nodes, by name pattern; where several match, later ones win. Default none. */
  readonly overrides?: Readonly<Record<string, Override>> | undefined;
  /** Bits of a weight code, 2 to 8 (default): codes lie in ±(2^(bits−1) − 1). Below 8 fine-tuning brings accuracy back. */
  readonly bits?: number | undefined;
  /** Cross-layer equalization, default true. */
  readonly equalize?: boolean | undefined;
  /** Bias correction in static mode, default true. */
  readonly biasCorrection?: boolean | undefined;
  /** Most memory of the model that calibration runs, in bytes or as a size such as "64MB"; default 1 GiB. */
  readonly maxBytes?: number | string | undefined;
  /** Names of a classifier's classes, in the order of its scores; the artifact keeps them. Default: the graph's own. */
  readonly classes?: readonly string[] | undefined;
  /** The seed that chose the calibration samples, recorded with the model. Default: none is recorded. */
  readonly seed?: number | undefined;
  /** Warns, instead of throwing, where a pattern or operator matches nothing or no layer becomes int8. Default false. */
  readonly force?: boolean | undefined;
  /** Called with each range chosen for an input or a node's output, and with the observations it was chosen from. */
  onRange?(name: string, range: ChosenRange, histogram: Histogram): void;
}

const QUANTIZE = {
  ...LONG_CALL,
  mode: 1,
  calibration: 1,
  range: 1,
  naive: 1,
  only: 1,
  skip: 1,
  overrides: 1,
  bits: 1,
  equalize: 1,
  biasCorrection: 1,
  maxBytes: 1,
  classes: 1,
  seed: 1,
  force: 1,
  onRange: 1,
} satisfies Names<QuantizeOptions>;
const OVERRIDE = { float: 1, range: 1, bits: 1 } satisfies Names<Override>;

/** Throws for an unknown option, also within a pattern's options. */
export function checkNames(options: QuantizeOptions): void {
  checkOptions("quantize", options, QUANTIZE);
  for (const [pattern, override] of Object.entries(options.overrides ?? {}))
    checkOptions(`overrides["${pattern}"]`, override, OVERRIDE);
}

/** What became of one node. */
export interface LayerSummary {
  readonly name: string;
  readonly op: string;
  readonly quantized: boolean;
  /** How the range of its output was found. */
  readonly range?: RangeMethod;
  /** Why it stayed float, or the layer it was fused with. */
  readonly reason?: string;
}

/** What `quantize` did, skipped and chose. */
export interface QuantizeSummary {
  readonly mode: QuantizeMode;
  readonly layers: readonly LayerSummary[];
  readonly equalized: readonly EqualizedPair[];
  /** Steps that were not done somewhere, and why. */
  readonly skipped: readonly { readonly what: string; readonly where: string; readonly reason: string }[];
  /** Layers whose bias was corrected. */
  readonly biasCorrected: readonly string[];
  readonly samples: number;
  readonly warnings: readonly string[];
}

/** The options, checked, with patterns resolved to the names of nodes. */
export interface Selection {
  /** Why the node of this name stays float; undefined when no pattern says so. */
  skipReason(name: string): string | undefined;
  /** As `skipReason`, or because its operator was not asked for. */
  floatReason(node: Node): string | undefined;
  /** How the range of a node's output or of an input is found. */
  rangeOf(name: string): RangeChoice;
  /** Bits of a node's weight codes. */
  bitsOf(name: string): number;
  readonly warnings: readonly string[];
}

export function selectNodes(graph: Graph, registry: ToolkitOps, options: QuantizeOptions): Selection {
  const { only, skip = [], overrides = {}, naive = false, force = false } = options;
  const range = naive ? "minmax" : (options.range ?? "auto");
  checkRangeChoice(range, "range");
  const { bits = MOST_BITS } = options;
  checkBits(bits, "bits");
  const names = [...graph.nodes.map((node) => node.name), ...graph.inputs.map((input) => input.name)];
  const warnings: string[] = [];
  const unmatched = (where: string, pattern: string, known: readonly string[]) => {
    if (!force) throw noMatch(where, pattern, known, "force (--force) warns instead");
    warnings.push(`${where} "${pattern}" matches nothing`);
  };
  const compile = (pattern: string, where: string) => {
    const matches = matcher(pattern);
    if (!names.some(matches)) unmatched(where, pattern, names);
    return matches;
  };
  const skipped = skip.map((pattern) => ({ pattern, matches: compile(pattern, "skip") }));
  const overridden = Object.entries(overrides).map(([pattern, override]) => {
    if (override.range !== undefined) checkRangeChoice(override.range, `overrides["${pattern}"].range`);
    if (override.bits !== undefined) checkBits(override.bits, `overrides["${pattern}"].bits`);
    return { pattern, override, matches: compile(pattern, "overrides") };
  });
  const ops = [...new Set(graph.nodes.map(({ op }) => op))].sort();
  for (const op of only ?? []) if (!ops.includes(op)) unmatched("only", op, ops);
  const overrideOf = (name: string): Override =>
    Object.assign({}, ...overridden.filter(({ matches }) => matches(name)).map(({ override }) => override));
  const skipReason = (name: string): string | undefined => {
    const pattern = skipped.find(({ matches }) => matches(name))?.pattern;
    if (pattern !== undefined) return `skipped by "${pattern}"`;
    return overrideOf(name).float ? "float by override" : undefined;
  };
  return {
    warnings,
    skipReason,
    floatReason({ name, op }) {
      const asked = !only || only.includes(op) || registry[op]?.codes === "moves";
      return skipReason(name) ?? (asked ? undefined : `${op} is not among the operators asked for`);
    },
    bitsOf: (name) => overrideOf(name).bits ?? bits,
    rangeOf: (name) => (naive ? "minmax" : (overrideOf(name).range ?? range)),
  };
}

/** Names that are listed where a pattern matches none. */
const MOST_NAMES = 8;

/** The error of a pattern that matches none of these names. */
export function noMatch(
  where: string,
  pattern: string,
  names: readonly string[],
  hint: string,
): OctetteError {
  const near = nearest(pattern.replaceAll("*", ""), names);
  return new OctetteError("matches nothing", {
    code: "argument",
    where,
    expected: `one of ${names.slice(0, MOST_NAMES).join(", ")}${names.length > MOST_NAMES ? ", …" : ""}`,
    got: `"${pattern}"`,
    hint: `${near ? `Did you mean ${near}? ` : ""}${hint}`,
  });
}

/** Bits that a weight code may have. */
const [LEAST_BITS, MOST_BITS] = [2, 8];

function checkBits(bits: number, where: string): void {
  if (Number.isInteger(bits) && bits >= LEAST_BITS && bits <= MOST_BITS) return;
  throw new OctetteError("invalid number of weight bits", {
    code: "argument",
    where,
    expected: `a whole number from ${LEAST_BITS} to ${MOST_BITS}`,
    got: String(bits),
    hint: "Use overrides: { NODE: { float: true } } to leave a node as it is",
  });
}

/** A test for names where `*` in the pattern stands for any characters. */
export function matcher(pattern: string): (name: string) => boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, "\\$&"));
  const expression = new RegExp(`^${parts.join(".*")}$`, "s");
  return (name) => expression.test(name);
}
