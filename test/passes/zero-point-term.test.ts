// Layers whose weights have zero points that do not go into i8, against the reference's exact sums over the file's own
// codes: random weights, and such that the two terms nearly cancel.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import { readArtifact, writeArtifact } from "../../src/formats/octette";
import type { Graph, Node } from "../../src/graph/graph";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { isLayer } from "../../src/ops/linear-layer";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplifyImported } from "../../src/passes/index";
import { parametersOf } from "../../src/train/step/prepare";
import { expectClose, expectSameBytes, type Fill, randomFeeds } from "../check-model";
import { expectFewCodesApart } from "../check-tensors";
import { engineClasses, withModel } from "../engine/engines";
import { type Attributes, type Coded, type CodeType, GraphBuilder, type Range } from "../graph-builder";
import { runReference } from "../reference/index";

interface Layer {
  readonly op: "Linear" | "Conv";
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly attributes?: Attributes;
}

const layers = {
  "Linear of one number": { op: "Linear", x: [1], w: [1, 1] },
  "Linear 17 → 3": { op: "Linear", x: [17], w: [3, 17] },
  "Linear 130 → 17": { op: "Linear", x: [130], w: [17, 130] },
  "Linear of stacks": { op: "Linear", x: [3, 33], w: [4, 33] },
  "pointwise Conv": { op: "Conv", x: [17, 3, 5], w: [3, 17, 1, 1] },
  "Conv, padded, of strides": {
    op: "Conv",
    x: [3, 7, 9],
    w: [17, 3, 3, 2],
    attributes: { pads: [1, 2, 1, 0], strides: [2, 1] },
  },
  "Conv of one dimension": { op: "Conv", x: [4, 9], w: [5, 4, 3], attributes: { pads: [2, 1] } },
} satisfies Record<string, Layer>;

const groups = {
  "in groups": { op: "Conv", x: [6, 7, 9], w: [4, 3, 3, 3], attributes: { group: 2 } },
  depthwise: {
    op: "Conv",
    x: [6, 7, 9],
    w: [6, 1, 3, 3],
    attributes: { group: 6, pads: [1, 1, 1, 1] },
  },
} satisfies Record<string, Layer>;

/** Codes of weights, counted from the lowest. Those that cancel are their zero point, but for a few at both ends. */
const codesOf = {
  random: (_zero: number, _i: number, random: (n: number) => number) => random(256),
  lowest: () => 0,
  highest: () => 255,
  cancelling: (zero: number, i: number) => (i % 61 < 2 ? (i % 61) * 255 : zero),
};

interface Weights {
  readonly codes?: keyof typeof codesOf;
  readonly dtype?: CodeType;
  /** Counted from the lowest code. */
  readonly zero: number;
  /** Scales and zero points, these ascending from `zero`, for every output. */
  readonly perOutput?: boolean;
}

class LayerBuilder extends GraphBuilder {
  /** x as codes of a constant range, or as floats whose range is found at run time. */
  x({ x }: Layer, dtype: CodeType | "dynamic"): Coded {
    const input = this.input("x", ["batch", ...x], dtype === "dynamic" ? "f32" : dtype);
    if (dtype === "dynamic") {
      const coded = { codes: "x_codes", scale: "x_scale", zeroPoint: "x_zero" };
      this.nodes.push({
        op: "DynamicQuantize",
        name: "quantize_x",
        inputs: [input],
        outputs: Object.values(coded),
        attributes: {},
      });
      return coded;
    }
    const range = this.range(dtype);
    const scale = this.constant("x_scale", tensor("f32", [], [range.scale]));
    const zeroPoint = this.constant("x_zero", tensor(dtype, [], [range.zeroPoint]));
    return { codes: input, scale, zeroPoint, range };
  }

  w({ w }: Layer, { codes = "random", dtype = "u8", zero, perOutput = false }: Weights): Coded {
    const shape = perOutput ? [w[0]!] : [];
    const inner = sizeOf(w.slice(1));
    const zeros = Array.from({ length: sizeOf(shape) }, (_, c) => Math.min(255, zero + 9 * (c % 5)));
    const own = (q: number) => q + (dtype === "u8" ? 0 : -128);
    const all = Array.from({ length: sizeOf(w) }, (_, i) =>
      own(codesOf[codes](zeros[Math.floor(i / inner) % zeros.length]!, i, this.random.below)),
    );
    const scales = Float32Array.from(zeros, () => this.random.between(0.002, 0.01));
    return {
      codes: this.constant("w", tensor(dtype, w, all)),
      scale: this.constant("w_scale", tensor("f32", shape, scales)),
      zeroPoint: this.constant("w_zero", tensor(dtype, shape, zeros.map(own))),
      axis: 0,
      scales,
    };
  }

