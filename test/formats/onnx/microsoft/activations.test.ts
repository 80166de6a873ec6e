// GELUs, fused layers and normalizations of ONNX Runtime against scalar loops.

import { describe, expect, test } from "vitest";
import { tensor } from "../../../../src/graph/tensor";
import { expectClose, floats, gelu, geluTanh, graphOf, normalized, product, run, wholes } from "./reference";

const x = floats([2, 3, 8], 4);
const numbers = [...x.data];
const bias = floats([8]);
const biased = numbers.map((v, i) => v + bias.data[i % 8]!);
const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));

describe("activations", () => {
  const cases: Record<string, [string, boolean, Record<string, { float: number }>, (v: number) => number]> = {
    Gelu: ["Gelu", false, {}, gelu],
    BiasGelu: ["BiasGelu", true, {}, gelu],
    FastGelu: ["FastGelu", false, {}, geluTanh],
    "FastGelu with a bias": ["FastGelu", true, {}, geluTanh],
    QuickGelu: ["QuickGelu", false, {}, (v) => v * sigmoid(1.702 * v)],
    "QuickGelu of 1": ["QuickGelu", false, { alpha: { float: 1 } }, (v) => v * sigmoid(v)],
  };
  for (const [name, [op, hasBias, attributes, f]] of Object.entries(cases))
    test(name, () => {
      const inputs = hasBias ? ["x", "b"] : ["x"];
      const { y } = run({ op, inputs, feeds: { x }, constants: hasBias ? { b: bias } : {}, attributes });
      expectClose(y, x.shape, (hasBias ? biased : numbers).map(f));
    });
});

describe("products", () => {
  const [a, b] = [floats([2, 3, 5, 6]), floats([7, 6])];
  test("FusedMatMul, B turned, alpha", () => {
    const attributes = { transB: 1, alpha: { float: 0.5 } };
    const expected = product(a.data, b.data, 6, 7, true).map((v) => v / 2);
    for (const isKnown of [true, false]) {
      const feeds = isKnown ? { a } : { a, b };
      const { y } = run({
        op: "FusedMatMul",
        inputs: ["a", "b"],
        feeds,
        constants: isKnown ? { b } : {},
        attributes,
      });
      expectClose(y, [2, 3, 5, 7], expected);
    }
  });

  test("FusedMatMul, batches turned", () => {
    // A [m, batch, k], B [k, batch, n].
    const [left, right] = [floats([5, 2, 6]), floats([6, 2, 7])];
    const attributes = { transBatchA: 1, transBatchB: 1 };
    const { y } = run({ op: "FusedMatMul", inputs: ["a", "b"], feeds: { a: left, b: right }, attributes });
    const at = (batch: number, { data }: typeof left, cols: number) =>
      [...data].filter((_, i) => Math.floor(i / cols) % 2 === batch);
    const expected = [0, 1].flatMap((i) => product(at(i, left, 6), at(i, right, 7), 6, 7));
    expectClose(y, [2, 5, 7], expected);
  });

  test("TransposeMatMul, A turned", () => {
    const left = floats([6, 5]);
    const right = floats([6, 7]);
    const { y } = run({
      op: "TransposeMatMul",
      inputs: ["a", "b"],
      feeds: { a: left, b: right },
      attributes: { transA: 1 },
    });
    const turned = Array.from({ length: 30 }, (_, i) => left.data[(i % 6) * 5 + Math.floor(i / 6)]!);
    expectClose(y, [5, 7], product(turned, right.data, 6, 7));
  });

  test("FusedGemm through LeakyRelu", () => {
    const [left, c] = [floats([4, 6]), floats([7])];
    const attributes = { transB: 1, activation: "LeakyRelu", activation_alpha: { float: 0.25 } };
    const { y } = run({
      op: "FusedGemm",
      inputs: ["a", "b", "c"],
      feeds: { a: left },
      constants: { b, c },
      attributes,
    });
    const sums = product(left.data, b.data, 6, 7, true).map((v, i) => v + c.data[i % 7]!);
    expectClose(
      y,
      [4, 7],
      sums.map((v) => (v < 0 ? v / 4 : v)),
    );
  });

  test("FusedConv of a sum through Clip", () => {
    const [image, w, z] = [floats([1, 2, 3, 3], 2), floats([4, 2, 1, 1]), floats([1, 4, 3, 3])];
    const attributes = { activation: "Clip", activation_params: { floats: [-0.5, 0.75] } };
    const { y } = run({
      op: "FusedConv",
      inputs: ["x", "w", "", "z"],
      feeds: { x: image, z },
      constants: { w },
      attributes,
    });
    const sums = Array.from(z.data, (v, i) => {
      const [c, at] = [Math.floor(i / 9), i % 9];
      return v + w.data[2 * c]! * image.data[at]! + w.data[2 * c + 1]! * image.data[9 + at]!;
    });
    expectClose(
      y,
      [1, 4, 3, 3],
      sums.map((v) => Math.min(Math.max(v, -0.5), 0.75)),
    );
  });

  test("an activation octette does not have", () =>
    expect(() =>
      graphOf({
        op: "FusedConv",
        inputs: ["x", "w"],
        feeds: { x: floats([1, 2, 3, 3]) },
        constants: { w: floats([2, 2, 1, 1]) },
        attributes: { activation: "Affine" },
      }),
    ).toThrow(/its activation is unknown.*Affine/));
});

