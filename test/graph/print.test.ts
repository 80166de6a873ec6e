import { expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph";
import { printGraph } from "../../src/graph/print";
import { tensor } from "../../src/graph/tensor";
import { registry } from "../../src/ops/index";
import { inferTypes } from "../../src/ops/infer";
import { denseGraph } from "../check-model";

const graph: Graph = {
  name: "small",
  inputs: [
    {
      name: "image",
      dtype: "f32",
      shape: ["batch", 1, 2, 2],
      preprocessing: { layout: "nhwc", scale: 1 / 255, mean: [0], std: [1] },
    },
  ],
  outputs: ["y"],
  nodes: [
    {
      op: "Conv",
      name: "conv",
      inputs: ["image", "w"],
      outputs: ["map"],
      attributes: { kernel_shape: [2, 2], auto_pad: "NOTSET" },
    },
    { op: "Mul", name: "scale", inputs: ["map", "two"], outputs: ["scaled"], attributes: {} },
    { op: "Reshape", name: "rows", inputs: ["scaled"], outputs: ["y"], attributes: { shape: ["batch", 3] } },
  ],
  constants: new Map([
    ["w", tensor("f32", [3, 1, 2, 2], [])],
    ["two", tensor("f32", [], [2])],
  ]),
  provenance: {},
};

test("one line a node, in columns", () => {
  expect(printGraph(graph, inferTypes(graph, registry))).toBe(
    [
      "graph small",
      "  %image [batch, 1, 2, 2] f32  = input from nhwc bytes",
      "  %map [batch, 3, 1, 1] f32    = Conv(%image, w [3, 1, 2, 2], kernel_shape=[2, 2], auto_pad=NOTSET)  # conv",
      "  %scaled [batch, 3, 1, 1] f32 = Mul(%map, two=2)                    # scale",
      "  %y [batch, 3] f32            = Reshape(%scaled, shape=[batch, 3])  # rows",
      "  return %y",
    ].join("\n"),
  );
});

test("without types, and with a dot at an integer layer, which shows its scale and bounds", () => {
  const lines = printGraph(denseGraph({ k: 3, n: 2, activation: "Relu" })).split("\n");
  expect(lines.map((line) => line[0]).join("")).toMatch(/^g +• +$/);
  expect(lines.find((line) => line.startsWith("•"))).toMatch(
    /Linear\(.*, min=0, scale=0\.\d+, zero_point=\d+\)/,
  );
  expect(lines.at(-1)).toBe("  return %y");
});