  /** The layer of both, with a bias where its result is float. */
  file(layer: Layer, x: Coded, w: Coded, { range, relu }: { range?: Range; relu?: boolean } = {}): Graph {
    const reals = [this.dequantize(x, "x_real"), this.dequantize(w, "w_real")];
    const bias = range ? [] : [this.floats("b", [layer.w[0]!], 1)];
    const { kernel_shape = layer.w.slice(2), ...attributes } = layer.attributes ?? {};
    const core = this.node(layer.op, [...reals, ...bias], "core", {
      ...attributes,
      ...(layer.op === "Conv" ? { kernel_shape } : {}),
    });
    const y = relu ? this.node("Relu", [core], "y") : core;
    return this.build(range ? this.quantize(y, range).codes : y);
  }
}

/** The graph as one integer layer over the codes of the file, which only the reference can compute. */
function asLayer(graph: Graph): Graph {
  const find = (op: string) => graph.nodes.find((node) => node.op === op);
  const core = graph.nodes.find((node) => isLayer(node, toolkitOps))!;
  const operands = core.inputs.map((input) => graph.nodes.find(({ outputs }) => outputs[0] === input));
  const [quantize, dynamic] = [find("QuantizeLinear"), find("DynamicQuantize")];
  const parameters = ({ inputs: [, scale = "", zeroPoint = ""], attributes: { axis } }: Node) =>
    axis === undefined ? { scale, zeroPoint } : { scale, zeroPoint, axis: axis as number };
  const layer: Node = {
    ...core,
    inputs: core.inputs.map((input, i) => operands[i]?.inputs[0] ?? input),
    outputs: graph.outputs,
    codes: {
      inputs: operands.map((node) => node && parameters(node)),
      ...(quantize && { output: parameters(quantize) }),
      ...(find("Relu") && { bounds: { lo: 0, hi: Infinity } }),
    },
  };
  return { ...graph, nodes: [...(dynamic ? [dynamic] : []), layer] };
}

const floatOps = ({ nodes }: Graph) => nodes.filter(({ codes }) => !codes).map(({ op }) => op);

const fills: readonly Fill[] = ["random", "min", "max"];

/** The layer is integer, and computes what the reference says, to the byte, and that is what the file means. */
function check(
  graph: Graph,
  compare: (actual: Tensor | undefined, expected: Tensor, label: string) => void = expectClose,
): Graph {
  const marked = simplifyImported(graph, toolkitOps);
  for (const node of marked.nodes) if (isLayer(node, toolkitOps)) expect(node.codes).toBeDefined();
  expect(floatOps(marked)).not.toContain("DequantizeLinear");
  const saved = readArtifact(writeArtifact(marked)).graph;
  const [output] = graph.outputs as [string];
  const runs = fills.map((fill) => {
    const feeds = randomFeeds(graph, 3, 11, fill);
    const expected = runReference(marked, feeds).get(output)!;
    compare(expected, runReference(asLayer(graph), feeds).get(output)!, fill);
    return { fill, feeds, expected };
  });
  for (const engineClass of engineClasses)
    withModel(saved, { engineClass, maxima: { batch: 3 } }, (model) => {
      for (const { fill, feeds, expected } of runs)
        expectSameBytes(model.runSync(feeds)[output], expected, `${fill}, ${engineClass}`);
    });
  return marked;
}

const cases = Object.entries<Layer>(layers);
const zeros = [0, 100, 127, 128, 255];

describe.each(cases)("%s", (_, layer) => {
  describe.each(["u8", "i8"] as const)("weights of %s", (dtype) => {
    test.each(Object.keys(codesOf) as (keyof typeof codesOf)[])("%s: a float result", (codes) => {
      for (const zero of zeros)
        for (const perOutput of [false, true]) {
          const g = new LayerBuilder(zero + 1);
          const x = g.x(layer, zero % 2 === 0 ? "u8" : "i8");
          check(g.file(layer, x, g.w(layer, { codes, dtype, zero, perOutput }), { relu: perOutput }));
        }
    });
  });

  test.each(Object.keys(codesOf) as (keyof typeof codesOf)[])("%s: a range found at run time", (codes) => {
    for (const zero of zeros)
      for (const perOutput of [false, true]) {
        const g = new LayerBuilder(zero + 1);
        check(g.file(layer, g.x(layer, "dynamic"), g.w(layer, { codes, zero, perOutput })));
      }
  });

  test.each([false, true])("codes as its result, Relu %s", (relu) => {
    for (const zero of zeros) {
      const g = new LayerBuilder(zero + 1);
      const [x, w] = [g.x(layer, "u8"), g.w(layer, { zero, perOutput: relu })];
      const k = sizeOf(layer.w) / layer.w[0]!;
      const scale = Math.fround(x.range!.scale * w.scales![0]! * k * 90);
      check(g.file(layer, x, w, { range: { ...g.range("u8"), scale }, relu }), expectFewCodesApart);
    }
  });
});