describe("normalizations", () => {
  const [gamma, beta] = [floats([8]), floats([8])];
  const skip = floats([3, 8]);
  const sums = numbers.map((v, i) => v + skip.data[i % 24]! + bias.data[i % 8]!);
  const attributes = { epsilon: { float: 0.01 } };

  test("SkipLayerNormalization", () => {
    const constants = { g: gamma, c: beta, b: bias };
    const feeds = { x, s: skip };
    const outputs = ["y", "", "", "sum"];
    const made = run({
      op: "SkipLayerNormalization",
      inputs: ["x", "s", "g", "c", "b"],
      feeds,
      constants,
      attributes,
      outputs,
    });
    expectClose(made.y, x.shape, normalized(sums, 8, 0.01, gamma, beta));
    expectClose(made.sum, x.shape, sums);
  });

  test("SkipSimplifiedLayerNormalization", () => {
    const constants = { g: gamma, b: bias };
    const feeds = { x, s: skip };
    const { y } = run({
      op: "SkipSimplifiedLayerNormalization",
      inputs: ["x", "s", "g", "b"],
      feeds,
      constants,
      attributes,
    });
    expectClose(y, x.shape, normalized(sums, 8, 0.01, gamma, undefined, false));
  });

  test("SimplifiedLayerNormalization, in ONNX's domain", () => {
    const { y } = run({
      op: "SimplifiedLayerNormalization",
      domain: "",
      inputs: ["x", "g"],
      feeds: { x },
      constants: { g: gamma },
      attributes: { ...attributes, stash_type: 1, axis: -1 },
    });
    expectClose(y, x.shape, normalized(numbers, 8, 0.01, gamma, undefined, false));
  });

  test("means and deviations are refused", () =>
    expect(() =>
      graphOf({
        op: "SkipLayerNormalization",
        inputs: ["x", "s", "g"],
        feeds: { x, s: skip },
        constants: { g: gamma },
        outputs: ["y", "mean"],
      }),
    ).toThrow(/only training reads/));

  test.each([true, false])("EmbedLayerNormalization, segments: %s", (hasSegments) => {
    const [words, places, kinds] = [floats([6, 8]), floats([9, 8]), floats([2, 8])];
    const ids = wholes("i32", [2, 4], 6);
    const segments = wholes("i32", [2, 4], 2);
    const mask = tensor("i32", [2, 4], [1, 1, 1, 0, 1, 0, 0, 0]);
    const made = run({
      op: "EmbedLayerNormalization",
      inputs: ["ids", hasSegments ? "seg" : "", "w", "p", hasSegments ? "s" : "", "g", "c", "mask"],
      feeds: hasSegments ? { ids, seg: segments, mask } : { ids, mask },
      constants: { w: words, p: places, ...(hasSegments ? { s: kinds } : {}), g: gamma, c: beta },
      attributes,
      outputs: ["y", "counts", "sum"],
      shapes: { ids: ["batch", "tokens"], seg: ["batch", "tokens"], mask: ["batch", "tokens"] },
    });
    const total = Array.from({ length: 64 }, (_, at) => {
      const [token, i] = [Math.floor(at / 8), at % 8];
      const kind = hasSegments ? kinds.data[segments.data[token]! * 8 + i]! : 0;
      return words.data[ids.data[token]! * 8 + i]! + places.data[(token % 4) * 8 + i]! + kind;
    });
    expectClose(made.y, [2, 4, 8], normalized(total, 8, 0.01, gamma, beta));
    expectClose(made.sum, [2, 4, 8], total);
    expect([...made.counts!.data]).toEqual([3, 1]);
  });
});
