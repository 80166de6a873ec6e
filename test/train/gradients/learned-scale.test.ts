// Gradients of learned scales as nodes of a graph: against PyTorch's (data/golden), and against their formula.

import { describe, expect, test } from "vitest";
import { Model } from "../../../src/engine/model";
import { readNpz } from "../../../src/formats/npz";
import type { Graph, Node } from "../../../src/graph/graph";
import { sizeOf, type Tensor, tensor } from "../../../src/graph/tensor";
import { rne } from "../../../src/ops/codes";
import { differentiate } from "../../../src/train/step/differentiate";
import { realFile } from "../../formats/fixtures";
import { randomOf } from "../../graph-builder";
import { expectClose, ops, trainingEngine } from "./check-gradient";

const { fround } = Math;
const file = realFile("golden/lsq.npz");
const lsq = file && readNpz(file);

const run = (graph: Graph, feeds: Readonly<Record<string, Tensor>>) => {
  const model = new Model(graph, ops, trainingEngine, { maxima: { batch: 8 } });
  const found = model.runSync(feeds);
  model.dispose();
  return Object.fromEntries(Object.entries(found).map(([name, { data }]) => [name, Float32Array.from(data)]));
};

test.skipIf(!lsq)("PyTorch's learned scale of activations within 1e-4, and the gradient it clips", () => {
  const of = (name: string) => Float32Array.from(lsq!.get(name)!.data);
  const node = (op: string, inputs: string[], output: string): Node => ({
    op,
    name: output,
    inputs,
    outputs: [output],
    attributes: {},
  });
  const coded = ["scale", "zero_point"];
  const graph: Graph = {
    name: "lsq",
    inputs: [{ name: "dy", dtype: "f32", shape: [4, 64] }],
    outputs: ["y"],
    nodes: [
      node("QuantizeLinear", ["x", ...coded], "codes"),
      node("DequantizeLinear", ["codes", ...coded], "y"),
    ],
    constants: new Map([
      ["x", tensor("f32", [4, 64], of("x"))],
      ["scale", tensor("f32", [], of("scale"))],
      ["zero_point", tensor("u8", [], of("zero_point"))],
    ]),
    provenance: {},
  };
  const found = new Map<string, string>();
  const backward = differentiate(graph, {
    registry: ops,
    seeds: [["y", "dy"]],
    trained: new Set(["x"]),
    learned: new Set(["codes"]),
    slope: (codes, gradient) => found.set(codes, gradient),
    complete: (name, gradient) => found.set(name, gradient),
  });
  const [ds, dx] = ["codes", "x"].map((name) => found.get(name)!) as [string, string];
  const answers = run({ ...backward, outputs: ["y", ds, dx] }, { dy: tensor("f32", [4, 64], of("dy")) });
  expectClose(answers.y!, of("y_normalised"), "y");
  expectClose(answers[dx]!, of("dx_normalised"), "dx");
  // PyTorch's factor is that of the batch, and ours of a sample.
  const batch = Math.sqrt(4);
  const total = answers[ds]!.reduce((sum, slope) => sum + slope, 0);
  expectClose([total / batch], of("dscale_normalised"), "ds");
  expectClose(
    [total / batch / of("grad_factor_normalised")[0]!],
    of("dscale_plain"),
    "ds without the factor",
  );
});

interface LayerCase {
  readonly op: "Conv" | "Linear";
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly attributes?: Node["attributes"];
  readonly isBiased?: boolean;
  readonly bounds?: { readonly lo: number; readonly hi: number };
}

