import { describe, expect, test } from "vitest";
import { tensor } from "../../src/graph/tensor";
import { toolkitOps } from "../../src/ops/toolkit";
import { foldBatchNorm, splitBatchNorm } from "../../src/passes/fold-batch-norm";
import { removeDead } from "../../src/passes/remove-dead";
import { GraphBuilder } from "../graph-builder";
import { expectSameFunction, opsOf } from "./check-pass";

class Builder extends GraphBuilder {
  norm(x: string, y: string, channels: number): string {
    const { between } = this.random;
    const variance = tensor(
      "f32",
      [channels],
      Float32Array.from({ length: channels }, () => between(0.1, 4)),
    );
    const [scale, bias, mean] = ["scale", "bias", "mean"].map((name) =>
      this.floats(`${y}_${name}`, [channels], 2),
    );
    const inputs = [x, scale!, bias!, mean!, this.constant(`${y}_variance`, variance)];
    return this.node("BatchNormalization", inputs, y, { epsilon: 1e-3 });
  }
}

describe("behind a layer", () => {
  test.for([
    { name: "conv", weight: [6, 4, 3, 3], attributes: { pads: [1, 1, 1, 1] } },
    { name: "conv in groups, without bias", weight: [6, 2, 1, 1], attributes: { group: 2 }, bias: false },
    { name: "depthwise conv", weight: [4, 1, 3, 3], attributes: { group: 4 } },
  ])("$name", ({ weight, attributes, bias = true }) => {
    const b = new Builder(2);
    const x = b.input("x", ["batch", 4, 5, 6]);
    const inputs = [x, b.floats("w", weight, 1), ...(bias ? [b.floats("b", [weight[0]!], 1)] : [])];
    b.norm(b.node("Conv", inputs, "map", attributes), "y", weight[0]!);
    const graph = b.build("y");
    const folded = removeDead(foldBatchNorm(graph, toolkitOps));
    expect(opsOf(folded)).toBe("Conv");
    expect([...folded.constants.keys()]).toEqual(["w", bias ? "b" : "Conv_map_bias"]);
    expect(folded.nodes[0]!.name).toBe("Conv_map");
    expectSameFunction(graph, folded);
  });

  test("linear", () => {
    const b = new Builder(3);
    const weight = b.floats("w", [5, 8], 1);
    const sum = b.node("Linear", [b.input("x", ["batch", 8]), weight, b.floats("b", [5], 1)], "sum");
    b.norm(sum, "y", 5);
    const graph = b.build("y");
    const folded = foldBatchNorm(graph, toolkitOps);
    expect(opsOf(folded)).toBe("Linear");
    expectSameFunction(graph, folded);
  });

  test("not where something else reads the layer", () => {
    const b = new Builder(4);
    const map = b.node("Conv", [b.input("x", ["batch", 2, 3, 3]), b.floats("w", [2, 2, 1, 1], 1)], "map");
    b.norm(map, "y", 2);
    const graph = b.build("y", "map");
    expect(foldBatchNorm(graph, toolkitOps)).toBe(graph);
  });

  test("weights that two layers share are not changed under the other", () => {
    const b = new Builder(5);
    const [x, w] = [b.input("x", ["batch", 2, 3, 3]), b.floats("w", [2, 2, 1, 1], 1)];
    b.norm(b.node("Conv", [x, w], "map"), "y", 2);
    b.node("Conv", [x, w], "z");
    const graph = b.build("y", "z");
    const folded = foldBatchNorm(graph, toolkitOps);
    expect(opsOf(folded)).toBe("Conv Conv");
    expectSameFunction(graph, folded);
  });
});

describe("before a convolution", () => {
  test("without padding", () => {
    const b = new Builder(6);
    const normal = b.norm(b.input("x", ["batch", 4, 5, 5]), "normal", 4);
    const inputs = [normal, b.floats("w", [6, 2, 3, 3], 1), b.floats("b", [6], 1)];
    b.node("Conv", inputs, "y", { group: 2, pads: [0, 0, 0, 0] });
    const graph = b.build("y");
    const folded = foldBatchNorm(graph, toolkitOps);
    expect(opsOf(folded)).toBe("Conv");
    expectSameFunction(graph, folded);
  });

  test.for([
    { pads: [1, 1, 1, 1] },
    { auto_pad: "SAME_UPPER" },
  ])("with padding it stays: %o", (attributes) => {
    const b = new Builder(7);
    const normal = b.norm(b.input("x", ["batch", 4, 5, 5]), "normal", 4);
    b.node("Conv", [normal, b.floats("w", [6, 4, 3, 3], 1)], "y", attributes);
    const graph = b.build("y");
    expect(foldBatchNorm(graph, toolkitOps)).toBe(graph);
  });
});

test.for([[["batch", 3, 4, 4]], [["batch", 3]]] as const)("alone over %o it becomes Mul and Add", ([
  shape,
]) => {
  const b = new Builder(8);
  b.norm(b.input("x", shape), "y", 3);
  const graph = b.build("y");
  const split = splitBatchNorm(graph, toolkitOps);
  expect(opsOf(split)).toBe("Mul Add");
  expectSameFunction(graph, removeDead(split));
});
