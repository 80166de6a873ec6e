import { describe, expect, test } from "vitest";
import type { Codes, Graph, Node } from "../../src/graph/graph";
import { tensor } from "../../src/graph/tensor";
import { verify } from "../../src/graph/verify";
import { networkGraph } from "../check-model";

const node = (op: string, inputs: string[], outputs: string[], more: Partial<Node> = {}): Node => ({
  op,
  name: outputs[0]!,
  inputs,
  outputs,
  attributes: {},
  ...more,
});

const graph: Graph = {
  name: "g",
  inputs: [{ name: "x", dtype: "f32", shape: ["batch", 4] }],
  outputs: ["b"],
  nodes: [node("Relu", ["x"], ["a"]), node("Add", ["a", "c"], ["b"])],
  constants: new Map([["c", tensor("f32", [4], [1, 2, 3, 4])]]),
  provenance: {},
};
const [relu, add] = graph.nodes as [Node, Node];

/** A quantized network, and its region around the stem. */
const network = networkGraph();
const changed = (change: (node: Node) => Node): Graph => ({ ...network, nodes: network.nodes.map(change) });

describe("verify accepts", () => {
  test("a graph", () => expect(() => verify(graph)).not.toThrow());
  test("a quantized network", () => expect(() => verify(network)).not.toThrow());
});

describe("verify names what is wrong", () => {
  const wrong: Record<string, [Graph, string]> = {
    "a value defined twice": [
      { ...graph, nodes: [relu, node("Add", ["a", "c"], ["a"])], outputs: ["a"] },
      'Add "a": another node has this name',
    ],
    "an output that is an input": [
      { ...graph, nodes: [relu, { ...add, outputs: ["x"] }] },
      'Add "b": value "x" is defined twice',
    ],
    "wrong order": [
      { ...graph, nodes: [add, relu] },
      'Add "b": input "a" is produced only later: expected topological order',
    ],
    "a missing input": [
      { ...graph, nodes: [relu, { ...add, inputs: ["a", "d"] }] },
      'Add "b": input "d" is produced by no node',
    ],
    "a missing output": [{ ...graph, outputs: ["b", "z"] }, 'g: output "z" is produced by no node'],
    "a node without a name": [
      { ...graph, nodes: [{ ...relu, name: "" }, add] },
      'Relu "": a node without a name',
    ],
    "a negative dimension": [
      { ...graph, inputs: [{ name: "x", dtype: "f32", shape: [-1, 4] }] },
      'input "x": invalid dimension: expected an integer ≥ 0 or a symbol, got -1',
    ],
    "an attribute that is not plain data": [
      { ...graph, nodes: [{ ...relu, attributes: { to: { a: 1 } as never } }, add] },
      'Relu "a": attribute to is not plain data: got object',
    ],
    "a constant that is too short": [
      { ...graph, constants: new Map([["c", { ...tensor("f32", [4], []), shape: [5] }]]) },
      'constant "c": its elements do not fill its shape: expected [5], got 4 elements',
    ],
  };
  for (const [name, [bad, message]] of Object.entries(wrong))
    test(name, () => expect(() => verify(bad)).toThrow(message));

  test("an operator that is not registered", () => {
    expect(() => verify(graph, { Relu: {} })).toThrow('Add "b": operator Add is unknown');
    expect(() => verify(graph, { Relu: {}, Add: {} })).not.toThrow();
  });
});

describe("verify checks integer layers", () => {
  const stem = network.nodes.find(({ op }) => op === "Conv")!;
  const withCodes = (codes: Partial<Codes>) =>
    changed((one) => (one === stem ? { ...one, codes: { ...one.codes!, ...codes } } : one));
  const wrong: Record<string, [Graph, string]> = {
    "it reads codes": [withCodes({ inputs: [] }), "an integer layer that reads no codes"],
    "its parameters are of inputs that are there": [
      withCodes({ inputs: [...stem.codes!.inputs, undefined, stem.codes!.inputs[0]] }),
      "an integer layer has code parameters of an input that is left out",
    ],
    "its scales are there": [
      withCodes({ output: { scale: "nowhere", zeroPoint: "" } }),
      'input "nowhere" is produced by no node',
    ],
    "its result has a scale": [withCodes({ output: { scale: "", zeroPoint: "" } }), "codes without a scale"],
    "its bounds are numbers": [
      withCodes({ bounds: { lo: 0, hi: Number.NaN } }),
      "bounds that are not numbers",
    ],
    "it is no pair": [
      changed((one) => (one === stem ? { ...one, op: "QuantizeLinear" } : one)),
      "it has codes of its own",
    ],
  };
  for (const [name, [bad, message]] of Object.entries(wrong))
    test(name, () => expect(() => verify(bad)).toThrow(message));
});
