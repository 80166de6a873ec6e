// Small random graphs, float and quantized, on which the runtime is compared with the reference. Every graph follows
// from its options and a seed.

import type { Graph, Input } from "../src/graph/graph";
import { evaluateShape, type Shape, symbolsOf } from "../src/graph/symbols";
import { type DType, sizeOf, type Tensor, tensor } from "../src/graph/tensor";
import {
  type Activation,
  type Attributes,
  type Coded,
  type CodeType,
  GraphBuilder,
  type Range,
  randomOf,
} from "./graph-builder";

export { expectClose, expectSameBytes, expectWithinOneCode } from "./check-tensors";

/** An output range that sums of k products fill without saturating throughout. */
function rangeForSums(builder: GraphBuilder, x: Coded, w: Coded, k: number, dtype: CodeType): Range {
  const scale = Math.fround(x.range!.scale * w.scales![0]! * Math.sqrt(Math.max(k, 1)) * 90);
  return { ...builder.range(dtype), scale };
}

interface WeightedOptions {
  /** Default "static": codes in, codes out. */
  readonly mode?: "float" | "static" | "static-float" | "dynamic";
  readonly bias?: boolean;
  readonly activation?: Activation;
  readonly codes?: CodeType;
  /** Weights of −128 and 127 only. */
  readonly extreme?: boolean;
  readonly seed?: number;
}

interface Weighted extends WeightedOptions {
  readonly op: string;
  readonly input: Shape;
  readonly weight: readonly number[];
  /** Products in a sum. */
  readonly k: number;
  readonly attributes: Attributes;
}

/** x → op(x, w, b) → y, in the mode asked for. */
function weightedGraph(options: Weighted): Graph {
  const { op, weight, k, attributes, activation, mode = "static", bias = true, codes = "u8" } = options;
  const builder = new GraphBuilder(options.seed);
  const x = builder.input("x", options.input);
  const n = weight[0]!;
  if (mode === "float") {
    const inputs = [x, builder.floats("w", weight, Math.sqrt(3 / Math.max(k, 1)))];
    if (bias) inputs.push(builder.floats("b", [n], 1));
    const y = builder.node(op, inputs, activation ? "y_core" : "y", attributes);
    if (activation) builder.node(activation, [y], "y", activation === "Clip" ? { min: 0, max: 0.5 } : {});
    return builder.build("y");
  }
  const coded =
    mode === "dynamic" ? builder.quantizeDynamically(x) : builder.quantize(x, builder.range(codes));
  const w = builder.weights("w", weight, 0, options.extreme);
  if (mode !== "static") {
    const inputs = bias ? [coded, w, builder.floats("b", [n], 1)] : [coded, w];
    builder.layer(op, inputs, "y", { attributes, activation });
    return builder.build("y");
  }
  const inputs = bias ? [coded, w, builder.bias("b", w, k)] : [coded, w];
  const range = rangeForSums(builder, coded, w, k, codes);
  builder.dequantize(builder.layer(op, inputs, "q", { attributes, activation, range }), "y");
  return builder.build("y");
}

/** Linear over x [batch, k]. */
export const denseGraph = (options: WeightedOptions & { readonly k: number; readonly n: number }): Graph =>
  weightedGraph({
    ...options,
    op: "Linear",
    input: ["batch", options.k],
    weight: [options.n, options.k],
    attributes: {},
  });

/** Conv over x [batch, cin, h, w] with a square kernel. */
export function convGraph(
  options: WeightedOptions & {
    readonly cin: number;
    readonly cout: number;
    readonly k: number;
    readonly h: number;
    readonly w: number;
    readonly stride?: number;
    readonly pad?: number;
    /** Instead of `pad`: top, left, bottom, right. */
    readonly pads?: readonly number[];
    readonly dilation?: number;
    readonly groups?: number;
  },
): Graph {
  const {
    cin,
    cout,
    k,
    h,
    w,
    stride = 1,
    pad = 0,
    pads = [pad, pad, pad, pad],
    dilation = 1,
    groups = 1,
  } = options;
  return weightedGraph({
    ...options,
    op: "Conv",
    input: ["batch", cin, h, w],
    weight: [cout, cin / groups, k, k],
    k: (cin / groups) * k * k,
    attributes: {
      kernel_shape: [k, k],
      strides: [stride, stride],
      pads,
      dilations: [dilation, dilation],
      group: groups,
    },
  });
}

/**
 * Any other op over inputs x0, x1 … of the shapes given, in a region with random ranges, or float. `keepsRange`: the
 * result has the first input's range, as pooling and reshaping need; `sameRange`: the inputs all have one.
 */
