// Ops over images of any size, one by one: every size gives the bytes of a file of that size, from a graph and from an artifact.

import { expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph";
import { evaluateShape } from "../../src/graph/symbols";
import { tensor } from "../../src/graph/tensor";
import { load, preload, save } from "../../src/index";
import { bound } from "../../src/ops/bound";
import { toolkitOps as registry } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { expectSameBytes } from "../check-model";
import { GraphBuilder, randomOf } from "../graph-builder";
import { withModel } from "./engines";

type Sizes = Readonly<Record<string, number>>;
type Case = readonly [what: string, build: (b: GraphBuilder) => void, sizes: readonly Sizes[]];

const image = (b: GraphBuilder) => b.input("x", ["batch", 4, "height", "width"]);
const ints = (...values: number[]) => tensor("i32", [values.length], values);
const images: readonly Sizes[] = [
  { batch: 1, height: 4, width: 8 },
  { batch: 2, height: 12, width: 4 },
  { batch: 1, height: 1, width: 1 },
  { batch: 2, height: 5, width: 3 },
];

const transposed = (attributes: Record<string, number[]>, kernel = 3, quantized = false): Case => [
  `ConvTranspose ${JSON.stringify(attributes)}, kernel ${kernel}${quantized ? ", of codes" : ""}`,
  (b) => {
    const shape = [5, 4, kernel, kernel];
    if (!quantized)
      return b.node(
        "ConvTranspose",
        [image(b), b.floats("w", shape, 1), b.floats("b", [5], 1)],
        "y",
        attributes,
      );
    const inputs = [b.quantize(image(b)), b.weights("w", shape, 0)];
    return b.dequantize(b.layer("ConvTranspose", inputs, "sum", { attributes, range: b.range() }), "y");
  },
  images,
];

const resized = (op: string, attributes: Record<string, number[] | string>): Case => [
  `${op} ${JSON.stringify(attributes)}`,
  (b) => b.node(op, [image(b)], "y", attributes),
  images.filter(({ height }) => height! > 1),
];

const pooled = (op: string, attributes: Record<string, number | number[]> = {}): Case => [
  `${op} of as many channels as are fed, ${JSON.stringify(attributes)}`,
  (b) => {
    const pool = b.node(op, [b.input("x", ["batch", "channels", "height", "width"])], "pool", attributes);
    b.node("Flatten", [b.node("Relu", [pool], "positive")], "y", { axis: 1 });
  },
  [
    { batch: 1, channels: 3, height: 4, width: 8 },
    { batch: 2, channels: 17, height: 4, width: 8 },
    { batch: 3, channels: 1, height: 5, width: 6 },
    { batch: 2, channels: 4, height: 5, width: 6 },
  ],
];

const transformed = (attributes: Record<string, number | number[]>, parts: number): Case => [
  `DFT ${JSON.stringify(attributes)} of ${parts} number(s)`,
  (b) => b.node("DFT", [b.input("x", ["batch", "length", 3, parts])], "y", attributes),
  [
    { batch: 1, length: 4 },
    { batch: 3, length: 5 },
    { batch: 2, length: 17 },
    { batch: 1, length: 4 },
  ],
];

const cases: readonly Case[] = [
  pooled("MaxPool", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  pooled("MaxPool", { kernel_shape: [2, 3], ceil_mode: 1 }),
  pooled("AveragePool", { kernel_shape: [2, 2], strides: [2, 2] }),
  pooled("GlobalAveragePool"),
  pooled("GlobalMaxPool"),
  pooled("LpPool", { kernel_shape: [2, 2] }),
  [
    "GeneralMaxPool of volumes of as many channels as are fed",
    (b) =>
      b.node("GeneralMaxPool", [b.input("x", [2, "channels", 3, 4, 5])], "y", { kernel_shape: [2, 2, 2] }),
    [{ channels: 3 }, { channels: 1 }, { channels: 17 }],
  ],
  transformed({ axis: [1] }, 1),
  transformed({ axis: [-3], inverse: 1 }, 2),
  transformed({ axis: [1], onesided: 1 }, 1),
  transformed({ axis: [1], inverse: 1, onesided: 1 }, 2),
  transformed({ axis: [1], dft_length: [8] }, 2),
  transformed({ axis: [1], dft_length: ["2*length"] as never }, 1),
  transposed({ strides: [2, 2], pads: [1, 1, 1, 1] }),
  transposed({ strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] }),
  transposed({ strides: [2, 2] }, 2),
  transposed({ strides: [3, 2], dilations: [2, 1] }),
  transposed({ strides: [2, 2], pads: [1, 1, 1, 1] }, 3, true),
  transposed({ strides: [2, 2], pads: [1, 1, 1, 1] }, 4, true),
  // Some phases meet no tap, and small images do not have all phases.
  transposed({ strides: [5, 3] }, 2),
  transposed({ strides: [5, 3], pads: [1, 1, 0, 0], output_padding: [3, 2] }, 2),
  transposed({ strides: [5, 3] }, 2, true),
  transposed({ strides: [4, 3], pads: [0, 1, 1, 0], output_padding: [2, 1] }, 2, true),
  transposed({ strides: [4, 6], dilations: [3, 2] }, 2, true),
  [
    "ConvTranspose of sounds, of more pixels apart than it has taps",
    (b) =>
      b.node("ConvTranspose", [b.input("x", [1, 4, "length"]), b.floats("w", [3, 4, 2], 1)], "y", {
        strides: [7],
        pads: [1, 0],
      }),
    [{ length: 1 }, { length: 5 }, { length: 2 }, { length: 1 }],
  ],
  [
    "ConvTranspose of sounds",
    (b) =>
      b.node("ConvTranspose", [b.input("x", [1, 4, "length"]), b.floats("w", [3, 4, 8], 1)], "y", {
        strides: [4],
        pads: [2, 2],
      }),
    [{ length: 1 }, { length: 40 }, { length: 7 }],
  ],
  resized("Interpolate", { mode: "linear", scales: [1, 1, 2, 2] }),
  resized("Interpolate", {
    mode: "cubic",
    scales: [1, 1, 0.5, 1.37],
    coordinate_transformation_mode: "align_corners",
  }),
  resized("Interpolate", { mode: "linear", sizes: ["batch", 4, "height", 10] as never }),
  resized("Resize", { scales: [1, 1, 0.5, 0.7] }),
  resized("Resize", {
    scales: [1, 1, 2, 2],
    coordinate_transformation_mode: "asymmetric",
    nearest_mode: "floor",
  }),
];

const feedsOf = (graph: Graph, sizes: Sizes) => {
  const { between } = randomOf(7);
  return Object.fromEntries(
    graph.inputs.map(({ name, dtype, shape }) => {
      const own = evaluateShape(shape, sizes);
      const count = own.reduce((a, b) => a * b, 1);
      return [
        name,
        tensor(
          dtype,
          own,
          Array.from({ length: count }, () => between(-1, 1)),
        ),
      ];
    }),
  );
};

test.each(cases)("%s", async (_, build, sizes) => {
  const b = new GraphBuilder(3);
  build(b);
  const graph = simplify(b.build("y"), registry);
  await preload();
  const saved = await load(save(graph));
  withModel(graph, {}, (model) => {
    for (const size of sizes) {
      const feeds = feedsOf(graph, size);
      const fixed = bound(graph, registry, size) as Graph;
      const { y } = withModel(fixed, {}, (one) => one.runSync(feeds));
      expectSameBytes(model.runSync(feeds).y, y!, JSON.stringify(size));
      expectSameBytes(saved.runSync(feeds).y, y!, `saved, ${JSON.stringify(size)}`);
    }
  });
  saved.dispose();
});

test("sizes that a U-Net computes in two ways are equal in a run, or an error", () => {
  const b = new GraphBuilder(5);
  const x = b.input("x", [1, 4, "height", "width"]);
  const half = b.node("MaxPool", [x], "half", { kernel_shape: [2, 2], strides: [2, 2] });
  const quarter = b.node("MaxPool", [half], "quarter", { kernel_shape: [2, 2], strides: [2, 2] });
  const up = (value: string, name: string) =>
    b.node("ConvTranspose", [value, b.floats(`w ${name}`, [4, 4, 2, 2], 1)], name, { strides: [2, 2] });
  b.node("Concat", [half, up(quarter, "up")], "joined", { axis: 1 });
  b.node("Conv", ["joined", b.floats("w", [4, 8, 1, 1], 1)], "mixed", { kernel_shape: [1, 1] });
  b.node("Concat", [up("mixed", "whole"), x], "y", { axis: 1 });
  const graph = simplify(b.build("y"), registry);
  withModel(graph, {}, (model) => {
    for (const [height, width] of [
      [8, 4],
      [12, 16],
      [4, 4],
    ] as const) {
      const feeds = feedsOf(graph, { height, width });
      const { y } = withModel(bound(graph, registry, { height, width }) as Graph, {}, (one) =>
        one.runSync(feeds),
      );
      expectSameBytes(model.runSync(feeds).y, y!);
    }
    expect(() => model.runSync(feedsOf(graph, { height: 6, width: 8 }))).toThrow(/shapes do not fit/);
    expect(() => model.runSync(feedsOf(graph, { height: 9, width: 8 }))).toThrow(/shapes do not fit/);
  });
});

test("Resize to sizes that a run computes", () => {
  const b = new GraphBuilder(6);
  const x = b.input("x", [1, 1, 4, 4]);
  b.node("Interpolate", [x, "", "", b.input("sizes", [4], "i32")], "y", { mode: "linear" });
  const graph = simplify(b.build("y"), registry);
  withModel(graph, {}, (model) => {
    for (const [height, width] of [
      [6, 9],
      [4, 4],
      [1, 3],
    ] as const) {
      const feeds = { ...feedsOf(graph, {}), sizes: ints(1, 1, height, width) };
      const own = new GraphBuilder(6);
      own.node("Interpolate", [own.input("x", [1, 1, 4, 4])], "y", {
        mode: "linear",
        sizes: [1, 1, height, width],
      });
      const { y } = withModel(own.build("y"), {}, (one) => one.runSync({ x: feedsOf(graph, {}).x! }));
      expectSameBytes(model.runSync(feeds).y, y!);
    }
    expect(() => model.runSync({ ...feedsOf(graph, {}), sizes: ints(1, 1, -2, 4) })).toThrow();
  });
});
