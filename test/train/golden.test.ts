// Quantization-aware steps against PyTorch's fake quantization (data/golden): an MLP over five steps of SGD, and the
// gradients of a small depthwise network. PyTorch multiplies by the reciprocal of a scale and keeps biases in float, so a
// code on an edge may round the other way. The bound is 1e-4 of the largest number of an array where none does.

import { describe, expect, test } from "vitest";
import { inlined } from "../../src/engine/inlined";
import { Engine } from "../../src/engine/wasm";
import { readNpz } from "../../src/formats/npz";
import type { Graph } from "../../src/graph/graph";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { sumScales } from "../../src/ops/codes";
import { dequantizeWeights, quantizeBias, quantizeWeights, weightScales } from "../../src/ops/scheme";
import { train } from "../../src/train/inlined";
import { select } from "../../src/train/run/select";
import { Trainer } from "../../src/train/run/trainer";
import { LABELS } from "../../src/train/step/losses";
import { createOptimizer } from "../../src/train/step/optimizers";
import { parametersOf } from "../../src/train/step/prepare";
import { gradientOf } from "../../src/train/step/step";
import { realFile } from "../formats/fixtures";
import { type Activation, type Attributes, type Coded, GraphBuilder } from "../graph-builder";

const engine = new Engine({ ...inlined, train });

/** Layers whose weights and biases are codes of given masters. */
class MasteredBuilder extends GraphBuilder {
  readonly masters = new Map<string, Tensor>();

  /** A layer in floats, with weights that codes of a master stand for: the gradients of both are the same. */
  float(
    op: string,
    x: string,
    output: string,
    { weight, bias }: { readonly weight: Tensor; readonly bias: Tensor },
    attributes: Attributes,
  ): string {
    const scales = weightScales(weight.data as Float32Array, weight.shape[0]!);
    const codes = quantizeWeights(weight.data as Float32Array, scales);
    const real = tensor("f32", weight.shape, dequantizeWeights(codes, scales));
    const read = [x, this.constant(`${output}_w`, real), this.constant(`${output}_b`, bias)];
    return this.node(op, read, output, attributes);
  }

  mastered(
    op: string,
    x: Coded,
    output: string,
    masters: { readonly weight: Tensor; readonly bias: Tensor },
    range: { readonly scale: number; readonly zeroPoint: number },
    options: { readonly attributes?: Attributes; readonly activation?: Activation } = {},
  ): Coded {
    const { weight, bias } = masters;
    const [w, b] = [weight.data as Float32Array, bias.data as Float32Array];
    const inputScale = Math.fround(x.range!.scale);
    const scales = weightScales(w, weight.shape[0]!, { inputScale, bias: b });
    const sums = sumScales(inputScale, scales);
    const name = `${output}_w`;
    this.constant(name, tensor("i8", weight.shape, quantizeWeights(w, scales)));
    this.constant(`${name}_scale`, tensor("f32", [scales.length], scales));
    this.constant(`${output}_b`, tensor("i32", bias.shape, quantizeBias(b, sums)));
    this.masters.set(name, weight).set(`${output}_b`, bias);
    const codedWeight = { codes: name, scale: `${name}_scale`, axis: 0 };
    const codedBias = { codes: `${output}_b`, scale: "" };
    return this.layer(op, [x, codedWeight, codedBias], output, {
      ...options,
      range: { ...range, dtype: "u8" },
    });
  }
}

const close = (got: ArrayLike<number>, want: ArrayLike<number>, bound = 1e-4) => {
  expect(got.length).toBe(want.length);
  let [worst, largest] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    worst = Math.max(worst, Math.abs(got[i]! - want[i]!));
    largest = Math.max(largest, Math.abs(want[i]!));
  }
  expect(worst).toBeLessThanOrEqual(bound * largest);
};

