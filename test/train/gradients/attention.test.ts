// A block of a language model through the real backward pass: rows of a table, normalized, attending to each other. Every
// gradient is compared with central differences of the whole in float64.

import { expect, test } from "vitest";
import { Model } from "../../../src/engine/model";
import type { Graph, Node } from "../../../src/graph/graph";
import { sizeOf, type Tensor, tensor } from "../../../src/graph/tensor";
import { differentiate } from "../../../src/train/step/differentiate";
import { randomOf } from "../../graph-builder";
import { forwards, type Real } from "../reference/forward";
import { differences, expectClose, ops, trainingEngine } from "./check-gradient";

const [BATCH, ROWS, WIDTH, CLASSES, WORDS] = [3, 5, 8, 3, 7] as const;

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  table: [WORDS, WIDTH],
  scale: [WIDTH],
  bias: [WIDTH],
  query: [WIDTH, WIDTH],
  key: [WIDTH, WIDTH],
  value: [WIDTH, WIDTH],
  last: [CLASSES, WIDTH],
};

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

const NODES: readonly Node[] = [
  node("Gather", ["table", "ids"], "rows"),
  node("LayerNormalization", ["rows", "scale", "bias"], "normal"),
  node("Linear", ["normal", "query"], "q"),
  node("Linear", ["normal", "key"], "k"),
  node("Linear", ["normal", "value"], "v"),
  node("Transpose", ["k"], "turned", { perm: [0, 2, 1] }),
  node("MatMul", ["q", "turned"], "scores"),
  node("Softmax", ["scores"], "shares"),
  node("MatMul", ["shares", "v"], "mixed"),
  node("Add", ["rows", "mixed"], "sum"),
  node("Gelu", ["sum"], "bent"),
  node("ReduceMean", ["bent"], "mean", { axes: [1], keepdims: 0 }),
  node("Linear", ["mean", "last"], "logits"),
];

test("gradients of an attention block, of fewer samples than there is memory for", () => {
  const { between, below } = randomOf(7);
  const constants = new Map(
    Object.entries(SHAPES).map(([name, shape]): [string, Tensor] => [
      name,
      tensor(
        "f32",
        shape,
        Array.from({ length: sizeOf(shape) }, () => between(-1, 1)),
      ),
    ]),
  );
  const ids = tensor(
    "i32",
    [BATCH, ROWS],
    Array.from({ length: BATCH * ROWS }, () => below(WORDS)),
  );
  const dy = tensor(
    "f32",
    [BATCH, CLASSES],
    Array.from({ length: BATCH * CLASSES }, () => between(-1, 1)),
  );
  const graph: Graph = {
    name: "block",
    inputs: [
      { name: "ids", dtype: "i32", shape: ["batch", ROWS] },
      { name: "dy", dtype: "f32", shape: ["batch", CLASSES] },
    ],
    outputs: ["logits"],
    nodes: NODES,
    constants,
    provenance: {},
  };
  const gradients = new Map<string, string>();
  const backward = differentiate(graph, {
    registry: ops,
    seeds: [["logits", "dy"]],
    trained: new Set(constants.keys()),
    complete: (name, gradient) => gradients.set(name, gradient),
  });
  expect([...gradients.keys()].sort()).toEqual(Object.keys(SHAPES).sort());
  const outputs = Object.keys(SHAPES).map((name) => gradients.get(name)!);
  const model = new Model({ ...backward, outputs }, ops, trainingEngine, { maxima: { batch: BATCH + 2 } });
  const found = model.runSync({ ids, dy });
  model.dispose();

  const names = [...Object.keys(SHAPES), "ids"];
  const forward = (inputs: readonly (Real | undefined)[]): readonly Real[] => {
    const values = new Map(names.map((name, i) => [name, inputs[i]!] as const));
    for (const one of NODES) {
      const read = one.inputs.map((input) => values.get(input)!);
      values.set(one.outputs[0]!, forwards[one.op]!(one, read)[0]!);
    }
    return [values.get("logits")!];
  };
  const reals = names.map((name): Real => {
    const { shape, data } = constants.get(name) ?? ids;
    return { shape, data: Float64Array.from(data) };
  });
  for (const [i, name] of Object.keys(SHAPES).entries()) {
    const expected = differences(forward, reals, [Float64Array.from(dy.data)], i);
    expectClose(found[gradients.get(name)!]!.data, expected, name);
  }
});
