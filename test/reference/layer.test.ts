// Integer layers of random graphs against the same graphs with their layers unfolded, which are then float between their
// codes: the two agree but where rounding to f32 moved a tie, by one code.

import { describe, expect, test } from "vitest";
import { unfolded } from "../../bench/unfold.js";
import type { Graph } from "../../src/graph/graph";
import { sizeOf, type Tensor } from "../../src/graph/tensor";
import { convGraph, denseGraph, type Fill, networkGraph, opGraph, randomFeeds } from "../check-model";
import { expectClose } from "../check-tensors";
import { runReference } from "./index";

const sizes = [0, 1, 3, 4, 17];
const square = { w: 6, h: 5 };
const pooling = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 1, 2] };
const map = ["batch", 3, 5, 4];

const graphs: Record<string, Graph> = {
  ...Object.fromEntries(sizes.map((k, i) => [`Gemm k = ${k}`, denseGraph({ k, n: sizes[4 - i]!, seed: k })])),
  "Gemm without bias, Relu": denseGraph({ k: 64, n: 24, bias: false, activation: "Relu" }),
  "Gemm of i8 codes, Clip": denseGraph({ k: 33, n: 9, codes: "i8", activation: "Clip" }),
  "Gemm of extremes": denseGraph({ k: 4096, n: 4, extreme: true }),
  "Linear, no bias": denseGraph({ bias: false, k: 19, n: 11 }),
  "Conv 3 × 3": convGraph({ cin: 3, cout: 5, k: 3, pad: 1, ...square }),
  "Conv 1 × 1, Relu": convGraph({ cin: 16, cout: 17, k: 1, activation: "Relu", ...square }),
  "Conv strided, i8 codes": convGraph({
    cin: 4,
    cout: 3,
    k: 3,
    stride: 2,
    pads: [0, 1, 2, 1],
    codes: "i8",
    ...square,
  }),
  "Conv depthwise, Clip": convGraph({
    cin: 17,
    cout: 17,
    k: 3,
    pad: 1,
    groups: 17,
    activation: "Clip",
    ...square,
  }),
  "Conv in groups, dilated": convGraph({ cin: 6, cout: 4, k: 2, dilation: 2, groups: 2, ...square }),
  Add: opGraph({ op: "Add", shapes: [map, map] }),
  "Add, broadcast, Relu": opGraph({ op: "Add", shapes: [map, [3, 1, 1]], activation: "Relu" }),
  Mul: opGraph({ op: "Mul", shapes: [map, ["batch", 3, 1, 1]], codes: "i8" }),
  "Concat of three scales": opGraph({ op: "Concat", shapes: [map, map, map], attributes: { axis: 1 } }),
  "Concat of one scale": opGraph({
    op: "Concat",
    shapes: [map, map],
    attributes: { axis: 1 },
    sameRange: true,
    keepsRange: true,
  }),
  MaxPool: opGraph({ op: "MaxPool", shapes: [map], attributes: pooling, keepsRange: true }),
  AveragePool: opGraph({ op: "AveragePool", shapes: [map], attributes: pooling }),
  "AveragePool with padding": opGraph({
    op: "AveragePool",
    shapes: [map],
    attributes: { ...pooling, count_include_pad: 1 },
  }),
  GlobalAveragePool: opGraph({ op: "GlobalAveragePool", shapes: [map], codes: "i8" }),
  Sigmoid: opGraph({ op: "Sigmoid", shapes: [map] }),
  Gelu: opGraph({ op: "Gelu", shapes: [map], codes: "i8" }),
  HardSwish: opGraph({ op: "HardSwish", shapes: [map] }),
  Flatten: opGraph({ op: "Flatten", shapes: [map], keepsRange: true }),
  Transpose: opGraph({
    op: "Transpose",
    shapes: [map],
    attributes: { perm: [0, 2, 3, 1] },
    keepsRange: true,
  }),
};

/** One differing code in so many, and never by more than one. */
const RARE = 1000;