function golden(name: string) {
  const file = realFile(`golden/${name}.npz`);
  const arrays = file && readNpz(file);
  return {
    isThere: arrays !== undefined,
    array: (key: string) => arrays!.get(key)!,
    range: (i: number) => ({
      scale: Math.fround(arrays!.get("act_scales")!.data[i]!),
      zeroPoint: arrays!.get("act_zero_points")!.data[i]!,
    }),
  };
}

const trainerOf = (graph: Graph, masters: ReadonlyMap<string, Tensor>, keepsGradients: boolean) =>
  new Trainer(graph, select(parametersOf(graph, masters)), {
    losses: [{ kind: "crossEntropy" }],
    optimizer: createOptimizer({ kind: "sgd", lr: 0.05, momentum: 0.9 }),
    keepsGradients,
    batch: 32,
    engine,
  });

const mlp = golden("qat_mlp");
describe.skipIf(!mlp.isThere)("qat_mlp", () => {
  const { array, range } = mlp;
  const build = () => {
    const builder = new MasteredBuilder();
    builder.input("x", ["batch", 64]);
    const x = builder.quantize("x", { ...range(0), dtype: "u8" });
    const of = (i: number) => ({ weight: array(`w${i}`), bias: array(`b${i}`) });
    const h = builder.mastered("Linear", x, "h", of(1), range(1), { activation: "Relu" });
    const o = builder.mastered("Linear", h, "o", of(2), range(2));
    builder.dequantize(o, "logits");
    return { graph: builder.build("logits"), masters: builder.masters };
  };
  const batch = (step: number) => ({
    x: {
      dtype: "f32" as const,
      shape: [32, 64],
      data: array("x").data.slice(step * 2048, (step + 1) * 2048),
    },
    [LABELS]: {
      dtype: "i32" as const,
      shape: [32],
      data: Int32Array.from(array("y").data.slice(step * 32, (step + 1) * 32)),
    },
  });

  test("gradients of the first step", () => {
    const { graph, masters } = build();
    const trainer = trainerOf(graph, masters, true);
    const { output, loss } = trainer.run(batch(0), 0, 1);
    close(output.data, array("logits1").data);
    expect(loss).toBeCloseTo(array("losses").data[0]!, 5);
    close(trainer.state(gradientOf("h_w")), array("dw1").data);
    close(trainer.state(gradientOf("h_b")), array("db1").data);
    close(trainer.state(gradientOf("o_w")), array("dw2").data);
    close(trainer.state(gradientOf("o_b")), array("db2").data);
    trainer.dispose();
  });

  test("five steps of SGD with momentum", () => {
    const { graph, masters } = build();
    const trainer = trainerOf(graph, masters, false);
    for (let step = 0; step < 5; step++)
      expect(trainer.run(batch(step), 0.05, step + 1).loss).toBeCloseTo(array("losses").data[step]!, 3);
    close(trainer.state("h_w"), array("w1_after5").data);
    close(trainer.state("h_b"), array("b1_after5").data);
    close(trainer.state("o_w"), array("w2_after5").data);
    close(trainer.state("o_b"), array("b2_after5").data);
    trainer.dispose();
  });
});

