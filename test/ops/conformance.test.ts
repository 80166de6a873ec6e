// The ops that move elements or are only folded, against ONNX's own tests: computed on the host where every input is
// a constant, and by kernels where only what an op needs before a run is one.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import type { Graph } from "../../src/graph/graph";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplify, simplifyImported } from "../../src/passes/index";
import {
  type ConformanceCase,
  conformanceCases,
  expectConforms,
  freezeInputs,
  type LoadedCase,
} from "../conformance";
import { withModel } from "../engine/engines";

const moving = [
  "Concat",
  "Expand",
  "Flatten",
  "Identity",
  "Pad",
  "Reshape",
  "Slice",
  "Split",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
];
const folded = [
  "Cast",
  "Ceil",
  "ConstantOfShape",
  "Equal",
  "Floor",
  "Gather",
  "Max",
  "Min",
  "Mod",
  "Not",
  "Range",
  "ReduceProd",
  "Shape",
  "Size",
  "Where",
];
/** With codes; all inputs but the first are known before a run. */
const overCodes = ["ConvInteger", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul"];
/** With nothing known before a run. */
const computed = ["Gather", "LayerNormalization", "MatMul"];
/** What arithmetic on shapes goes through, beside the above. */
const arithmetic = ["Add", "Sub", "Mul", "Div"];

/** The case, or undefined where the importer says that octette does not support it. */
function load(one: ConformanceCase): LoadedCase | undefined {
  try {
    return one.load();
  } catch (error) {
    if (error instanceof OctetteError && error.code === "unsupported") return undefined;
    throw error;
  }
}

const cases = (ops: readonly string[]) =>
  conformanceCases()
    .filter((one) => one.ops.every((op) => ops.includes(op)))
    .flatMap((one) => {
      const content = load(one);
      return content ? [{ name: one.name, content }] : [];
    });

/** Inputs that become attributes. */
const parameterNames = (graph: Graph) =>
  graph.nodes.flatMap((node) => {
    const { parameters = {} } = toolkitOps[node.op]!;
    return Object.keys(parameters).flatMap((i) => node.inputs[Number(i)] || []);
  });

describe.skipIf(conformanceCases().length === 0)("ONNX's operator tests", () => {
  test.for(cases([...moving, ...folded, ...arithmetic]))("$name, folded", ({ content }) => {
    const { graph, expected } = freezeInputs(content, Object.keys(content.feeds));
    const { constants, nodes } = simplify(graph, toolkitOps);
    expect(nodes.map((node) => node.op)).toEqual([]);
    for (const [name, tensor] of Object.entries(expected)) expectConforms(constants.get(name), tensor, name);
  });

  test.for(cases(moving))("$name, by kernels", ({ content }) => {
    const { graph, feeds, expected } = freezeInputs(content, parameterNames(content.graph));
    const simple = simplify(graph, toolkitOps);
    withModel(simple, {}, (model) => {
      const results = model.runSync(feeds);
      for (const [name, tensor] of Object.entries(expected)) expectConforms(results[name], tensor, name);
    });
  });

  test.for(cases(computed))("$name, all inputs computed", ({ content: { graph, feeds, expected } }) => {
    withModel(simplify(graph, toolkitOps), {}, (model) => {
      const results = model.runSync(feeds);
      for (const [name, tensor] of Object.entries(expected)) expectConforms(results[name], tensor, name);
    });
  });

  const repeated = ({ name }: { readonly name: string }) =>
    name.includes("upsample") && !name.includes("sizes");
  test.for([...cases(["ArgMax"]), ...cases(["Resize", "Upsample"]).filter(repeated)])("$name", ({
    content,
  }) => {
    const { graph, feeds, expected } = freezeInputs(content, parameterNames(content.graph));
    withModel(simplify(graph, toolkitOps), {}, (model) => {
      const results = model.runSync(feeds);
      for (const [name, tensor] of Object.entries(expected)) expectConforms(results[name], tensor, name);
    });
  });

  // A product of stacks of matrices has no kernel.
  const products = cases(overCodes).filter(({ name }) => !name.includes("_3D_"));
  test.for(products)("$name, over codes", ({ content }) => {
    const [codes, ...parameters] = content.graph.inputs.map((input) => input.name);
    const { graph, feeds, expected } = freezeInputs(content, parameters);
    expect(Object.keys(feeds)).toEqual([codes]);
    withModel(simplifyImported(graph, toolkitOps), {}, (model) => {
      const results = model.runSync(feeds);
      for (const [name, tensor] of Object.entries(expected)) expectConforms(results[name], tensor, name);
    });
  });
});