export function opGraph(options: {
  readonly op: string;
  readonly shapes: readonly Shape[];
  readonly attributes?: Attributes;
  readonly quantized?: boolean;
  readonly keepsRange?: boolean;
  readonly sameRange?: boolean;
  readonly activation?: Activation;
  readonly codes?: CodeType;
  readonly seed?: number;
}): Graph {
  const { op, attributes = {}, activation, quantized = true, codes = "u8" } = options;
  const builder = new GraphBuilder(options.seed);
  const names = options.shapes.map((shape, i) => builder.input(`x${i}`, shape));
  if (!quantized) {
    const y = builder.node(op, names, activation ? "y_core" : "y", attributes);
    if (activation) builder.node(activation, [y], "y", activation === "Clip" ? { min: 0, max: 0.5 } : {});
    return builder.build("y");
  }
  const first = builder.range(codes);
  const inputs = names.map((name, i) =>
    builder.quantize(name, i === 0 || options.sameRange ? first : builder.range(codes)),
  );
  const range = options.keepsRange ? first : builder.range(codes);
  builder.dequantize(builder.layer(op, inputs, "q", { attributes, activation, range }), "y");
  return builder.build("y");
}

/**
 * A small network over x [batch, 3, 8, 8]: convolution, a residual block of depthwise and pointwise ones, two branches
 * concatenated, pooling and a Gemm; y [batch, 10]. Quantized or float, with values that live long and die apart.
 */
export function networkGraph(options: { readonly quantized?: boolean; readonly seed?: number } = {}): Graph {
  const { quantized = true } = options;
  const builder = new GraphBuilder(options.seed);
  const input = builder.input("x", ["batch", 3, 8, 8]);
  const x: Coded = quantized ? builder.quantize(input) : { codes: input, scale: "" };
  const apply = (
    op: string,
    inputs: readonly Coded[],
    y: string,
    attributes: Attributes,
    range?: Range,
  ): Coded => {
    if (quantized) return builder.layer(op, inputs, y, { attributes, range: range ?? builder.range() });
    const names = inputs.map(({ codes }) => codes);
    return { codes: builder.node(op, names, y, attributes), scale: "" };
  };
  const weighted = (
    op: string,
    from: Coded,
    y: string,
    shape: readonly number[],
    more: Attributes,
    relu = false,
  ) => {
    const k = sizeOf(shape.slice(1));
    const attributes = op === "Conv" ? { kernel_shape: shape.slice(2), ...more } : more;
    if (!quantized) {
      const weights = builder.floats(`${y}_w`, shape, Math.sqrt(3 / k));
      const names = [from.codes, weights, builder.floats(`${y}_b`, [shape[0]!], 1)];
      const core = builder.node(op, names, relu ? `${y}_core` : y, attributes);
      return { codes: relu ? builder.node("Relu", [core], y) : core, scale: "" };
    }
    const w = builder.weights(`${y}_w`, shape, 0);
    const range = rangeForSums(builder, from, w, k, "u8");
    const inputs = [from, w, builder.bias(`${y}_b`, w, k)];
    return builder.layer(op, inputs, y, { attributes, activation: relu ? "Relu" : undefined, range });
  };
  const same = { pads: [1, 1, 1, 1] };
  const stem = weighted("Conv", x, "stem", [16, 3, 3, 3], same, true);
  const depthwise = weighted("Conv", stem, "depthwise", [16, 1, 3, 3], { ...same, group: 16 }, true);
  const pointwise = weighted("Conv", depthwise, "pointwise", [16, 16, 1, 1], {});
  const sum = apply("Add", [stem, pointwise], "sum", {});
  const half = { kernel_shape: [2, 2], strides: [2, 2] };
  const largest = apply("MaxPool", [sum], "largest", half, sum.range);
  const strided = weighted("Conv", sum, "strided", [9, 16, 3, 3], { ...same, strides: [2, 2] }, true);
  const both = apply("Concat", [largest, strided], "both", { axis: 1 });
  const pooled = apply("GlobalAveragePool", [both], "pooled", {});
  const flat = apply("Flatten", [pooled], "flat", { axis: 1 }, pooled.range);
  const y = weighted("Linear", flat, quantized ? "logits" : "y", [10, 25], {});
  if (quantized) builder.dequantize(y, "y");
  return builder.build("y");
}

/** What the f32 inputs hold; far outside every range "min" and "max" make codes all lowest or all highest. */
export type Fill = "random" | "min" | "max" | "extremes" | "zero";

/** Feeds for every input, all symbols `batch`. Random values reach a little past ±`bound`. */
export function randomFeeds(
  graph: Graph,
  batch = 3,
  seed = 7,
  fill: Fill = "random",
  bound = 3,
): Record<string, Tensor> {
  const { below, between } = randomOf(seed);
  const far = 1e6;
  const real = {
    random: () => between(-bound, bound),
    min: () => -far,
    max: () => far,
    extremes: () => (below(2) ? far : -far),
    zero: () => 0,
  }[fill];
  const value = (dtype: DType) =>
    dtype === "f32" ? real() : dtype === "bool" ? below(2) : below(256) - (dtype === "u8" ? 0 : 128);
  const one = ({ dtype, shape }: Input) => {
    const bindings = Object.fromEntries(
      shape.flatMap((dim) => symbolsOf(dim)).map((symbol) => [symbol, batch]),
    );
    const size = evaluateShape(shape, bindings);
    return tensor(
      dtype,
      size,
      Array.from({ length: sizeOf(size) }, () => value(dtype)),
    );
  };
  return Object.fromEntries(graph.inputs.map((input) => [input.name, one(input)]));
}
