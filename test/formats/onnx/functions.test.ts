// Functions of a model's own: calls become the nodes of their functions.

import { describe, expect, test } from "vitest";
import { MAX_CALL_DEPTH } from "../../../src/formats/onnx/functions";
import { MAX_FILE_NODES } from "../../../src/formats/onnx/graphs";
import { importOnnx, loadSync } from "../../../src/index";
import { type FileFunction, type FileModel, type FileNode, onnxFile } from "./model-file";

const node = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: FileNode["attributes"] = {},
): FileNode => ({ op, inputs, outputs, attributes });

const call = (...of: Parameters<typeof node>): FileNode => ({
  ...node(...of),
  domain: "local",
  name: `call_${of[2][0]}`,
});

const read = (model: FileModel) =>
  importOnnx(onnxFile({ inputs: [{ name: "x", shape: [3] }], ...model }), { name: "own.onnx" });

/** What x = [−1, 2, 3] becomes. */
function run(model: FileModel): number[] {
  using loaded = loadSync(read(model));
  return [...loaded.runSync({ x: Float32Array.of(-1, 2, 3) }).y!.data];
}

/** alpha · x where x is below 0: alpha is 0.5 unless a call says another. */
const leaky: FileFunction = {
  name: "Leaky",
  inputs: ["x"],
  outputs: ["y"],
  attributes: { alpha: 0.5 },
  nodes: [node("LeakyRelu", ["x"], ["y"], { alpha: { reference: "alpha" } })],
};