/** Sums are whole numbers, which float layers add exactly below 2²⁴. */
function checkLayer({ op, x, w, attributes = {}, isBiased = true, bounds }: LayerCase): void {
  const { below, between } = randomOf(sizeOf(w));
  const channels = w[0]!;
  const [xScale, xZero, yScale, yZero] = [fround(0.031), 117, fround(0.1), 101];
  const whole = (shape: readonly number[], lo: number, hi: number) =>
    tensor(
      "f32",
      shape,
      Array.from({ length: sizeOf(shape) }, () => lo + below(hi - lo + 1)),
    );
  const [xs, ws, bs] = [whole(x, -xZero, 255 - xZero), whole(w, -127, 127), whole([channels], -9000, 9000)];
  const scales = Float32Array.from({ length: channels }, () => between(0.004, 0.02));
  const node = (own: string, inputs: string[], output: string, more: Node["attributes"] = {}): Node => ({
    op: own,
    name: output,
    inputs,
    outputs: [output],
    attributes: more,
  });
  const bias = isBiased ? ["b"] : [];
  const factor = 0.37;
  const codes = ["scale", "zero", "y_scale", "y_zero"];
  const of = (dtype: "i8" | "i32", { shape, data }: Tensor) => tensor(dtype, shape, data);
  const forward: Graph = {
    name: "layer",
    inputs: [{ name: "x", dtype: "f32", shape: ["batch", ...x.slice(1)] }],
    outputs: ["sums"],
    nodes: [node(op, ["x", "w", ...bias], "sums", attributes)],
    constants: new Map([
      ["w", ws],
      ["b", bs],
    ]),
    provenance: {},
  };
  const sums = run(forward, { x: xs }).sums!;
  const model = new Model(forward, ops, trainingEngine, {});
  const yShape = model.outputs[0]!.shape;
  model.dispose();
  const shape = [x[0]!, ...(yShape.slice(1) as number[])];
  const dy = tensor(
    "f32",
    shape,
    Array.from(sums, () => between(-1, 1)),
  );
  const backward: Graph = {
    name: "backward",
    inputs: [
      { name: "real", dtype: "f32", shape: ["batch", ...x.slice(1)] },
      { name: "dy", dtype: "f32", shape: ["batch", ...shape.slice(1)] },
    ],
    outputs: ["ds"],
    nodes: [
      node("QuantizeLinear", ["real", "scale", "zero"], "x"),
      node(`${op}ScaleGradient`, ["x", "w", isBiased ? "b" : "", "scales", "dy", ...codes], "ds", {
        ...attributes,
        ...bounds,
        factor,
      }),
    ],
    constants: new Map<string, Tensor>([
      ["scale", tensor("f32", [], [xScale])],
      ["zero", tensor("u8", [], [xZero])],
      ["y_scale", tensor("f32", [], [yScale])],
      ["y_zero", tensor("u8", [], [yZero])],
      ["w", of("i8", ws)],
      ["b", of("i32", bs)],
      ["scales", tensor("f32", [channels], scales)],
    ]),
    provenance: {},
  };
  const real = tensor("f32", x, xs.data.map((v) => v * xScale) as Float32Array);
  const { ds } = run(backward, { real, dy });
  const { lo = -Infinity, hi = Infinity } = bounds ?? {};
  const inner = op === "Conv" ? sizeOf(shape.slice(2)) : 1;
  const expected = new Float64Array(x[0]!);
  let clipped = 0;
  for (const [i, sum] of sums.entries()) {
    const m = fround(fround(xScale * scales[Math.floor(i / inner) % channels]!) / yScale);
    const v = Math.min(Math.max(fround(sum * m), fround(lo / yScale)), fround(hi / yScale));
    const q = rne(v);
    const isClipped = q < -yZero || q > 255 - yZero;
    if (isClipped) clipped++;
    const slope = isClipped ? Math.sign(q) * (q < 0 ? yZero : 255 - yZero) : q - v;
    expected[Math.floor(i / sizeOf(shape.slice(1)))]! += factor * dy.data[i]! * slope;
  }
  expect(clipped).toBeGreaterThan(0);
  expectClose(ds!, expected, op);
}

describe("of layers, from sums that are found again", () => {
  const pads = [1, 1, 1, 1];
  test.each<[string, LayerCase]>([
    ["Conv", { op: "Conv", x: [3, 5, 6, 7], w: [9, 5, 3, 3], attributes: { pads } }],
    [
      "Conv, strided, with a Clip",
      {
        op: "Conv",
        x: [2, 4, 7, 5],
        w: [3, 4, 3, 2],
        attributes: { strides: [2, 1] },
        bounds: { lo: -6, hi: 40 },
      },
    ],
    ["pointwise", { op: "Conv", x: [3, 17, 3, 3], w: [4, 17, 1, 1], isBiased: false }],
    ["in groups", { op: "Conv", x: [2, 6, 5, 5], w: [4, 3, 3, 3], attributes: { pads, group: 2 } }],
    [
      "depthwise, with a Relu",
      {
        op: "Conv",
        x: [3, 17, 5, 5],
        w: [17, 1, 3, 3],
        attributes: { pads, group: 17 },
        bounds: { lo: 0, hi: Infinity },
      },
    ],
    ["Linear", { op: "Linear", x: [4, 33], w: [13, 33] }],
    ["Linear, one row", { op: "Linear", x: [1, 64], w: [7, 64] }],
    ["Linear of a sequence, no bias", { op: "Linear", x: [3, 4, 16], w: [5, 16], isBiased: false }],
  ])("%s", (_, one) => checkLayer(one));
});