test("outputs of one scale share their sums, others multiply them", () => {
  const layer = layers["Linear 17 → 3"];
  const opsOf = (perOutput: boolean) => {
    const g = new LayerBuilder();
    return floatOps(
      check(g.file(layer, g.x(layer, "u8"), g.w(layer, { zero: 100, perOutput }), { relu: true })),
    );
  };
  expect(opsOf(false)).toEqual(["Add", "Relu"]);
  expect(opsOf(true)).toEqual(["Mul", "Add", "Relu"]);
});

test.each(
  Object.entries<Layer>(layers).slice(1),
)("%s: its weights are trained, the sums of x are not", (_, layer) => {
  const g = new LayerBuilder();
  const w = g.w(layer, { zero: 100, perOutput: true });
  const marked = simplifyImported(g.file(layer, g.x(layer, "u8"), w), toolkitOps);
  const trained = parametersOf(marked).filter(({ kind }) => kind === "weight");
  expect(trained.map((parameter) => parameter.layer)).toEqual([`${layer.op}_core`]);
});

test("a layer of one output and one scale in all is trained", () => {
  const g = new LayerBuilder();
  const layer: Layer = { op: "Linear", x: [17], w: [1, 17] };
  const marked = simplifyImported(g.file(layer, g.x(layer, "u8"), g.w(layer, { zero: 128 })), toolkitOps);
  expect(parametersOf(marked).map(({ kind }) => kind)).toContain("weight");
});

test("thousands of weights at their zero point: within 1e-4 of the exact sums", () => {
  const layer: Layer = { op: "Linear", x: [4096], w: [3, 4096] };
  for (const zero of [40, 250]) {
    const g = new LayerBuilder(zero);
    const w = g.w(layer, { codes: "lowest", zero });
    const few = Array.from({ length: 4096 * 3 }, (_, i) => (i < 60 ? (i % 2) * 255 : zero));
    g.constant("w", tensor("u8", layer.w, few));
    check(g.file(layer, g.x(layer, "dynamic"), w));
  }
});

describe.each(Object.entries<Layer>(groups))("Conv, %s", (_, layer) => {
  test("of a range found at run time: regions", () => {
    for (const zero of zeros)
      for (const perOutput of [false, true]) {
        const g = new LayerBuilder(zero + 1);
        check(g.file(layer, g.x(layer, "dynamic"), g.w(layer, { zero, perOutput })));
      }
  });

  test("of a constant range: float, which is faster", () => {
    const g = new LayerBuilder();
    const graph = g.file(layer, g.x(layer, "u8"), g.w(layer, { zero: 100 }));
    expect(floatOps(simplifyImported(graph, toolkitOps))).toEqual(["DequantizeLinear", "Conv"]);
  });
});

describe("stays as it is", () => {
  test("where sums could leave int32: float", () => {
    const layer: Layer = { op: "Linear", x: [70_000], w: [1, 70_000] };
    const g = new LayerBuilder();
    const w = g.w(layer, { zero: 100 });
    const ends = Array.from({ length: 70_000 }, (_, i) => (i % 2) * 255);
    g.constant("w", tensor("u8", layer.w, ends));
    const graph = g.file(layer, g.x(layer, "u8"), w);
    expect(floatOps(simplifyImported(graph, toolkitOps))).toEqual(["DequantizeLinear", "Linear"]);
  });

  test("where the scale times a zero point is infinite: an error", () => {
    const layer = layers["Linear 17 → 3"];
    const g = new LayerBuilder();
    const w = g.w(layer, { zero: 0 });
    g.constant("w_scale", tensor("f32", [], [3e38]));
    const graph = simplifyImported(g.file(layer, g.x(layer, "u8"), w), toolkitOps);
    expect(() => withModel(graph, {}, () => {})).toThrow(OctetteError);
  });
});