describe("a call", () => {
  test("has the attributes that it gives, or those of the function", () => {
    const nodes = [call("Leaky", ["x"], ["a"]), call("Leaky", ["a"], ["y"], { alpha: 0.25 })];
    expect(run({ nodes, functions: [leaky] })).toEqual([-0.125, 2, 3]);
    expect(read({ nodes, functions: [leaky] }).nodes.map(({ op }) => op)).toEqual(["LeakyRelu", "LeakyRelu"]);
  });

  test("leaves an attribute to the operator that neither gives", () => {
    const { attributes: _, ...bare } = leaky;
    const [first] = run({ nodes: [call("Leaky", ["x"], ["y"])], functions: [bare] });
    expect(first).toBeCloseTo(-0.01, 6);
  });

  test("of the same names as around it and in another call changes none of them", () => {
    const twice: FileFunction = {
      name: "Twice",
      inputs: ["a", "b"],
      outputs: ["x"],
      nodes: [node("Add", ["a", "a"], ["t"]), call("Leaky", ["t"], ["y"]), node("Sub", ["y", "b"], ["x"])],
    };
    const nodes = [
      node("Neg", ["x"], ["t"]),
      call("Twice", ["x", "t"], ["b"]),
      call("Twice", ["b", "x"], ["a"]),
      node("Add", ["a", "t"], ["y"]),
    ];
    const leak = (v: number) => (v < 0 ? v / 2 : v);
    const of = (a: number, b: number) => leak(2 * a) - b;
    expect(run({ nodes, functions: [twice, leaky] })).toEqual([-1, 2, 3].map((x) => of(of(x, -x), x) - x));
  });

  test("gives inputs and one value twice as outputs, leaves inputs and outputs out", () => {
    const many: FileFunction = {
      name: "Many",
      inputs: ["a", "low", "high"],
      outputs: ["c", "a", "c", "unread"],
      nodes: [node("Clip", ["a", "low", "high"], ["c"]), node("Neg", ["a"], ["unread"])],
    };
    const nodes = [
      node("Constant", [], ["two"], { value_float: { float: 2 } }),
      call("Many", ["x", "", "two"], ["p", "q", "r"]),
      node("Sum", ["p", "q", "r"], ["y"]),
    ];
    expect(run({ nodes, functions: [many] })).toEqual([-3, 6, 7]);
  });

  test("in a branch, of a function with branches that read what is around them", () => {
    const branch = (nodes: readonly FileNode[], output: string) => ({ graph: { nodes, outputs: [output] } });
    const choose: FileFunction = {
      name: "Choose",
      inputs: ["x", "k"],
      outputs: ["y"],
      nodes: [
        node("ReduceSum", ["x"], ["sum"], { keepdims: 0 }),
        node("Less", ["sum", "k"], ["is"]),
        node("Neg", ["x"], ["n"]),
        node("If", ["is"], ["y"], {
          then_branch: branch([call("Leaky", ["n"], ["t"], { alpha: { reference: "slope" } })], "t"),
          else_branch: branch([node("Add", ["n", "k"], ["t"])], "t"),
        }),
      ],
    };
    const nodes = [
      node("Constant", [], ["k"], { value_float: { float: 2 } }),
      node("Greater", ["k", "x"], ["all"]),
      node("Cast", ["all"], ["ints"], { to: 6 }),
      node("ReduceMax", ["ints"], ["any"], { keepdims: 0 }),
      node("Cast", ["any"], ["is"], { to: 9 }),
      node("If", ["is"], ["y"], {
        then_branch: branch([call("Choose", ["x", "k"], ["t"], { slope: 0.125 })], "t"),
        else_branch: branch([node("Identity", ["x"], ["t"])], "t"),
      }),
    ];
    expect(run({ nodes, functions: [choose, leaky] })).toEqual([3, 0, -1]);
    const more = [node("Constant", [], ["k"], { value_float: { float: 9 } }), ...nodes.slice(1)];
    expect(run({ nodes: more, functions: [choose, leaky] })).toEqual([1, -0.25, -0.375]);
  });

  test("has the operators of the version that its function is written in", () => {
    const softmax: FileFunction = {
      name: "Old",
      inputs: ["x"],
      outputs: ["y"],
      opset: 12,
      nodes: [node("Softmax", ["x"], ["y"], { axis: 0 })],
    };
    const shape = [2, 2];
    const graph = read({
      inputs: [{ name: "x", shape }],
      nodes: [call("Old", ["x"], ["y"])],
      functions: [softmax],
    });
    using model = loadSync(graph);
    // Before opset 13 it is over all dimensions from the axis on.
    expect([...model.runSync({ x: new Float32Array(4) }).y!.data]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });
});

describe("what is refused", () => {
  const refused = (functions: readonly FileFunction[], nodes = [call("F0", ["x"], ["y"])]) =>
    expect(() => read({ nodes, functions }));
  const chain = (name: string, ...callees: string[]): FileFunction => ({
    name,
    inputs: ["x"],
    outputs: [`v${callees.length}`],
    nodes: callees.map((own, i) => call(own, [i === 0 ? "x" : `v${i}`], [`v${i + 1}`])),
  });

  test("functions that call themselves", () => {
    refused([chain("F0", "F1"), chain("F1", "F2"), chain("F2", "F1")]).toThrow(
      expect.objectContaining({
        code: "limit",
        message: expect.stringMatching(
          /own\.onnx, function "F\d": calls within calls: expected at most MAX_CALL_DEPTH = 64 inside each other/,
        ) as string,
      }),
    );
  });

  test("functions that call each other too deeply", () => {
    const all = Array.from({ length: MAX_CALL_DEPTH + 1 }, (_, i) => chain(`F${i}`, `F${i + 1}`));
    const last: FileFunction = { ...leaky, name: `F${MAX_CALL_DEPTH}` };
    refused([...all.slice(0, MAX_CALL_DEPTH), last]).toThrow(
      expect.objectContaining({
        code: "limit",
        expected: `at most MAX_CALL_DEPTH = ${MAX_CALL_DEPTH} inside each other`,
      }),
    );
    const deep = [...all.slice(1, MAX_CALL_DEPTH), last];
    expect(run({ nodes: [call("F1", ["x"], ["y"])], functions: deep })).toEqual([-0.5, 2, 3]);
  });

  test("two functions of one name", () =>
    refused([leaky, leaky]).toThrow(
      expect.objectContaining({
        code: "graph",
        message: expect.stringMatching(
          /function "Leaky" \(domain "local"\): two functions have one name/,
        ) as string,
      }),
    ));

  test("functions that double at each call", () => {
    const all = Array.from({ length: 40 }, (_, i) => chain(`F${i}`, `F${i + 1}`, `F${i + 1}`));
    refused([...all, { ...leaky, name: "F40" }]).toThrow(
      expect.objectContaining({
        code: "limit",
        expected: expect.stringContaining(`MAX_FILE_NODES = ${MAX_FILE_NODES}`) as string,
      }),
    );
  });

  test("calls with more than the function takes, and values that its nodes do not make", () => {
    refused([leaky], [call("Leaky", ["x", "x"], ["y"])]).toThrow(
      /function "Leaky": a call does not fit: expected 1 in, 1 out, got 2 in, 1 out/,
    );
    const outer: FileNode = { op: "Neg", inputs: ["x"], outputs: ["t"] };
    const reading: FileFunction = {
      ...leaky,
      nodes: [{ op: "Relu", inputs: ["t"], outputs: ["y"] }],
    };
    refused([reading], [outer, call("Leaky", ["x"], ["y"])]).toThrow(
      expect.objectContaining({ code: "graph" }),
    );
    refused([{ ...leaky, nodes: [] }], [call("Leaky", ["x"], ["y"])]).toThrow(
      expect.objectContaining({ code: "graph" }),
    );
  });

  test("operators in functions that octette does not have, by the calls that they are in", () => {
    const nodes = [{ ...node("Mine", ["x"], ["y"]), domain: "other", name: "deep" }];
    refused([{ ...leaky, nodes }], [call("Leaky", ["x"], ["y"])]).toThrow(
      /operators that octette does not have: got other\.Mine \(domain "other", opset unknown\) in "call_y\/deep"/,
    );
  });
});
