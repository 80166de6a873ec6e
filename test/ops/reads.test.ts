// Nodes of graphs and files are checked wherever they come from: what they say is read by their op or refused. Tables of cases
// (test-op.ts) try every op.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import { readOnnx } from "../../src/formats/onnx/import";
import type { Graph, Node } from "../../src/graph/graph";
import { tensor } from "../../src/graph/tensor";
import { loadSync, save } from "../../src/index";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplifyImported } from "../../src/passes/index";
import { type FileModel, onnxFile } from "../formats/onnx/model-file";
import { caseGraph, constant, type OpCase } from "./case-graph";

const graphOf = (op: string, inputs: OpCase["inputs"], attributes: Node["attributes"]): Graph =>
  caseGraph(op, { inputs, attributes }, "float").graph;

test("a parameter that is an input and an attribute at once is refused", () => {
  const graph = graphOf("Squeeze", [[2, 1], constant([1], [1], "i32")], { axes: [1] });
  expect(() => simplifyImported(graph, toolkitOps)).toThrow("input 1 and attribute axes are both given");
});

test("a graph that is loaded or saved is checked, too", () => {
  const graph = graphOf("Relu", [[2, 3]], { colour: 1 });
  expect(() => loadSync(graph)).toThrow("attribute colour is unknown");
  expect(() => save(graph)).toThrow("attribute colour is unknown");
});

test("what nothing reads may hold anything", () => {
  const graph = graphOf("Relu", [[2, 3]], {});
  const dead: Node = { op: "Clip", name: "dead", inputs: ["x0", "x0"], outputs: ["z"], attributes: {} };
  expect(simplifyImported({ ...graph, nodes: [dead, ...graph.nodes] }, toolkitOps).nodes).toHaveLength(1);
});

describe("a node of a file", () => {
  const read = (model: FileModel) => simplifyImported(readOnnx(onnxFile(model)), toolkitOps);
  const one = (op: string, rest: Partial<FileModel["nodes"][number]> = {}): FileModel => ({
    nodes: [{ op, name: "n", inputs: ["x"], outputs: ["y"], ...rest }],
    outputs: ["y"],
  });
  const cases: Readonly<Record<string, [FileModel, string]>> = {
    "an attribute": [one("Relu", { attributes: { slope: 2 } }), 'Relu "n": attribute slope is unknown'],
    "an attribute of an operator written with others": [
      one("Sum", { attributes: { slope: 2 } }),
      'Sum "n" (opset 17): attribute slope is unknown',
    ],
    "an attribute beside a tensor": [
      {
        nodes: [
          { op: "ConstantOfShape", name: "n", inputs: ["x"], outputs: ["y"], attributes: { slope: 2 } },
        ],
      },
      "attribute slope is unknown",
    ],
    "an input of an operator written with others": [
      one("QLinearMatMul", { inputs: ["x", "x", "x", "x", "x", "x", "x", "x", "late"] }),
      "input 8 is unknown",
    ],
    "attributes of a Constant": [
      {
        nodes: [
          {
            op: "Constant",
            name: "n",
            inputs: [],
            outputs: ["y"],
            attributes: { value_int: 1, value_float: 0.5 },
          },
        ],
      },
      "a constant of two values",
    ],
  };
  for (const [name, [model, message]] of Object.entries(cases))
    test(`with ${name} nothing reads is refused`, () => {
      const attempt = () =>
        read({
          ...model,
          inputs: [
            { name: "x", shape: [2], type: 1 },
            { name: "late", shape: [1], type: 1 },
          ],
        });
      expect(attempt).toThrow(OctetteError);
      expect(attempt).toThrow(message);
    });

  test("Resize of opset 10 and Upsample of opset 7 repeat as their text says", () => {
    const inputs = [{ name: "x", shape: [1, 1, 2, 2], type: 1 }];
    const scales = tensor("f32", [4], [1, 1, 2, 2]);
    const resize = read({
      ...one("Resize", { inputs: ["x", "s"] }),
      opset: 10,
      inputs,
      initializers: { s: scales },
    });
    const upsample = read({
      ...one("Upsample", { attributes: { scales: [1, 1, 2, 2] } }),
      opset: 7,
      inputs,
    });
    expect(resize.nodes[0]).toMatchObject({
      op: "Resize",
      attributes: {
        scales: [1, 1, 2, 2],
        coordinate_transformation_mode: "asymmetric",
        nearest_mode: "floor",
      },
    });
    expect(upsample.nodes[0]).toMatchObject({ attributes: { scales: [1, 1, 2, 2] } });
  });
});
