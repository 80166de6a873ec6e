// A residual block through the real backward pass, against central differences; and what a convolution's input gradient does
// at once for it, against the same in nodes of their own.

import { expect, test } from "vitest";
import { Model } from "../../../src/engine/model";
import type { Graph, Node } from "../../../src/graph/graph";
import { sizeOf, type Tensor, tensor } from "../../../src/graph/tensor";
import { differentiate } from "../../../src/train/step/differentiate";
import { randomOf } from "../../graph-builder";
import { forwards, type Real } from "../reference/forward";
import { differences, expectClose, ops, trainingEngine } from "./check-gradient";

const BATCH = 3;

const node = (
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: Node["attributes"] = {},
): Node => ({
  op,
  name: output,
  inputs,
  outputs: [output],
  attributes,
});

const randoms = (shape: readonly number[], seed: number): Tensor => {
  const { between } = randomOf(seed);
  return tensor(
    "f32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => between(-1, 1)),
  );
};

const same = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
const half = { kernel_shape: [1, 1], strides: [2, 2] };

test("gradients of residual blocks, of fewer samples than there is memory for", () => {
  const shapes: Readonly<Record<string, readonly number[]>> = {
    first: [4, 2, 3, 3],
    body: [4, 4, 3, 3],
    point: [4, 4, 1, 1],
    down: [5, 4, 3, 3],
    shortcut: [5, 4, 1, 1],
  };
  const nodes = [
    node("Conv", ["x", "first"], "a", same),
    node("Tanh", ["a"], "bent"),
    node("Conv", ["bent", "body"], "b", same),
    node("Add", ["bent", "b"], "c"),
    node("Conv", ["c", "point"], "d", { kernel_shape: [1, 1] }),
    node("Add", ["d", "c"], "e"),
    node("Conv", ["e", "down"], "f", { ...same, strides: [2, 2] }),
    node("Conv", ["e", "shortcut"], "g", half),
    node("Add", ["f", "g"], "y"),
  ];
  const constants = new Map(
    Object.entries(shapes).map(([name, shape], i) => [name, randoms(shape, i)] as const),
  );
  const x = randoms([BATCH, 2, 5, 6], 11);
  const dy = randoms([BATCH, 5, 3, 3], 12);
  const graph: Graph = {
    name: "blocks",
    inputs: [
      { name: "x", dtype: "f32", shape: ["batch", 2, 5, 6] },
      { name: "dy", dtype: "f32", shape: ["batch", 5, 3, 3] },
    ],
    outputs: ["y"],
    nodes,
    constants,
    provenance: {},
  };
  const gradients = new Map<string, string>();
  const backward = differentiate(graph, {
    registry: ops,
    seeds: [["y", "dy"]],
    trained: new Set(constants.keys()),
    complete: (name, gradient) => gradients.set(name, gradient),
  });
  const sums = backward.nodes.filter(({ op, inputs }) => op === "ConvInputGradient" && inputs[3] !== "");
  expect(sums.map(({ name }) => name)).toEqual([
    "f:ConvInputGradient",
    "d:ConvInputGradient",
    "b:ConvInputGradient",
  ]);
  const outputs = Object.keys(shapes).map((name) => gradients.get(name)!);
  const model = new Model({ ...backward, outputs }, ops, trainingEngine, { maxima: { batch: BATCH + 2 } });
  const found = model.runSync({ x, dy });
  model.dispose();

  const names = [...Object.keys(shapes), "x"];
  const forward = (inputs: readonly (Real | undefined)[]): readonly Real[] => {
    const values = new Map(names.map((name, i) => [name, inputs[i]!] as const));
    for (const one of nodes) {
      const read = one.inputs.map((input) => values.get(input)!);
      values.set(one.outputs[0]!, forwards[one.op]!(one, read)[0]!);
    }
    return [values.get("y")!];
  };
  const reals = names.map((name): Real => {
    const { shape, data } = constants.get(name) ?? x;
    return { shape, data: Float64Array.from(data) };
  });
  for (const [i, name] of Object.keys(shapes).entries()) {
    const expected = differences(forward, reals, [Float64Array.from(dy.data)], i);
    expectClose(found[gradients.get(name)!]!.data, expected, name);
  }
});

/** A pooling of single pixels lies channels last. */
const pixel = { kernel_shape: [1, 1] };

/** A mask of `shape`, in the order of memory. */
const bits = (shape: readonly number[]): Tensor => {
  const { below } = randomOf(5);
  return tensor(
    "u8",
    shape,
    Array.from({ length: sizeOf(shape) }, () => below(256)),
  );
};

const CASES = [
  {
    what: "image by image",
    attributes: { ...same, shape: ["batch", 3, 5, 6] },
    dy: [5, 5, 6],
    w: [5, 3, 3, 3],
  },
  {
    what: "as large as dy",
    attributes: { ...same, shape: ["batch", 3, 5, 6] },
    dy: [3, 5, 6],
    w: [3, 3, 3, 3],
  },
  {
    what: "with a stride",
    attributes: { ...half, shape: ["batch", 3, 5, 6] },
    dy: [5, 3, 3],
    w: [5, 3, 1, 1],
  },
];

test.each(
  CASES,
)("an input gradient that adds and reads through a mask has the bytes of three nodes: $what", ({
  attributes,
  dy,
  w,
}) => {
  const bytes = Math.ceil(sizeOf(dy) / 8);
  const feeds = {
    dy: randoms([BATCH, ...dy], 1),
    known: randoms([BATCH, 3, 5, 6], 2),
    mask: bits([BATCH, bytes]),
  };
  const graphOf = (nodes: readonly Node[], isKept: boolean): Graph => ({
    name: "one",
    inputs: [
      { name: "dy", dtype: "f32", shape: ["batch", ...dy] },
      { name: "known", dtype: "f32", shape: ["batch", 3, 5, 6] },
      { name: "mask", dtype: "u8", shape: ["batch", bytes] },
    ],
    outputs: isKept ? ["dx", "from", "sum"] : ["dx"],
    nodes: [node("MaxPool", ["dy"], "from", pixel), node("MaxPool", ["known"], "sum", pixel), ...nodes],
    constants: new Map([["w", randoms(w, 3)]]),
    provenance: {},
  });
  const run = (nodes: readonly Node[], isKept: boolean) => {
    const model = new Model(graphOf(nodes, isKept), ops, trainingEngine, { maxima: { batch: BATCH + 1 } });
    const { dx } = model.runSync(feeds);
    model.dispose();
    return dx!.data;
  };
  const gradient = (inputs: readonly string[], output: string) =>
    node("ConvInputGradient", inputs, output, attributes);
  const masked = node("MaskGradient", ["from", "mask"], "masked", { like: "from" });
  for (const isKept of [false, true]) {
    const alone = [masked, gradient(["masked", "w"], "dx")];
    expect(run([gradient(["from", "w", "", "", "mask"], "dx")], isKept)).toEqual(run(alone, isKept));
    const three = [masked, gradient(["masked", "w"], "found"), node("Add", ["sum", "found"], "dx")];
    expect(run([gradient(["from", "w", "", "sum", "mask"], "dx")], isKept)).toEqual(run(three, isKept));
  }
});