const cnn = golden("qat_cnn");
describe.skipIf(!cnn.isThere)("qat_cnn: gradients of one step", () => {
  const { array, range } = cnn;
  const of = (name: string) => ({ weight: array(`${name}_weight`), bias: array(`${name}_bias`) });
  const layers = [
    { name: "c1", attributes: { pads: [1, 1, 1, 1] } },
    { name: "c2", attributes: { pads: [1, 1, 1, 1], strides: [2, 2], group: 8 } },
    { name: "c3", attributes: {} },
  ];

  function run(builder: MasteredBuilder) {
    const trainer = trainerOf(builder.build("logits"), builder.masters, true);
    const labels = Int32Array.from(array("y").data);
    const { output, loss } = trainer.run(
      {
        x: { dtype: "f32", shape: [32, 1, 8, 8], data: array("x").data },
        [LABELS]: { dtype: "i32", shape: [32], data: labels },
      },
      0,
      1,
    );
    return { output, loss, trainer };
  }

  function closeGradients(trainer: Trainer, ofWeights: number, ofBiases: number): void {
    for (const name of ["c1", "c2", "c3", "fc"]) {
      close(trainer.state(gradientOf(`${name}_w`)), array(`d_${name}_weight`).data, ofWeights);
      close(trainer.state(gradientOf(`${name}_b`)), array(`d_${name}_bias`).data, ofBiases);
    }
    trainer.dispose();
  }

  test("in floats, rounded and summed as PyTorch does", () => {
    const builder = new MasteredBuilder();
    /** round(x · (1 / scale)) + zero, clamped and back again: by steps of 1 between two products. */
    const fake = (x: string, i: number): string => {
      const { scale, zeroPoint } = range(i);
      const times = (value: string, by: number, y: string) =>
        builder.node("Mul", [value, builder.constant(`${y}_by`, tensor("f32", [], [by]))], y);
      const steps = times(x, Math.fround(1 / scale), `${x}_steps`);
      const whole = builder.quantize(steps, { scale: 1, zeroPoint, dtype: "u8" });
      return times(builder.dequantize(whole, `${x}_whole`), scale, `${x}_fake`);
    };
    let x = fake(builder.input("x", ["batch", 1, 8, 8]), 0);
    for (const [i, { name, attributes }] of layers.entries()) {
      const sums = builder.float("Conv", x, name, of(name), attributes);
      x = fake(builder.node("Relu", [sums], `${name}_relu`), i + 1);
    }
    // Sums of 16 numbers: the second eight to the first, then one by one. Halves are exact.
    const halves = { kernel_shape: [2, 1], dilations: [2, 1] };
    const pairs = builder.node("AveragePool", [x], "pairs", halves);
    builder.node("AveragePool", [pairs], "pooled", { kernel_shape: [2, 4] });
    const flat = builder.node("Flatten", [fake("pooled", 4)], "flat");
    const sums = builder.float("Linear", flat, "fc", of("fc"), {});
    builder.node("Identity", [fake(sums, 5)], "logits");
    const { output, loss, trainer } = run(builder);
    close(output.data, array("logits").data);
    expect(loss).toBeCloseTo(array("loss").data[0]!, 5);
    closeGradients(trainer, 1e-5, 1e-5);
  });

  test("in codes, as deployed", () => {
    const builder = new MasteredBuilder();
    builder.input("x", ["batch", 1, 8, 8]);
    let x = builder.quantize("x", { ...range(0), dtype: "u8" });
    for (const [i, { name, attributes }] of layers.entries())
      x = builder.mastered("Conv", x, name, of(name), range(i + 1), { activation: "Relu", attributes });
    const pooled = builder.layer("GlobalAveragePool", [x], "pooled", {
      range: { ...range(4), dtype: "u8" },
    });
    const parameters = { scale: pooled.scale, zeroPoint: pooled.zeroPoint!, range: pooled.range! };
    const flat = builder.layer("Flatten", [pooled], "flat", { range: pooled.range! });
    const coded = { ...flat, ...parameters, codes: flat.codes };
    const o = builder.mastered("Linear", coded, "fc", of("fc"), range(5));
    builder.dequantize(o, "logits");
    const { output, loss, trainer } = run(builder);
    // Means of 16 codes lie on a grid of twelfths, of which one in twelve is a tie, and PyTorch's sums of floats fall to either
    // side of it; and its biases are floats. The few codes that differ so move the gradients of what reads them.
    const codes = (logits: ArrayLike<number>) => Array.from(logits, (x) => Math.round(x / range(5).scale));
    const want = codes(array("logits").data);
    const apart = codes(output.data).map((code, i) => Math.abs(code - want[i]!));
    expect(Math.max(...apart)).toBeLessThanOrEqual(1);
    expect(apart.filter((distance) => distance > 0).length).toBeLessThanOrEqual(0.01 * apart.length);
    expect(loss).toBeCloseTo(array("loss").data[0]!, 4);
    closeGradients(trainer, 5e-3, 5e-4);
  });
});