describe("codes of an integer layer and of float evaluation differ by at most 1, in 0.1 % or fewer", () => {
  test.for(Object.entries(graphs))("%s", ([, graph]) => {
    for (const fill of ["random", "min", "max", "extremes", "zero"] satisfies Fill[]) {
      const feeds = randomFeeds(graph, 4, 11, fill);
      const actual = runReference(graph, feeds).get("q_codes")!;
      const expected = runReference(unfolded(graph), feeds).get("q_codes")!;
      expect([actual.dtype, actual.shape]).toEqual([expected.dtype, expected.shape]);
      const differences = actual.data.map((code, i) => Math.abs(code - expected.data[i]!));
      expect(Math.max(0, ...differences)).toBeLessThanOrEqual(1);
      const allowed = Math.ceil(sizeOf(actual.shape) / RARE);
      expect(differences.filter((difference) => difference > 0).length).toBeLessThanOrEqual(allowed);
    }
  });

  test("random inputs reach most codes: the graphs ask something", () => {
    const spread = (tensor: Tensor) => new Set(tensor.data).size;
    const gemm = runReference(
      graphs["Gemm without bias, Relu"]!,
      randomFeeds(graphs["Gemm without bias, Relu"]!, 40),
    );
    const conv = runReference(graphs["Conv 3 × 3"]!, randomFeeds(graphs["Conv 3 × 3"]!, 40));
    expect(spread(gemm.get("q_codes")!)).toBeGreaterThan(60);
    expect(spread(conv.get("q_codes")!)).toBeGreaterThan(150);
  });
});

describe("float results", () => {
  test.for<[string, Graph]>([
    ["static", denseGraph({ k: 65, n: 10, mode: "static-float" })],
    ["dynamic", denseGraph({ k: 65, n: 10, mode: "dynamic" })],
    ["dynamic with Relu", denseGraph({ k: 17, n: 3, mode: "dynamic", activation: "Relu", bias: false })],
    ["dynamic of no products", denseGraph({ k: 0, n: 3, mode: "dynamic" })],
    ["dynamic, no bias", denseGraph({ bias: false, k: 31, n: 4, mode: "dynamic" })],
  ])("%s: within 1e-4 of float evaluation", ([, graph]) => {
    const feeds = randomFeeds(graph, 5);
    const expected = runReference(unfolded(graph), feeds).get("y")!;
    expectClose(runReference(graph, feeds).get("y"), expected);
  });

  test("a row does not feel its neighbours", () => {
    const graph = denseGraph({ k: 40, n: 6, mode: "dynamic" });
    const { x } = randomFeeds(graph, 3) as { x: Tensor };
    const together = runReference(graph, { x }).get("y")!;
    const alone = runReference(graph, { x: { ...x, shape: [1, 40], data: x.data.subarray(40, 80) } }).get(
      "y",
    )!;
    expect([...alone.data]).toEqual([...together.data.subarray(6, 12)]);
  });
});

test("a broken layer is an error that names its node", () => {
  const graph = denseGraph({ k: 4, n: 2 });
  const [x, ...others] = graph.nodes.find(({ op }) => op === "Linear")!.codes!.inputs;
  expect(x).toBeDefined();
  const broken = graph.nodes.map((node) =>
    node.codes ? { ...node, codes: { ...node.codes, inputs: [undefined, ...others] } } : node,
  );
  const feeds = randomFeeds(graph);
  expect(() => runReference({ ...graph, nodes: broken }, feeds)).toThrow(
    'Linear "Linear_q": input 0 holds no codes',
  );
  expect(() => runReference(graph, { x: { ...feeds.x!, shape: [6, 2] } })).toThrow(
    'input "x": expected f32 [batch,4]',
  );
});

test("a network: every layer's codes from its own inputs, and logits that say something", () => {
  const graph = networkGraph();
  const values = runReference(graph, randomFeeds(graph, 8));
  for (const name of ["stem", "pointwise", "sum", "strided", "both", "logits"])
    expect(new Set(values.get(`${name}_codes`)!.data).size, name).toBeGreaterThan(20);
  expect(values.get("y")!.shape).toEqual([8, 10]);
  const float = networkGraph({ quantized: false });
  expect(runReference(float, randomFeeds(float, 8)).get("y")!.data.every(Number.isFinite)).toBe(true);
});
